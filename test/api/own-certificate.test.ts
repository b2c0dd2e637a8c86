// A certificate of ours that is made anew at a start is entered as an act of the system.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { installPair } from '../../src/http/server/tls.ts'
import { startServer } from './appliance.ts'
import { until } from './client.ts'

it('is entered once, by the system', async () => {
  const old = await makeSelfSigned({ names: { hosts: ['localhost'], addresses: [] }, now: Date.parse('2001-01-01') })
  const server = await startServer({ tls: true, prepare: (folders) => installPair(folders, old) })
  try {
    const folder = join(server.folders.state, 'audit')
    const entries = () =>
      // The port answers before the log is opened.
      (existsSync(folder) ? readdirSync(folder) : [])
        .filter((name) => name.endsWith('.log'))
        .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
        .filter((line) => line.includes('certs.renewed'))
    await until('it is entered', () => entries().length > 0)
    expect(entries()).toHaveLength(1)
    expect(entries()[0]).toMatch(/"actor":"system","action":"certs\.renewed","resource":"certs"/)
    expect(entries()[0]).not.toContain('"name"')
    expect(server.audit().at(-1)).toMatch(/,web,system,certs\.renewed,"it ends on [^"]*",local$/)
  } finally {
    await server.close()
  }
})

it('is ECDSA P-256 at a first start, for openssl as for curl', async () => {
  const server = await startServer({ tls: true })
  try {
    const certificate = join(server.folders.sysconf, 'pki/tls/certs/enterprise.crt')
    const { hostname, port } = new URL(server.url)
    const run = (program: string, ...args: string[]) =>
      spawnSync(program, args, { encoding: 'utf8', input: '', timeout: 20_000 })
    const seen = run('openssl', 's_client', '-connect', `${hostname}:${port}`, '-CAfile', certificate)
    expect(seen.stdout).toContain('Peer signature type: ECDSA')
    expect(seen.stdout).toContain('Verify return code: 0 (ok)')
    expect(run('openssl', 'x509', '-noout', '-text', '-in', certificate).stdout).toContain('ASN1 OID: prime256v1')
    const { stdout, stderr } = run('curl', '-sS', '--cacert', certificate, `${server.url}/api/v1/admin/openapi.json`)
    expect([stderr, JSON.parse(stdout).openapi]).toEqual(['', '3.1.0'])
    expect(existsSync(join(server.folders.state, 'self-sign'))).toBe(false)
  } finally {
    await server.close()
  }
})
