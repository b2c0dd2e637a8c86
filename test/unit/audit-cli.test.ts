// `edge-admin audit`: what a person sees, on the machine of the log and on another one. SEC-32. Exit status and message
// are the whole answer, so each failure is looked for in both.
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../src/cli/cli.ts'
import { ENTRY, SampleLog } from './audit-log.ts'

let log: SampleLog
let elsewhere: string
beforeEach(() => {
  log = new SampleLog({ segment: 3000 })
  log.fill(40)
  log.chain.append({
    ...ENTRY,
    actor: 'nobody',
    name: undefined,
    action: 'auth.login',
    resource: 'auth/login',
    result: 'failure',
    message: '401',
  })
  log.chain.close()
  elsewhere = mkdtempSync(join(tmpdir(), 'edge-audit-elsewhere-'))
})
afterEach(() => {
  log.remove()
  rmSync(elsewhere, { recursive: true, force: true })
})

async function audit(...args: string[]) {
  const text = { out: '', err: '' }
  const sink = (name: 'out' | 'err') =>
    new PassThrough().on('data', (chunk) => {
      text[name] += chunk
    })
  const status = await run(['audit', ...args], { stdout: sink('out'), stderr: sink('err'), env: {} })
  return { status, ...text }
}
const state = () => ['--statedir', log.base]
const lines = (text: string) => text.split('\n').slice(0, -1)

describe('edge-admin audit verify', () => {
  it('says what is good, up to which record, and whose key it was', async () => {
    const { status, out, err } = await audit('verify', ...state())
    expect(status).toBe(0)
    expect(out).toMatch(/^good: (\d+) records, 1 to \1, signed up to \1\nkey: [0-9a-f]{64}\n$/)
    expect(err).toMatch(/--key/)
    // A server that runs has entries that are not signed yet.
    log.restart()
    log.fill(2)
    expect((await audit('verify', ...state())).out).toMatch(/^good: .*\nnot signed yet: \d+ to \d+\n/)
  })

  it('needs no more than a copy of the folder and the key that was kept', async () => {
    const copy = join(elsewhere, 'copy')
    const key = join(elsewhere, 'kept.pem')
    const kept = join(elsewhere, 'kept.checkpoint')
    writeFileSync(key, (await audit('key', ...state())).out)
    cpSync(log.folder, copy, { recursive: true })
    renameSync(join(copy, 'checkpoint'), kept)
    for (const name of readdirSync(copy)) if (!name.endsWith('.log')) rmSync(join(copy, name))
    expect(await audit('verify', copy, '--key', key)).toMatchObject({ status: 0, err: '' })
    expect(await audit('verify', copy, '--key', key, '--checkpoint', kept)).toMatchObject({ status: 0, err: '' })
    const files = readdirSync(copy)
      .sort()
      .map((name) => join(copy, name))
    expect(files.length).toBeGreaterThan(3)
    expect(await audit('verify', ...files.slice(1).reverse(), '--key', key, '--checkpoint', kept)).toMatchObject({
      status: 0,
    })
    // Without the last segment nothing in the folder tells; what was kept does.
    rmSync(files.at(-1) ?? '')
    expect(await audit('verify', copy, '--key', key)).toMatchObject({ status: 0 })
    const { status, out, err } = await audit('verify', copy, '--key', key, '--checkpoint', kept)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(
      new RegExp(`^edge-admin audit: entry ${Number.parseInt(basename(files.at(-1) ?? ''), 10)}: missing`),
    )
  })

  it('does not call a log good that begins late, and says how much is gone since a kept checkpoint', async () => {
    const long = new SampleLog({ segment: 4096, size: 40_000, every: 50 })
    try {
      long.fill(60)
      long.chain.sign()
      const [kept, middle] = [join(elsewhere, 'old.checkpoint'), join(elsewhere, 'middle.checkpoint')]
      writeFileSync(kept, long.checkpoint)
      const verify = async (...more: string[]) => (await audit('verify', '--statedir', long.base, ...more)).out
      expect(await verify('--checkpoint', kept)).toMatch(
        /^good: .*\nof the (\d+) records up to the checkpoint that was kept \(1 to \1\), none is gone\n/,
      )
      long.fill(100, 100)
      long.chain.sign()
      writeFileSync(middle, long.checkpoint)
      long.fill(30, 300)
      long.chain.close()
      const { first, last } = long.verify()
      expect(first).toBeGreaterThan(2)
      const seq = Number(/"seq":(\d+)/.exec(readFileSync(middle, 'utf8'))?.[1])
      expect([first < seq, last > seq]).toEqual([true, true])
      expect(await verify('--checkpoint', middle)).toMatch(
        new RegExp(
          `^good from entry ${first}; entries 1 to ${first - 1} were rotated out: \\d+ records, ${first} to ${last}, .*\nof the .* up to .* kept `,
        ),
      )
      expect(await verify('--checkpoint', kept)).toMatch(/\(1 to (\d+)\), (?:all are gone|\d+ are gone \(1 to \d+\))\n/)
      long.chain = long.open()
      long.fill(600, 1000)
      long.chain.close()
      expect(await verify('--checkpoint', kept)).toMatch(/ \(1 to \d+\), all are gone\n/)
      const [, second = ''] = long.segments
      expect((await audit('verify', second)).out).toMatch(/^good from entry \d+; entries 1 to \d+ were not looked at: /)
    } finally {
      long.remove()
    }
  })

  it('names the first bad entry and its file, and ends with 1', async () => {
    const [, file = ''] = log.segments
    const bytes = readFileSync(file)
    const at = bytes.indexOf('pools/p1', 900)
    const seq = Number(/"seq":(\d+)/.exec(bytes.subarray(bytes.lastIndexOf(10, at)).toString())?.[1])
    bytes.write('POOLS', at)
    writeFileSync(file, bytes)
    expect(await audit('verify', ...state())).toEqual({
      status: 1,
      out: '',
      err: `edge-admin audit: entry ${seq} (${basename(file)}): changed: its digest is another\n`,
    })
    appendFileSync(log.segments[0] ?? '', 'x\n')
    expect((await audit('verify', ...state())).err).toMatch(/: damaged\n$/)
  })

  it('refuses wrong words with 64, and what is not there with 1', async () => {
    for (const [args, status, line] of [
      [[], 64, /an action is missing/],
      [['prune'], 64, /unknown action prune/],
      [['verify', '--statedir', log.base, log.folder], 64, /not both/],
      [['list', '--limit', '0'], 64, /--limit: expected a whole number/],
      [['list', '--since', 'soon'], 64, /--since: expected a time/],
      [['list', '--result', 'perhaps'], 64, /success or failure/],
      [['verify', join(elsewhere, 'nowhere')], 1, /nowhere: no such file/],
      [['verify', elsewhere], 1, /audit\.pub: no such file/],
      [['verify', elsewhere, '--key', join(log.folder, 'audit.pub')], 1, /there is no audit log/],
      [['verify', ...state(), '--key', join(log.base, 'audit.key')], 1, /audit\.key: not an Ed25519 public key/],
      [['key', '--statedir', elsewhere], 1, /audit\.pub: no such file/],
    ] as [string[], number, RegExp][]) {
      const result = await audit(...args)
      expect([args, result.status, result.out]).toEqual([args, status, ''])
      expect(result.err).toMatch(line)
      expect(lines(result.err)).toHaveLength(1)
    }
  })
})

describe('edge-admin audit list', () => {
  it('prints the newest first, one a line, with the same filters as the API', async () => {
    const all = lines((await audit('list', ...state())).out)
    expect(all).toHaveLength(41)
    expect(all[0]).toMatch(
      /^20\S+Z {2}audit-\d+ {2}failure {2}auth\.login {2}auth\/login {2}nobody {2}192\.0\.2\.1 {2}401$/,
    )
    expect(all[1]).toMatch(/ {2}success {2}pools\.create {2}pools\/p40 {2}alice \(user-1\) {2}192\.0\.2\.1$/)
    expect(lines((await audit('list', ...state(), '--resource', 'pools/p7')).out)).toHaveLength(1)
    expect(lines((await audit('list', ...state(), '--actor', 'alice', '--limit', '3')).out)).toEqual(all.slice(1, 4))
    expect(lines((await audit('list', ...state(), '--result', 'failure', '--action', 'auth.login')).out)).toEqual(
      all.slice(0, 1),
    )
    const third = /audit-\d+/.exec(all[2] ?? '')?.[0] ?? ''
    expect(lines((await audit('list', ...state(), '--before', third)).out)).toEqual(all.slice(3))
    expect((await audit('list', ...state(), '--until', '2001-01-01T00:00:00Z')).out).toBe('')
    const [json = ''] = lines((await audit('list', ...state(), '--json', '--limit', '1')).out)
    expect(JSON.parse(json)).toMatchObject({ actor: 'nobody', action: 'auth.login', message: '401' })
  })

  it('writes nothing, and lets no control character through', async () => {
    const before = readdirSync(log.folder)
    for (const name of before.filter((one) => one.endsWith('.index'))) rmSync(join(log.folder, name))
    const last = log.segments.at(-1) ?? ''
    const body = JSON.stringify({ ...ENTRY, seq: 99, time: '2026-01-01T00:00:00.000Z', message: '\u001b[2J\nline' })
    appendFileSync(last, `${body.length} ${'0'.repeat(64)} ${body}\n`)
    const { out } = await audit('list', ...state(), '--limit', '1')
    expect(out).toMatch(/audit-99 .*\?\[2J\?line\n$/)
    expect(out).not.toMatch(/[^\x20-\x7e\n]/)
    expect(readdirSync(log.folder).filter((name) => name.endsWith('.index'))).toEqual([])
  })
})

describe('edge-admin audit key', () => {
  it('prints the public key, and its fingerprint for people', async () => {
    const { status, out, err } = await audit('key', ...state())
    expect(status).toBe(0)
    expect(out).toBe(readFileSync(join(log.folder, 'audit.pub'), 'utf8'))
    expect((await audit('verify', ...state())).out).toContain(`key: ${/^SHA-256 (\w{64})\n$/.exec(err)?.[1]}`)
  })
})
