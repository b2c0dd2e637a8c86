// What may lie where a file of the image or of a vendor's program is expected: text that is no JSON, bytes that are no text, too much of it, a pipe, a link, a
// folder. Nothing of it is passed on as JSON, and nothing of it holds up the server.
import { spawnSync } from 'node:child_process'
import { lchownSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, isRoot, startAppliance } from './appliance.ts'

let box: InProcess
beforeAll(async () => {
  box = await startAppliance({ config: { endpoints: ['settings', 'storage', 'certs', 'backup'] } })
})
afterAll(() => box.close())

const HUGE = 17 << 20
const ODD: Record<string, (file: string) => void> = {
  nothing: () => {},
  'an empty file': (file) => writeFileSync(file, ''),
  'half of it': (file) => writeFileSync(file, '{"status":"run'),
  'no JSON': (file) => writeFileSync(file, '<html>'),
  'a list': (file) => writeFileSync(file, '["running"]'),
  'bytes that are no text': (file) => writeFileSync(file, Buffer.from('{"status":"\xff\xfe"}', 'latin1')),
  'far too much': (file) => {
    writeFileSync(file, '{"status":"')
    truncateSync(file, HUGE)
  },
  'a pipe': (file) => void spawnSync('mkfifo', [file]),
  'a folder': (file) => void mkdirSync(file),
  'a device': (file) => symlinkSync('/dev/zero', file),
  'a link to nothing': (file) => symlinkSync('nothing', file),
  'a link to itself': (file) => symlinkSync(file, file),
}
const FILES: [string, string, number[]][] = [
  ['root/etc/health.json', '/health', [200]],
  ['sysconf/build.json', '/build', [200, 404]],
  ['root/home/sftp/uploads/backup.json', '/backup', [200, 404]],
  ['sysconf/storage-options.json', '/storage', [200, 404]],
  ['root/etc/storage.json', '/storage', [404, 200]],
  ['root/etc/app.json', '/settings', [200, 404, 500]],
  ['root/etc/network.json', '/settings', [200, 404, 500]],
  ['root/etc/status_update.json', '/update', [200]],
  ['root/etc/status_update.txt', '/update', [200]],
  ['root/etc/status_error_message.txt', '/update', [200]],
  ['root/log/update.log', '/update', [200]],
  ['root/etc/status_certs.txt', '/certs', [200]],
  ['root/log/update_certs.log', '/certs', [200]],
  ['root/etc/version.txt', '/version', [200, 404]],
  ['sysconf/allservices.txt', '/services', [200, 500]],
]

describe.each(Object.entries(ODD))('%s', (what, lay) => {
  it.each(FILES)('in the place of %s gets an answer to GET %s that a client can read', async (name, path, statuses) => {
    const { root, sysconf } = box.folders
    const file = name.startsWith('root/') ? join(root, name.slice(5)) : join(sysconf, name.slice(8))
    mkdirSync(dirname(file), { recursive: true })
    spawnSync('mv', [file, `${file}.kept`])
    try {
      lay(file)
      const { status, headers, body } = await box.call('GET', path)
      expect(statuses, `${what}: ${body.slice(0, 200)}`).toContain(status)
      expect(headers['content-type']).toBe('application/json')
      expect(typeof JSON.parse(body)).toBe('object')
      // The last line of a log may be long.
      expect(body.length).toBeLessThan(7 << 20)
      expect((await box.call('GET', '/endpoints')).status).toBe(200)
    } finally {
      // Node's own does not remove a link that leads to itself.
      spawnSync('rm', ['-rf', file])
      spawnSync('mv', [`${file}.kept`, file])
    }
  })
})

describe('health.json', () => {
  const file = () => join(box.folders.root, 'etc/health.json')
  const use = { used: '1G', total: '2G', percentage: 50 }
  const own = { disk: use, memory: use, cpu: { num: 1, load: '0.1', cpu5min: 7777 } }
  const health = async () => JSON.parse((await box.call('GET', '/health')).body)
  afterAll(() => rmSync(file(), { force: true }))

  it('is used where it is an object, also through a link of root, and named where it is not, once', async () => {
    writeFileSync(file(), JSON.stringify(own))
    expect(await health()).toEqual(own)
    const elsewhere = join(box.folders.state, 'health.json')
    renameSync(file(), elsewhere)
    symlinkSync(elsewhere, file())
    expect(await health()).toEqual(own)
    writeFileSync(elsewhere, '{"disk":')
    const before = box.warnings.length
    for (let i = 0; i < 3; i++) expect((await health()).cpu.cpu5min).not.toBe(7777)
    expect(box.warnings.slice(before)).toEqual(['health.json is not used: not JSON (it ends too early)'])
    rmSync(file())
  })

  it.skipIf(!isRoot)('is not read through a link that somebody else laid', async () => {
    const secret = join(box.folders.state, 'secret.json')
    writeFileSync(secret, JSON.stringify(own), { mode: 0o600 })
    symlinkSync(secret, file())
    lchownSync(file(), 4711, 4711)
    expect((await health()).cpu.cpu5min).not.toBe(7777)
  })
})
