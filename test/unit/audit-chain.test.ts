// The audit log's writer: what it leaves behind after a clean end, a kill, a full disk and other hands. A log that
// verifies only because nothing is in it proves nothing, so each test also counts.
import { spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EntryDropped } from '../../src/store/audit/chain.ts'
import { clean, entryBody, readBody } from '../../src/store/audit/record.ts'
import { until } from '../api/client.ts'
import { ENTRY, SampleLog } from './audit-log.ts'

const open: SampleLog[] = []
const sample = (options = {}) => {
  const log = new SampleLog(options)
  open.push(log)
  return log
}
afterEach(() => {
  for (const log of open.splice(0)) log.remove()
})
/** Not through tsx's own program: that starts another process, and a signal would reach only the first. */
const program = (name: string) => [
  '--import',
  resolve(import.meta.dirname, '../../node_modules/tsx/dist/loader.mjs'),
  resolve(import.meta.dirname, name),
]
const actions = (log: SampleLog) =>
  log
    .all()
    .filter(({ actor }) => actor === 'system')
    .map(({ action, message }) => [action, message])

describe('an entry', () => {
  it('comes back as it was, without what it did not have', () => {
    const entry = { ...ENTRY, seq: 1, time: '2026-01-01T00:00:00.000Z' }
    expect(readBody(entryBody(entry))).toEqual(entry)
    expect(entryBody({ ...entry, name: undefined, message: undefined })).not.toMatch(/name|message/)
  })
  it('holds no control character, no line end and no text that never ends', () => {
    const agent = `evil\r\n12 aa {"seq":9}\u001b[2J\u202e\u2028\u0085\ud800 "q" \\ ${'x'.repeat(9000)}`
    const body = entryBody({ ...ENTRY, seq: 1, time: '', agent })
    expect(body).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
    expect(body.length).toBeLessThan(600)
    expect(readBody(body)).toMatchObject({
      agent: expect.stringMatching(/^evil\?\?12 aa \{"seq":9\}\?\[2J\?\?\?\? "q"/),
    })
    expect(clean('plain', 3)).toBe('pl…')
  })
})

describe('the audit log', () => {
  it('numbers its entries and begins with a checkpoint, ends with one at a clean close, and is not for everybody', () => {
    const log = sample()
    log.fill(3)
    log.chain.close()
    expect(log.all().map(({ seq, resource }) => [seq, resource])).toEqual([
      [2, 'pools/p1'],
      [3, 'pools/p2'],
      [4, 'pools/p3'],
    ])
    expect(log.verify()).toEqual({ checked: 5, first: 1, last: 5, signed: 5 })
    expect(log.errors).toEqual([])
    for (const name of readdirSync(log.folder))
      expect([name, statSync(join(log.folder, name)).mode & (name === 'audit.pub' ? 0o022 : 0o027)]).toEqual([name, 0])
    expect(statSync(join(log.base, 'audit.key')).mode & 0o777).toBe(0o600)
  })

  it('goes on where it was after a clean end, and says nothing about it', () => {
    const log = sample()
    for (let i = 0; i < 3; i++) {
      log.fill(2, i * 10)
      log.restart()
    }
    expect(actions(log)).toEqual([])
    expect(log.all()).toHaveLength(6)
    expect(log.verify().bad).toBeUndefined()
  })

  it('makes nothing and needs no folder before something is entered', () => {
    const log = sample()
    log.chain.close()
    expect(readdirSync(log.base)).toEqual([])
    expect(log.chain.find({ limit: 10 })).toEqual([])
  })

  it('signs after so many entries, and after a while when there were fewer', async () => {
    const many = sample({ every: 5 })
    many.fill(12)
    expect(many.verify()).toEqual({ checked: 15, first: 1, last: 15, signed: 13 })
    const few = sample({ signAfter: 20 })
    few.fill(1)
    await until('the timer signs', () => few.verify().signed === 3)
  })

  it('fills one segment after the other, and removes the oldest with a signature on what is left', () => {
    const log = sample({ segment: 4096, size: 40_000 })
    log.fill(600)
    const { length } = log.segments
    expect(length).toBeGreaterThan(4)
    const total = readdirSync(log.folder).reduce((sum, name) => sum + statSync(join(log.folder, name)).size, 0)
    expect(total).toBeLessThan(48_000)
    log.chain.close()
    const report = log.verify()
    expect(report.bad).toBeUndefined()
    expect(report.first).toBeGreaterThan(100)
    expect(report.last).toBeGreaterThan(600)
    log.restart()
    expect(log.chain.find({ limit: 1 })[0]?.resource).toBe('pools/p600')
    expect(actions(log)).toEqual([])
  })

  it('stops over a key that is none, and never replaces it', () => {
    const log = sample()
    writeFileSync(join(log.base, 'audit.key'), 'not a key\n')
    log.fill(2)
    expect(log.errors.map(String)).toEqual([expect.stringMatching(/audit\.key: not an Ed25519 private key/)])
    expect(readFileSync(join(log.base, 'audit.key'), 'utf8')).toBe('not a key\n')
  })
})

describe('a log that was left in the middle', () => {
  it('loses nothing that was entered to kill -9', async () => {
    const base = mkdtempSync(join(tmpdir(), 'edge-audit-kill-'))
    try {
      const said = () => statSync(join(base, 'said'), { throwIfNoEntry: false })?.size ?? 0
      for (let round = 1; round <= 3; round++) {
        const child = spawn(process.execPath, [...program('audit-appender.ts'), base], { stdio: 'inherit' })
        const gone = new Promise((done) => child.once('close', done))
        await until('entries are written', () => said() > 400 * round)
        child.kill('SIGKILL')
        await gone
      }
      const entered = said()
      const log = sample({ base })
      log.chain.start()
      log.chain.close()
      const all = log.chain.find({ limit: 1e6 }).filter(({ actor }) => actor === 'user-1')
      // The last one of each round may have been entered before it was said.
      expect(all.length - entered).toBeGreaterThanOrEqual(0)
      expect(all.length - entered).toBeLessThanOrEqual(3)
      const checked = log.verify()
      expect(checked.bad).toBeUndefined()
      expect(checked.checked).toBeGreaterThan(entered)
    } finally {
      rmSync(base, { recursive: true, force: true })
    }
  })

  it.each(['audit-segment', 'audit-signed', 'audit-synced', 'audit-rotated'])(
    'is whole after a kill at %s',
    async (point) => {
      const log = sample({ segment: 8192, every: 7 })
      log.fill(10)
      log.chain.close()
      const before = log.all().length
      const { checkpoint } = log
      const env = { ...process.env, EDGE_FAULT: `${point}=kill` }
      const child = spawn(process.execPath, [...program('audit-appender.ts'), log.base], { stdio: 'inherit', env })
      await new Promise((done) => child.once('close', done))
      expect(child.signalCode).toBe('SIGKILL')
      // The file names a checkpoint only once that is on the disk: until then, the one before.
      if (point === 'audit-signed' || point === 'audit-synced') expect(log.checkpoint).toBe(checkpoint)
      log.chain = log.open()
      log.chain.start()
      log.fill(1)
      log.chain.close()
      const entered = statSync(join(log.base, 'said')).size
      expect(log.all().length - before - entered - 1).toBeGreaterThanOrEqual(0)
      expect(actions(log)).toEqual([])
      expect(log.verify().bad).toBeUndefined()
    },
  )

  it('cuts off a torn entry, warns of it, and enters that it did', () => {
    const told: string[] = []
    const log = sample({ found: (text: string) => told.push(text) })
    log.fill(3)
    const [file = ''] = log.segments
    const whole = readFileSync(file)
    for (const torn of ['2', '231 abc', `${'0'.repeat(40)}\0\0\0`, whole.subarray(-100, -1).toString()]) {
      appendFileSync(file, torn)
      log.chain = log.open()
      log.chain.start()
      expect(actions(log).at(-1)).toEqual(['audit.torn', `${torn.length} bytes of an unfinished entry were cut off`])
    }
    log.chain.close()
    expect(told).toHaveLength(4)
    expect(told[0]).toBe('audit.torn: 1 bytes of an unfinished entry were cut off')
    expect(log.verify().bad).toBeUndefined()
    expect(log.all()).toHaveLength(3 + 4)
  })

  it('forgets a segment of which nothing came to the disk', () => {
    const log = sample({ segment: 2048 })
    log.fill(20)
    log.chain.close()
    writeFileSync(join(log.folder, `${String(log.verify().last + 1).padStart(12, '0')}.log`), '')
    log.restart()
    expect(actions(log)).toEqual([])
    log.fill(1)
    expect(log.verify().bad).toBeUndefined()
  })

  it('that lost what was signed says so, and never gives a number out twice', () => {
    const log = sample({ every: 5 })
    log.fill(9)
    log.chain.close()
    const [file = ''] = log.segments
    const lines = SampleLog.lines(readFileSync(file))
    truncateSync(file, lines.slice(0, 4).join('').length)
    log.restart()
    expect(actions(log)).toEqual([['audit.lost', `entries 5 to ${lines.length} are missing`]])
    log.fill(1)
    log.chain.close()
    // What is missing stays found, whatever is signed after it.
    expect(log.verify().bad).toEqual({
      entry: 5,
      problem: `missing: entry ${lines.length + 1} stands in its place`,
      file: '000000000001.log',
    })
  })

  it('that was removed while it was written goes on, and says what is missing', () => {
    const log = sample()
    log.fill(3)
    rmSync(log.folder, { recursive: true })
    log.chain.sign()
    log.fill(1, 9)
    expect(actions(log)).toEqual([['audit.lost', 'entries 1 to 4 are missing']])
    expect(log.all().at(-1)?.resource).toBe('pools/p9')
    expect(log.verify().bad).toMatchObject({ entry: 1 })
  })

  it('that was removed with its last checkpoint while nobody wrote tells by its key', () => {
    const log = sample()
    log.fill(3)
    log.chain.close()
    rmSync(log.folder, { recursive: true })
    log.restart()
    expect(actions(log)).toEqual([['audit.lost', 'there was no log, although its key was there']])
  })

  it('whose last checkpoint or key was replaced says so', () => {
    const log = sample()
    log.fill(1)
    log.chain.close()
    writeFileSync(join(log.folder, 'checkpoint'), log.checkpoint.replace('"first":1', '"first":2'))
    log.restart()
    expect(actions(log).map(([action]) => action)).toEqual(['audit.checkpoint'])
    log.chain.close()
    rmSync(join(log.base, 'audit.key'))
    log.restart()
    expect(actions(log).map(([action]) => action)).toEqual(['audit.checkpoint', 'audit.key', 'audit.checkpoint'])
  })
})

describe('a log that cannot be written', () => {
  it('counts what it could not enter, tells once, and enters the gap when it can', async () => {
    const log = sample()
    writeFileSync(log.folder, 'in the way')
    log.fill(3)
    expect(log.errors).toHaveLength(1)
    rmSync(log.folder)
    let tried = 3
    await until('the log is opened again', () => {
      log.fill(1, ++tried)
      return log.segments.length > 0
    })
    const [gap, entry] = log.all()
    expect([gap?.action, gap?.result]).toEqual(['audit.gap', 'failure'])
    expect(gap?.message).toMatch(new RegExp(`^${tried - 1} entries could not be written since 20`))
    expect(entry?.resource).toBe(`pools/p${tried}`)
    expect(log.verify().bad).toBeUndefined()
  })

  it('refuses to call an entry safe that it dropped, and only that one', async () => {
    const log = sample()
    mkdirSync(join(log.folder, 'checkpoint'), { recursive: true })
    log.fill(1)
    await expect(log.chain.synced()).rejects.toBeInstanceOf(EntryDropped)
    rmSync(join(log.folder, 'checkpoint'), { recursive: true })
    vi.spyOn(performance, 'now').mockReturnValue(1e9)
    log.fill(1)
    vi.restoreAllMocks()
    await log.chain.synced()
  })

  it('that cannot be begun tells of nothing but the gap, however often it was tried', () => {
    const log = sample()
    mkdirSync(join(log.folder, 'checkpoint'), { recursive: true })
    const clock = vi.spyOn(performance, 'now')
    for (const now of [1e9, 2e9, 3e9]) {
      clock.mockReturnValue(now)
      log.fill(1)
    }
    clock.mockRestore()
    expect(log.segments).toEqual([])
    rmSync(join(log.folder, 'checkpoint'), { recursive: true })
    vi.spyOn(performance, 'now').mockReturnValue(4e9)
    log.fill(1)
    vi.restoreAllMocks()
    expect(actions(log)).toEqual([['audit.gap', expect.stringMatching(/^3 entries /)]])
    expect(log.verify().bad).toBeUndefined()
  })

  it('on a full disk keeps what it had, whole, and enters the gap once there is room', () => {
    const base = mkdtempSync(join(tmpdir(), 'edge-audit-full-'))
    try {
      mkdirSync(base, { recursive: true })
      if (process.getuid?.() !== 0 || spawnSync('unshare', ['-m', 'true']).status !== 0) {
        console.log('left out: a full disk needs root and unshare(1) to mount a small tmpfs')
        return
      }
      const command = 'mount -t tmpfs -o size=1m,mode=755 tmpfs "$1" && exec "$2" "$3" "$4" "$5" "$1"'
      const { stdout, stderr } = spawnSync(
        'unshare',
        ['-m', 'sh', '-c', command, 'sh', base, process.execPath, ...program('audit-full-disk.ts')],
        { encoding: 'utf8', timeout: 50_000 },
      )
      expect(stderr).toBe('')
      const told = JSON.parse(stdout)
      expect(told).toMatchObject({ before: 50, after: 3, bad: null })
      expect(told.lost).toBe(told.missing)
      expect(told.lost).toBeGreaterThan(1000)
      expect(new Set(told.errors)).toEqual(new Set(['ENOSPC']))
    } finally {
      rmSync(base, { recursive: true, force: true })
    }
  })
})
