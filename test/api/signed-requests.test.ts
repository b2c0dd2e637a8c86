// SEC-14: the strong mode does not exist yet (docs/decisions/0007). What does not exist must not look as if it did,
// neither to the operator who asks for it nor to a client that signs.
import { spawnSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installation, makeAppliance, startAppliance, TOKEN } from './appliance.ts'
import { keyOf, PREFIX } from './client.ts'

describe('SEC-14 signed requests', () => {
  it.each([
    ['"auth":{"legacy":false}', 'auth'],
    ['"signed-requests":{"required":true}', 'signed-requests'],
    ['"strong":true', 'strong'],
    ['"legacy-hash":false', 'legacy-hash'],
    ['"tls":{"enabled":true,"signatures":true}', 'tls.signatures'],
  ])('asked for in the configuration stop the start, in one line: {%s}', (text, key) => {
    const { folders } = makeAppliance()
    const file = join(folders.sysconf, 'edge-admin.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('{', `{${text},`))
    const program = [join(installation(), 'edge-admin.js'), 'serve', '--root', folders.root, '--no-tls', '--port', '0']
    const others = ['--sysconfdir', folders.sysconf, '--datadir', folders.data, '--statedir', folders.state]
    const ended = spawnSync(process.execPath, [...program, ...others], { encoding: 'utf8', timeout: 90_000 })
    expect([ended.status, ended.stdout]).toEqual([78, ''])
    expect(ended.stderr.trim()).toMatch(new RegExp(`${key}: unknown key `))
    expect(ended.stderr.trim()).not.toContain('\n')
  })

  it('are not taken for credentials, and take none away', async () => {
    const appliance = await startAppliance()
    try {
      const path = `${PREFIX}/version`
      const covered =
        '("@method" "@path" "@query" "content-digest");created=1700000000;nonce="n";keyid="token";alg="hmac-sha256"'
      const base = `"@method": GET\n"@path": ${path}\n"@query": ?\n"@signature-params": ${covered}`
      const signature = createHmac('sha256', keyOf(TOKEN)).update(base).digest('base64')
      const headers = {
        'signature-input': `sig1=${covered}`,
        signature: `sig1=:${signature}:`,
        'content-digest': `sha-256=:${createHash('sha256').digest('base64')}:`,
      }
      expect((await appliance.call('GET', '/version', { nobody: true, headers })).status).toBe(403)
      const bearer = { authorization: `Bearer ${TOKEN}` }
      expect((await appliance.call('GET', '/version', { nobody: true, headers: bearer })).status).toBe(403)
      expect((await appliance.call('GET', '/version', { headers })).status).toBe(200)
      const document = (await appliance.call('GET', '/openapi.json', { nobody: true })).body
      expect(document).not.toMatch(/signature-input|http-message-signatures/i)
    } finally {
      await appliance.close()
    }
  })
})
