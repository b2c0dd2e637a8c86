// What the server masks in a job's log is what scripts/redact.awk masks in a support file. The rules are written down
// twice, once for each, so here the same lines go through both.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { literals, redact } from '../../src/features/jobs/redact.ts'
import { namedValues, secretsOf } from '../../src/features/jobs/secrets.ts'

const AWK = join(dirname(fileURLToPath(import.meta.url)), '../../scripts/redact.awk')
const folder = mkdtempSync(join(tmpdir(), 'edge-admin-redact-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function byAwk(lines: string[], secrets: string[]): string {
  const file = join(folder, 'secrets')
  writeFileSync(file, secrets.map((secret) => `${secret}\n`).join(''), 'latin1')
  const { stdout, status } = spawnSync('awk', ['-v', `secrets=${file}`, '-f', AWK], {
    input: Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1'),
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    encoding: 'latin1',
  })
  expect(status).toBe(0)
  return stdout
}
const byUs = (lines: string[], secrets: string[]) =>
  redact(lines, literals(secrets))
    .shown.filter((line) => line !== undefined)
    .map((line) => `${line}\n`)
    .join('')

describe('a log line', () => {
  const secrets = ['hunter2', 'a/b c', 'hunter22', 'xy', 'pä$s']
  const piece = fc.constantFrom(
    ...[
      'hunter2',
      'a/b c',
      'a%2fb%20c',
      'a%2Fb%20c',
      'hunter22',
      'p%C3',
      'token=',
      'TOKEN=',
      'hash=',
      'secret = ',
      '"secret": ',
      "'token':",
    ],
    ...[
      'password=',
      'Password: ',
      'passwd = ',
      'passw',
      '=',
      ' = ',
      ': ',
      'Bearer ',
      'bearer\t',
      'Authorization: ',
      'x-auth-key=',
      'Cookie',
    ],
    ...[
      '"',
      "'",
      '\\"',
      '\\',
      ' ',
      '\t',
      '&',
      ';',
      ',',
      ')',
      '}',
      ']',
      'value',
      'Wort',
      'é',
      '\xe4',
      '\xff',
      'phrase\\":',
      '-----',
    ],
    ...[
      '-----BEGIN PRIVATE KEY-----',
      '-----END PRIVATE KEY-----',
      '-----BEGIN EC PRIVATE KEY-----',
      'MIIEvQIBADANBg',
      'AAAA==',
      'done',
    ],
  )
  const bytes = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 30,
  })
  const line = fc
    .oneof(
      { weight: 4, arbitrary: fc.array(piece, { maxLength: 10, size: 'max' }).map((parts) => parts.join('')) },
      { weight: 1, arbitrary: bytes },
    )
    .map((text) => text.replaceAll('\n', ' '))

  it('is masked as redact.awk masks it', () => {
    const lines = fc.array(line, { minLength: 1, maxLength: 180, size: 'max' })
    fc.assert(
      fc.property(lines, (text) => {
        expect(byUs(text, secrets)).toBe(byAwk(text, secrets))
      }),
      { numRuns: 150 },
    )
  })

  it('shows nothing of a private key, whole or without its first line', () => {
    const key = Array.from({ length: 30 }, (_, i) => `${'MIIEvQ'.repeat(10)}${i}`)
    const begin = ['a', '-----BEGIN RSA PRIVATE KEY-----']
    const end = ['-----END RSA PRIVATE KEY-----', 'b']
    for (const lines of [
      [...begin, ...key, ...end],
      ['a', ...key, ...end],
      ['a', 'word', ...key, ...end],
    ]) {
      const shown = byUs(lines, [])
      expect(shown).not.toContain('MIIEvQ')
      expect(shown).toBe(byAwk(lines, []))
    }
    expect(redact(['a line', ...key], []).open).toBe(30)
    expect(redact(['a line', 'word'], []).open).toBe(0)
  })
})

describe('the secrets of an appliance', () => {
  it('are the tokens, the keys, the one-time password and every value whose name sounds secret', () => {
    const root = join(folder, 'root')
    const folders = { root, sysconf: join(root, 'sysconf'), data: join(root, 'data'), state: join(root, 'state') }
    for (const path of ['etc', 'sysconf/pki/tls/private', 'state/secrets'])
      mkdirSync(join(root, path), { recursive: true })
    const write = (name: string, text: string) => writeFileSync(join(root, name), text)
    write('etc/api.token', 'sha256 digestdigest\n')
    write('etc/api.token.setup', 'set-up-token\r\n')
    write('etc/updates.key', 'the update key\n')
    write('etc/app.json', '{"a":{"db_password": "quo\\"ted","plain":"no"},"apiToken":"t0ken"}')
    write('sysconf/storage.conf', "CHAP_SECRET='chap secret'\nUSER=nobody\n")
    write('sysconf/pki/tls/private/enterprise.key', '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n')
    write('state/admin.password', 'one-time-1\n')
    write('state/secrets/other', 'sixteen-letters-x\n')
    expect(secretsOf(folders)).toEqual(
      expect.arrayContaining([
        ...['digestdigest', 'set-up-token', 'the update key', 'quo\\"ted', 'quo"ted', 't0ken', 'chap secret'],
        ...['MIIEvQIBADANBgkqhkiG', 'one-time-1', 'sixteen-letters-x'],
      ]),
    )
    expect(secretsOf(folders)).not.toEqual(expect.arrayContaining(['nobody']))
    expect(secretsOf(folders)).not.toEqual(expect.arrayContaining(['short']))
    expect(secretsOf({ ...folders, root: '/nowhere', sysconf: '/nowhere', state: '/nowhere' })).toEqual([])
  })

  it('are found however they are written', () => {
    expect(namedValues('password: abc, token=def}\nsecret="x')).toEqual(['abc', 'def', 'x', 'x'])
  })
})
