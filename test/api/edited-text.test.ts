// What people save on Windows: with a byte order mark, as UTF-16, with CRLF. It is read rightly, or the answer says what it is.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signLicense } from '../../src/features/license/license.ts'
import { type InProcess, startAppliance, TOKEN } from './appliance.ts'
import { file, until } from './client.ts'

const bom = (text: string) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])
const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
const unmarked = (text: string) => Buffer.from(text, 'utf16le')
const EDITORS = [
  ['a byte order mark', bom],
  ['UTF-16', utf16],
] as const

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({ config: { endpoints: ['settings', 'storage', 'license', 'certs', 'backup'] } })
})
afterAll(() => appliance.close())

const etc = (name: string, bytes: Buffer) => writeFileSync(join(appliance.folders.root, 'etc', name), bytes)
const sysconf = (name: string, bytes: Buffer) => writeFileSync(join(appliance.folders.sysconf, name), bytes)
const words = (body: string) => JSON.parse(body)['Error-Message'] as string
const post = (path: string, bytes: Buffer, name = 'settings') =>
  appliance.call('POST', path, { form: [file(name, bytes)] })

describe.each(EDITORS)('a text with %s', (_name, save) => {
  it('is taken as settings and as storage options', async () => {
    const settings = { network: { interface: 'eth0', hostname: 'nas1' }, app: { motto: 'Grüße' } }
    await until('taken', async () => (await post('/settings', save(`${JSON.stringify(settings)}\r\n`))).status === 202)
    await until('taken', async () => {
      const { body } = await appliance.call('GET', '/settings?wait=5')
      return JSON.parse(body).app?.motto === 'Grüße'
    })
    sysconf('storage-options.json', save('{"options":["local"]}'))
    await until('taken', async () => (await post('/storage', save('{"storage":{"type":"local"}}'))).status === 202)
    await until(
      'taken',
      async () => JSON.parse((await appliance.call('GET', '/storage?wait=5')).body).storage?.type === 'local',
    )
  })

  it('is read where it lies on the disk', async () => {
    etc('version.txt', save('4.5.6\r\n'))
    etc('changelog.txt', save('# Änderungen\r\n'))
    etc('app.json', save('{"motto":"x"}'))
    etc('network.json', save('{"interface":"eth1"}'))
    etc('storage.json', save('{"storage":{"type":"local"}}'))
    sysconf('storage-options.json', save('{"options":["local","nfs"]}'))
    sysconf('build.json', save('{"builddate":"1"}'))
    sysconf('allservices.txt', save('sshd\r\ncrond\r\n'))
    const get = async (path: string) => (await appliance.call('GET', path)).body
    expect(JSON.parse(await get('/version'))).toEqual({ version: '4.5.6' })
    expect(await get('/changelog')).toBe('# Änderungen\r\n')
    expect(JSON.parse(await get('/build'))).toEqual({ builddate: '1' })
    expect(JSON.parse(await get('/settings'))).toEqual({ network: { interface: 'eth1' }, app: { motto: 'x' } })
    expect(JSON.parse(await get('/storage'))).toEqual({ storage: { type: 'local' }, options: ['local', 'nfs'] })
    const { services } = JSON.parse(await get('/services'))
    expect(services.map((service: object) => Object.keys(service)[0])).toEqual(['jidoteki-admin-api', 'sshd', 'crond'])
  })

  it('is taken as a license, whose signature is over what it says', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const pem = (key: typeof publicKey | typeof privateKey, type: 'spki' | 'pkcs8') =>
      key.export({ format: 'pem', type: type as 'spki' }) as string
    const license = { app: 'app', users: 5, expires: '2038-01-19', name: 'Jörg', contact: 'x' }
    etc('license.pub', save(pem(publicKey, 'spki').replaceAll('\n', '\r\n')))
    const signed = signLicense(JSON.stringify(license), pem(privateKey, 'pkcs8')).replaceAll('\n', '\r\n')
    const answer = await post('/license', save(signed), 'license')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, license])
    expect(JSON.parse((await appliance.call('GET', '/license')).body)).toEqual(license)
  })

  it('is the token that it shows', async () => {
    etc('api.token', save('typed-in-notepad\r\n'))
    expect((await appliance.call('GET', '/version', { token: 'typed-in-notepad' })).status).toBe(200)
    // It was rewritten as a digest, and is still the same token.
    expect((await appliance.call('GET', '/version', { sign: 'typed-in-notepad' })).status).toBe(200)
    etc('api.token', Buffer.from(TOKEN))
    expect((await appliance.call('GET', '/version')).status).toBe(200)
  })
})

describe('a text that cannot be read', () => {
  it.each([
    ['UTF-16 without a byte order mark', unmarked('{"network":{"interface":"eth0","hostname":"nas1"}}')],
    ['bytes that are not UTF-8', Buffer.from('{"network":{"interface":"eth0","hostname":"größe"}}', 'latin1')],
    ['NUL bytes', Buffer.from('{"network":{"interface":"eth0",\0"hostname":"nas1"}}')],
  ])('is named: %s', async (what, bytes) => {
    for (const path of ['/settings', '/storage']) {
      const { status, body, headers } = await post(path, bytes)
      expect([status, words(body)]).toEqual([400, `The file is not JSON in UTF-8. Found: ${what}`])
      expect(headers['error-message']).toBe(words(body))
    }
    const { body } = await post('/license', bytes, 'license')
    expect(words(body)).toBe(`The license file cannot be read. Found: ${what}`)
  })

  it.each([
    ['{"network":\n {"interface" "eth0"}}', 'line 2, column 15'],
    ['{\n"network": nope }', 'line 2, column 13'],
    ['{"network":', 'it ends too early'],
    ['\ufeff\ufeff{}', 'line 1, column 1'],
    [' ', 'it is empty'],
  ])('is told where it is no JSON: %j', async (text, place) => {
    const { status, body } = await post('/settings', Buffer.from(text))
    expect([status, words(body)]).toEqual([400, `The file is not JSON (${place})`])
  })

  it('is no service, no version and no build that only looks like one', async () => {
    sysconf('allservices.txt', unmarked('sshd\n'))
    expect((await appliance.call('GET', '/services')).status).toBe(500)
    expect(appliance.warnings.join('\n')).not.toContain('sshd')
    sysconf('allservices.txt', Buffer.from('sshd\n'))
    sysconf('build.json', Buffer.from([0xff, 0xfe, 0x41]))
    const { status, body } = await appliance.call('GET', '/build')
    const found = 'Found: UTF-16 with half a character at its end'
    expect([status, words(body)]).toEqual([404, `build.json on this system is not JSON in UTF-8. ${found}`])
  })

  it('is named where it is a file of the license on the appliance', async () => {
    etc('license.pub', unmarked('-----BEGIN PUBLIC KEY-----'))
    etc('license.asc', Buffer.from('{}'))
    const reason = 'license.pub on this system is not text in UTF-8'
    const posted = await post('/license', Buffer.from('{}'), 'license')
    expect([posted.status, words(posted.body)]).toEqual([400, reason])
    const got = await appliance.call('GET', '/license')
    expect([got.status, words(got.body)]).toEqual([404, `There is no valid license: ${reason}`])
  })

  it('stays without words where it stands in for the original', async () => {
    const original = await startAppliance({ mode: 'original', config: { endpoints: ['settings'] } })
    try {
      mkdirSync(join(original.folders.root, 'etc'), { recursive: true })
      const { status, body } = await original.call('POST', '/settings', { form: [file('settings', unmarked('{}'))] })
      expect([status, body]).toEqual([400, '{"Status":"400 Bad Request"}'])
    } finally {
      await original.close()
    }
  })
})

it('storage without a list of what the image offers is shown all the same, with all that POST takes', async () => {
  rmSync(join(appliance.folders.sysconf, 'storage-options.json'), { force: true })
  etc('storage.json', Buffer.from('{"storage":{"type":"local"}}'))
  expect(JSON.parse((await appliance.call('GET', '/storage')).body)).toEqual({
    storage: { type: 'local' },
    options: ['local', 'nfs', 'aoe', 'iscsi', 'nbd'],
  })
  sysconf('storage-options.json', Buffer.from('not JSON'))
  expect(JSON.parse((await appliance.call('GET', '/storage')).body).options).toEqual(['local'])
})
