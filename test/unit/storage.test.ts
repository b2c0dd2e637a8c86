// POST and GET /storage without HTTP. The iSCSI password; it goes out as asterisks and may come back as them.
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import {
  publicStorage,
  readStorage,
  readStorageOptions,
  type Storage,
  storedObject,
} from '../../src/features/persistent-storage/storage.ts'
import { parseShellAssignments } from '../../src/store/shell-file.ts'
import { runs } from '../harness/fuzz.ts'
import { recorded } from './settings-corpus.ts'

const attempt = (...args: Parameters<typeof readStorage>): Storage | string => {
  try {
    return readStorage(...args)
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'invalid') return error.message
    throw error
  }
}
const post = (storage: unknown, mode: 'strict' | 'original' = 'strict', allowed?: string[], stored?: string) =>
  attempt(JSON.stringify({ storage }), mode, allowed, stored)

const nfs = { type: 'nfs', mount_options: 'noacl,sync', ip: '192.168.1.100', share: '/nfs/storage' }
const aoe = { type: 'aoe', device: 'e0.1' }
const iscsi = {
  type: 'iscsi',
  target: 'iqn.2016-01.com.example:storage.lun1',
  ip: '192.168.1.100',
  username: 'user',
  password: 'pass',
}
const nbd = { type: 'nbd', export_name: 'otherexport', ip: '192.168.1.100', port: '1043' }
const TYPE = 'Invalid option: type. Allowed: local, nfs, aoe, iscsi, nbd'

describe('storage as the original takes it', () => {
  const cases = recorded('storage')
  it('has the recorded cases to compare with', () => {
    expect(cases.length).toBeGreaterThan(20)
  })
  it.each(cases)('answers $id as recorded', ({ id, text, status, message, files }) => {
    const answer = attempt(text, 'original')
    if (status === 400) {
      expect(answer).toBe(message)
      return
    }
    const written = {
      json: files['storage.json'],
      conf: files['storage.conf'],
    }
    // On purpose: nothing unknown is kept, and what a shell would run is quoted.
    if (id === 'G.storage.extra_key')
      Object.assign(written, { json: '{"storage":{"type":"local"}}\n', conf: 'type="local"\n' })
    if (id === 'G.storage.iscsi_pass_special') {
      written.conf = written.conf!.replace('p"$(id)`x`\\', 'p\\"\\$(id)\\`x\\`\\\\')
    }
    expect(answer).toMatchObject({ storageJson: written.json, storageConf: written.conf })
  })
  it.each([
    '[]',
    '"x"',
    '12',
    'null',
    '{"a":{}}',
    '{"storage":"local"}',
    '{"storage":{}}',
    '{"storage":{"type":"toString"}}',
    '{"storage":{"type":["nfs"]}}',
  ])('misses the type in %s', (text) => {
    expect(attempt(text, 'original')).toBe(TYPE)
    expect(attempt(text, 'strict')).toBe(TYPE)
  })
  it.each(['', '{}', 'local', '{"storage":'])('has no words for %j', (text) => {
    expect(attempt(text, 'original')).toBe('')
    expect(attempt(text, 'strict')).toBe('')
  })
  it('takes a port that is a number, and keeps it one', () => {
    for (const mode of ['original', 'strict'] as const) {
      expect(post({ ...nbd, port: 1043 }, mode)).toEqual({
        type: 'nbd',
        storageJson: '{"storage":{"type":"nbd","export_name":"otherexport","ip":"192.168.1.100","port":1043}}\n',
        storageConf: 'type="nbd"\nexport_name="otherexport"\nip="192.168.1.100"\nport="1043"\n',
      })
      expect(post({ ...nbd, port: 1.5 }, mode)).toBe('Missing or invalid string for option: port. Allowed: 0123456789')
      expect(post({ ...nbd, port: -1 }, mode)).toBe('Missing or invalid string for option: port. Allowed: 0123456789')
      expect(post({ ...nbd, port: null }, mode)).toBe('Invalid value for option: port. Expected a string')
      expect(post({ ...nfs, ip: 123 }, mode)).toBe('Invalid value for option: ip. Expected a string')
    }
  })
  it('reports the first failure in the order of the members', () => {
    expect(post({ type: 'iscsi' })).toBe('Invalid string length for option: target. Allowed: >= 3 and <= 255')
    expect(post({ type: 'nfs', ip: '!', mount_options: 'a b' })).toMatch(/option: mount_options\. Allowed: .*xyz\.-=,$/)
    expect(post({ ...nfs, share: 'a b' })).toMatch(/option: share\. Allowed: .*xyz\.-_\/$/)
    expect(post({ ...iscsi, target: 'a/b' })).toMatch(/option: target\. Allowed: .*xyz\.-_:$/)
    expect(post({ ...iscsi, username: 'a b' })).toMatch(/option: username\. Allowed: !"#.*\|\}~$/)
  })
})

describe('storage as appliances take it', () => {
  it.each([{ type: 'local' }, nfs, aoe, iscsi, nbd])('takes $type', (storage) => {
    expect(post(storage)).toEqual({
      type: storage.type,
      storageJson: `${JSON.stringify({ storage })}\n`,
      storageConf: Object.entries(storage)
        .map(([key, value]) => `${key}="${value}"\n`)
        .join(''),
    })
  })
  it('keeps the order of the members', () => {
    expect(post({ device: 'e0.1', type: 'aoe' })).toMatchObject({
      storageJson: '{"storage":{"device":"e0.1","type":"aoe"}}\n',
      storageConf: 'device="e0.1"\ntype="aoe"\n',
    })
  })
  it.each([
    [{ ...nfs, ip: '999.1.1.1' }, 'Invalid address for option: ip. Expected an IPv4 or IPv6 address'],
    [{ ...nfs, share: '/../../etc' }, 'Invalid value for option: share. Expected a path without ..'],
    [{ ...nfs, mount_options: '-osuid' }, 'Invalid value for option: mount_options. Expected no dash at the start'],
    [{ ...nfs, extra: 1 }, 'Unknown option in storage: "extra". Allowed: type, mount_options, ip, share'],
    [{ type: 'local', 'evil$(id)': 'x"; id #' }, 'Unknown option in storage: "evil$(id)". Allowed: type'],
    [{ ...aoe, device: '-e0.1' }, 'Invalid value for option: device. Expected no dash at the start'],
    [
      { ...iscsi, target: 'storage' },
      'Invalid name for option: target. Expected an iSCSI name that starts with iqn, eui or naa',
    ],
    [
      { ...iscsi, target: 'iqn.2016-13.com.example' },
      'Invalid name for option: target. Expected an iSCSI name that starts with iqn, eui or naa',
    ],
    [{ ...nbd, port: '0' }, 'Invalid value for option: port. Expected a number from 1 to 65535'],
    [{ ...nbd, port: '65536' }, 'Invalid value for option: port. Expected a number from 1 to 65535'],
    [{ ...nbd, export_name: '--help' }, 'Invalid value for option: export_name. Expected no dash at the start'],
  ])('refuses %j', (storage, message) => {
    expect(post(storage)).toBe(message)
  })
  it('is refused for everything that is wrong with it, each thing once and at its member', () => {
    const errorsOf = (document: unknown, allowed?: string[]) => {
      try {
        return readStorage(JSON.stringify(document), 'strict', allowed)
      } catch (error) {
        const errors = (error as ApiError).details?.['errors'] as { field: string; message: string }[]
        expect((error as ApiError).message).toBe(errors[0]?.message)
        return errors.map(({ field }) => field)
      }
    }
    const wrong = { type: 'nfs', mount_options: 'a b', ip: '-1', share: '-a/../b', extra: 1 }
    expect(errorsOf({ storage: wrong, canary: 1 }, ['local'])).toEqual([
      ...['mount_options', 'ip', 'settings', 'storage', 'type', 'share'],
    ])
    expect(errorsOf({ storage: { ...nfs, ip: '1.2.3', share: '/../x' } })).toEqual(['ip', 'share'])
    expect(errorsOf({ storage: { ...nbd, ip: 'abc', port: '0' } })).toEqual(['ip', 'port'])
    expect(errorsOf({ storage: { ...iscsi, target: 'x-y', ip: 'abc', password: '********' } })).toEqual([
      ...['password', 'ip', 'target'],
    ])
    expect(errorsOf({ storage: { type: 'tape' } })).toEqual(['type'])
    expect(errorsOf({ storage: { type: 'iscsi' } })).toEqual(['target', 'ip', 'username', 'password'])
  })
  it.each([
    'iqn.2001-04.com.example',
    'eui.02004567A425678D',
    'naa.52004567BA64678D',
    'naa.62004567BA64678D0123456789ABCDEF',
  ])('takes the target %s', (target) => {
    expect(post({ ...iscsi, target })).toMatchObject({ type: 'iscsi' })
  })
  it('takes only the types that the appliance offers', () => {
    expect(post(nfs, 'strict', ['local', 'nfs'])).toMatchObject({ type: 'nfs' })
    expect(post(nbd, 'strict', ['nfs', 'local', 'tape'])).toBe(
      'Invalid option: type. This appliance offers: local, nfs',
    )
    expect(post(nbd, 'original', ['local'])).toMatchObject({ type: 'nbd' })
  })
  it('refuses unknown members beside the storage, and takes those that GET returns', () => {
    expect(attempt(JSON.stringify({ storage: aoe, canary: 1 }), 'strict')).toBe(
      'Unknown option in the document: "canary". Allowed: storage, options, type',
    )
    expect(attempt(JSON.stringify({ storage: aoe, options: ['local'], type: 'x' }), 'strict')).toMatchObject({
      storageJson: '{"storage":{"type":"aoe","device":"e0.1"}}\n',
    })
  })
  it('SEC-39 refuses names that reach the prototype', () => {
    expect(attempt('{"storage":{"type":"local","__proto__":{"a":1}}}', 'original')).toMatch(/^Forbidden name/)
    expect(attempt('{"storage":{"type":"__proto__"}}', 'original')).toBe(TYPE)
  })
})

describe('the iSCSI password', () => {
  const hard = { ...iscsi, password: 'p"$(id)`x`\\' }
  const stored = (post(hard) as Storage).storageJson

  it('is not shown, and everything else is, with the options last', () => {
    const shown = publicStorage(JSON.parse(stored), ['local', 'iscsi'])
    expect(JSON.stringify(shown)).toBe(
      `{"storage":${JSON.stringify({ ...iscsi, password: '********' })},"options":["local","iscsi"]}`,
    )
    expect(publicStorage({ storage: nfs, options: ['stale'] }, ['nfs'])).toEqual({ storage: nfs, options: ['nfs'] })
    expect(publicStorage(undefined, ['local'])).toEqual({ options: ['local'] })
  })
  it('is shown as the original does where that is compared', () => {
    expect(publicStorage(JSON.parse(stored), [], 'original')).toEqual({ storage: hard, options: [] })
  })
  it('is kept when what was shown comes back', () => {
    const shown = JSON.stringify(publicStorage(storedObject(stored), ['iscsi']))
    expect(attempt(shown, 'strict', ['iscsi'], stored)).toEqual(post(hard))
  })
  it.each([
    undefined,
    '',
    '{',
    '{"storage":{"type":"nfs"}}',
    '{"storage":{"type":"nbd","password":"x"}}',
    '{"storage":{"type":"iscsi"}}',
  ])('is asked for when %j is stored', (before) => {
    expect(post({ ...iscsi, password: '********' }, 'strict', undefined, before)).toBe(
      'Missing option: password. There is no stored one to keep',
    )
  })
  it('is checked again when it is kept', () => {
    const odd = JSON.stringify({ storage: { ...iscsi, password: 'a\nb=c' } })
    expect(post({ ...iscsi, password: '********' }, 'strict', undefined, odd)).toMatch(
      /^Missing or invalid string for option: password/,
    )
  })
  it('reaches a shell whole', () => {
    const { storageConf } = post(hard) as Storage
    expect(spawnSync('dash', ['-c', `${storageConf}printf %s "$password"`]).stdout.toString()).toBe(hard.password)
  })
})

describe('storage options', () => {
  it('are the list in the file, else the local disk', () => {
    expect(readStorageOptions('{"options": ["local", "nfs"]}')).toEqual(['local', 'nfs'])
    expect(readStorageOptions('{"options": ["nfs", 1]}')).toEqual(['nfs'])
    for (const text of [undefined, '', '{', '[]', '{"options":"nfs"}'])
      expect(readStorageOptions(text)).toEqual(['local'])
  })
})

const printable = fc.string({
  unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)),
  minLength: 3,
})
const text = fc.oneof(
  printable,
  fc.string({ unit: 'binary' }),
  fc.constantFrom('10.0.0.1', 'iqn.2016-01.com.example', '1043'),
)
const members = fc.dictionary(
  fc.constantFrom(
    'target',
    'ip',
    'username',
    'password',
    'share',
    'mount_options',
    'device',
    'port',
    'export_name',
    'evil',
    '$(id)',
  ),
  text,
)

describe('storage of any shape', () => {
  it.each(['strict', 'original'] as const)(
    'SEC-03 is refused in words of ours, or gives files that hold what was sent (%s)',
    (mode) => {
      let taken = 0
      const document = fc.oneof(
        fc
          .tuple(fc.constantFrom('local', 'nfs', 'aoe', 'iscsi', 'nbd', 'x'), members)
          .map(([type, rest]) => ({ type, ...rest })),
        fc.tuple(printable, printable).map(([username, password]) => ({ ...iscsi, username, password })),
        fc.jsonValue(),
      )
      fc.assert(
        fc.property(document, (storage) => {
          const answer = post(storage, mode)
          if (typeof answer === 'string') {
            expect(answer).toMatch(/^[\x20-\x7e]*$/)
            return
          }
          taken++
          expect(Object.fromEntries(parseShellAssignments(answer.storageConf))).toEqual(
            JSON.parse(answer.storageJson).storage,
          )
        }),
        { numRuns: runs(2000) },
      )
      expect(taken).toBeGreaterThan(100)
    },
  )
})
