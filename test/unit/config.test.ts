// The configuration file. A wrong file stops the start with one line that names the key; only a missing one means
// defaults.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Configuration, ConfigurationError, parseConfiguration, readConfiguration } from '../../src/config.ts'
import type { Folders } from '../../src/folders.ts'

let folder: string
let folders: Folders
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root: folder, sysconf: folder, data: folder, state: folder }
})
afterEach(() => rmSync(folder, { recursive: true }))
const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value))
const parse = (value: unknown) => parseConfiguration(JSON.stringify(value), 'f.json')
function complaint(text: string): string {
  try {
    parseConfiguration(text, 'f.json')
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).not.toContain('\n')
    return (error as Error).message
  }
  throw new Error('was accepted')
}

describe('the configuration', () => {
  it('SEC-28 listens on loopback with TLS when it says nothing', () => {
    const { config, file } = readConfiguration(folders)
    expect(file).toBeUndefined()
    expect(config.listen).toEqual({
      host: '127.0.0.1',
      port: 8443,
      ports: [],
      'insecure-http-beyond-loopback': false,
      'trusted-proxies': [],
      'heartbeat-seconds': 15,
    })
    expect(config.tls.enabled).toBe(true)
    expect(config.endpoints).toEqual([])
    expect(config['legacy-md5']).toBe(false)
    expect(config.limits.update).toBe(4 * 1024 ** 3)
  })

  it('of the original works as it is', () => {
    const seed = readFileSync(
      join(dirname(fileURLToPath(import.meta.url)), '../../../shared/seeds/jidoteki-api.txt'),
      'utf8',
    )
    const example = /Example\n\n(\{\s+"endpoints"[\s\S]*?\n\})/.exec(seed)?.[1]
    write('jidoteki-admin-api.json', example ?? '')
    const { config, file } = readConfiguration(folders)
    expect(file).toBe(join(folder, 'jidoteki-admin-api.json'))
    expect(config.endpoints).toEqual(['settings', 'certs', 'license', 'storage', 'backup'])
    expect(config['first-run']).toEqual({ 'word-length': 4, enabled: true })
  })

  it('of the original may have keys that it ignored as well: they are named', () => {
    const file = 'jidoteki-admin-api.json'
    write(file, { endpoints: ['backup'], custom: { a: 1 }, 'first-run': { enabled: true, 'word-lenght': 5 } })
    const { config, ignored } = readConfiguration(folders)
    expect([config.endpoints, config['first-run']]).toEqual([['backup'], { 'word-length': 4, enabled: true }])
    expect(ignored).toEqual(['no key that is known here, and ignored: "first-run.word-lenght", "custom"'])
    write(file, '{"__proto__":{"label":"X"},"label":"Y"}')
    expect(readConfiguration(folders)).toMatchObject({
      config: { label: 'Y' },
      ignored: [expect.stringContaining('"__proto__"')],
    })
    write(file, Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, i])))
    expect(readConfiguration(folders).ignored[0]).toMatch(/"k19", and 10 more$/)
    write(file, '\n')
    expect(readConfiguration(folders)).toMatchObject({
      config: { endpoints: [] },
      ignored: ['it is empty, so every default holds'],
    })
    // What is known is right, or stops the start; and so does what is no JSON.
    write(file, { endpoints: 'backup', custom: 1 })
    expect(() => readConfiguration(folders)).toThrow(/: endpoints: expected a list, found the text "backup"$/)
    write(file, '{"custom":1,\n}')
    expect(() => readConfiguration(folders)).toThrow(/: not JSON \(line 2, column 1\)$/)
    write(file, {})
    expect(readConfiguration(folders).ignored).toEqual([])
  })

  it.each([
    ['a byte order mark', Buffer.from('\ufeff{"label":"OURS"}\r\n')],
    ['UTF-16', Buffer.from('\ufeff{"label":"OURS"}', 'utf16le')],
    ['UTF-16, the other way round', Buffer.from('\ufeff{"label":"OURS"}', 'utf16le').swap16()],
  ])('is read with %s', (_name, bytes) => {
    for (const name of ['jidoteki-admin-api.json', 'edge-admin.json']) {
      writeFileSync(join(folder, name), bytes)
      expect(readConfiguration(folders).config.label).toBe('OURS')
      rmSync(join(folder, name))
    }
  })

  it.each([
    [Buffer.from('{"label":"OURS"}', 'utf16le'), 'UTF-16 without a byte order mark; expected UTF-8'],
    [Buffer.from('{"label":"\xd6"}', 'latin1'), 'bytes that are not UTF-8; expected UTF-8'],
    [Buffer.from('{\n  "label": "OURS",\n}'), 'not JSON (line 3, column 1)'],
    [Buffer.from(''), 'not JSON (it is empty)'],
  ])('that cannot be read stops the start and says why', (bytes, why) => {
    writeFileSync(join(folder, 'edge-admin.json'), bytes)
    expect(() => readConfiguration(folders)).toThrow(
      new ConfigurationError(`${join(folder, 'edge-admin.json')}: ${why}`),
    )
  })

  it('of our own name wins, and a file named on the command line wins over both', () => {
    write('jidoteki-admin-api.json', { label: 'ORIGINAL' })
    write('edge-admin.json', { label: 'OURS' })
    write('third.json', { label: 'THIRD' })
    expect(readConfiguration(folders).config.label).toBe('OURS')
    expect(readConfiguration(folders, join(folder, 'third.json')).config.label).toBe('THIRD')
    expect(() => readConfiguration(folders, join(folder, 'none.json'))).toThrow(/none\.json: no such file$/)
  })

  it('takes sizes as bytes and with their letter', () => {
    const sizes: [unknown, number][] = [
      [1, 1],
      ['7', 7],
      ['512K', 524_288],
      ['64M', 67_108_864],
      ['4G', 4_294_967_296],
      ['1T', 1_099_511_627_776],
    ]
    for (const [given, bytes] of sizes) expect(parse({ limits: { update: given } }).limits.update).toBe(bytes)
  })

  it('cannot be changed once it is read', () => {
    const config = parse({ endpoints: ['backup'] })
    expect(() => config.endpoints.push('x')).toThrow()
    expect(() => Object.assign(config.limits, { update: 1 })).toThrow()
  })

  const wrong: [string, string, RegExp][] = [
    ['not JSON', '{', /^f\.json: not JSON \(it ends too early\)$/],
    ['nothing', '', /^f\.json: not JSON \(it is empty\)$/],
    ['an array', '[]', /^f\.json: the whole file: /],
    ['null', 'null', /^f\.json: the whole file: /],
    ['an unknown key', '{"listne":{}}', /^f\.json: listne: unknown key "listne": did you mean "listen"\?$/],
    [
      'an unknown key further in',
      '{"listen":{"prot":1}}',
      /^f\.json: listen\.prot: unknown key "prot": did you mean "port"\?$/,
    ],
    ['a port that is none', '{"listen":{"port":65536}}', /^f\.json: listen\.port: /],
    [
      'a proxy that is a name',
      '{"listen":{"trusted-proxies":["::1","proxy.lan"]}}',
      /trusted-proxies\.1: expected an add/,
    ],
    [
      'a host in brackets',
      '{"listen":{"host":"[::1]"}}',
      /^f\.json: listen\.host: expected an address without brackets: ::1$/,
    ],
    ['a host with a port', '{"listen":{"host":"127.0.0.1:80"}}', /^f\.json: listen\.host: expected an address/],
    ['a host that is half an address', '{"listen":{"host":"127.1"}}', /^f\.json: listen\.host: expected an address/],
    ['a host that is empty', '{"listen":{"host":""}}', /^f\.json: listen\.host: expected an address/],
    ['a host that is everything', '{"listen":{"host":"*"}}', /^f\.json: listen\.host: expected an address/],
    ['a host that is a network', '{"listen":{"host":"10.0.0.0/8"}}', /^f\.json: listen\.host: expected an address/],
    ['a proxy that is a number', '{"listen":{"trusted-proxies":[10]}}', /^f\.json: listen\.trusted-proxies\.0: /],
    ['one proxy without a list', '{"listen":{"trusted-proxies":"10.0.0.1"}}', /^f\.json: listen\.trusted-proxies: /],
    [
      'a port that is text',
      '{"listen":{"port":"8443"}}',
      /^f\.json: listen\.port: expected a whole number, found the text "8443"$/,
    ],
    ['a key twice', '{"label":"A","label":"B"}', /^f\.json: label: came more than once$/],
    [
      'two mistakes at once',
      '{"liten":{},"log":{"level":"all"}}',
      /^f\.json: liten: .*did you mean "listen"\?; log\.level: expected "debug", "info", "warn" or "error", found the text "all"$/,
    ],
    ['a size that is none', '{"limits":{"update":"4 GB"}}', /^f\.json: limits\.update: /],
    ['a size of zero', '{"limits":{"update":0}}', /^f\.json: limits\.update: /],
    ['an endpoint with a slash', '{"endpoints":["../x"]}', /^f\.json: endpoints\.0: /],
    ['a relative wrapper', '{"wrapper":"bin/wrapper.sh"}', /^f\.json: wrapper: /],
    ['a label that would break a log line', '{"label":"A\\nB"}', /^f\.json: label: expected capital letters/],
    ['another privilege', '{"privilege":"root"}', /^f\.json: privilege: /],
    ['words without number', '{"first-run":{"word-length":1.5,"enabled":true}}', /^f\.json: first-run\.word-length: /],
    ['a prototype', '{"__proto__":{"label":"X"}}', /^f\.json: __proto__: unknown key "__proto__"$/],
  ]
  for (const [what, text, expected] of wrong) {
    it(`is refused in one line: ${what}`, () => expect(complaint(text)).toMatch(expected))
  }

  describe('with keys that have moved', () => {
    const controller = (members: object) => ({ surfaces: { controller: members } })
    const iscsi = { portals: ['0.0.0.0:3260'], saveconfig: '/x' }
    const moved = (value: unknown) => {
      write('edge-admin.json', value)
      return readConfiguration(folders)
    }
    const says = (old: string, now: string) => expect.stringMatching(new RegExp(`^${old} is called ${now} now: `))

    it.each<[string, unknown, string, unknown]>([
      ['surfaces.controller.confirm-destroy', true, 'storage.confirm-destroy', true],
      ['surfaces.controller.exports-folder', '/e', 'storage.exports-folder', '/e'],
      ['surfaces.controller.file-vdevs', '/v', 'storage.file-vdevs', '/v'],
      ['surfaces.controller.iscsi', iscsi, 'storage.iscsi', iscsi],
      ['surfaces.controller.heartbeat-seconds', 7, 'listen.heartbeat-seconds', 7],
    ])('takes %s, and names its new place', (old, value, now, expected) => {
      const { config, moved: said } = moved(controller({ enabled: true, [old.split('.')[2] as string]: value }))
      expect(now.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], config)).toEqual(
        expected,
      )
      expect(config.surfaces.controller).toEqual({ ...parse({}).surfaces.controller, enabled: true })
      expect(said).toEqual([says(old, now)])
    })

    it('says nothing of a file that has the new ones', () => {
      expect(moved({ storage: { iscsi, 'file-vdevs': '/v' }, listen: { 'heartbeat-seconds': 1 } }).moved).toEqual([])
    })

    it('takes them from the original’s file as well', () => {
      write('jidoteki-admin-api.json', { ...controller({ 'file-vdevs': '/v' }), custom: 1 })
      const { config, moved: said, ignored } = readConfiguration(folders)
      expect([config.storage['file-vdevs'], said.length, ignored.length]).toEqual(['/v', 1, 1])
    })

    it('takes both places where they say the same, and some members of iSCSI at each', () => {
      const both = { ...controller({ 'file-vdevs': '/v', iscsi: { portals: iscsi.portals } }) }
      const { config, moved: said } = moved({ ...both, storage: { 'file-vdevs': '/v', iscsi: { saveconfig: '/x' } } })
      expect([config.storage['file-vdevs'], config.storage.iscsi]).toEqual(['/v', iscsi])
      expect(said).toEqual([
        says('surfaces.controller.file-vdevs', 'storage.file-vdevs'),
        says('surfaces.controller.iscsi.portals', 'storage.iscsi.portals'),
      ])
    })

    it('names an empty object at the old place as well, which the next release refuses', () => {
      const { config, moved: said } = moved({ ...controller({ iscsi: {} }), storage: { iscsi } })
      expect([config.storage.iscsi, said]).toEqual([iscsi, [says('surfaces.controller.iscsi', 'storage.iscsi')]])
    })

    const wrongly: [string, unknown, RegExp][] = [
      [
        'two places that differ',
        { ...controller({ 'confirm-destroy': true }), storage: { 'confirm-destroy': false } },
        /^f\.json: surfaces\.controller\.confirm-destroy and storage\.confirm-destroy are one key, and are given diff/,
      ],
      [
        'two lists that differ',
        { ...controller({ iscsi: { portals: ['0.0.0.0:1'] } }), storage: { iscsi: { portals: ['0.0.0.0:2'] } } },
        /^f\.json: surfaces\.controller\.iscsi\.portals and storage\.iscsi\.portals are one key/,
      ],
      [
        'a wrong value at the old place',
        controller({ 'exports-folder': 'exports.d' }),
        /^f\.json: surfaces\.controller\.exports-folder: expected/,
      ],
      [
        'a wrong value within a list',
        controller({ iscsi: { portals: ['here'] } }),
        /^f\.json: surfaces\.controller\.iscsi\.portals\.0: expected a portal/,
      ],
      [
        'a misspelt member',
        controller({ iscsi: { portal: ['0.0.0.0:3260'] } }),
        /^f\.json: surfaces\.controller\.iscsi\.portal: unknown key "portal": did you mean "portals"\?$/,
      ],
      [
        'a wrong value at the new place',
        { storage: { 'exports-folder': 'exports.d' } },
        /^f\.json: storage\.exports-folder: expected/,
      ],
      [
        'a new place that is no object',
        { ...controller({ 'file-vdevs': '/v' }), storage: 5 },
        /^f\.json: .*storage: expected an object, found 5/,
      ],
      [
        'a member that no key is called',
        { ...controller({ iscsi: JSON.parse('{"__proto__":{"portals":[]}}') }), storage: { iscsi: {} } },
        /^f\.json: surfaces\.controller\.iscsi: unknown key/,
      ],
    ]
    it.each(wrongly)('is refused in one line: %s', (_, value, expected) => {
      expect(complaint(JSON.stringify(value))).toMatch(expected)
    })
  })

  it('has a default for every key but the ones that may be left out', () => {
    expect(Object.keys(Configuration.shape).filter((key) => !(key in Configuration.parse({})))).toEqual([
      'first-run',
      'wrapper',
    ])
  })
})
