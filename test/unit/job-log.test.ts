// The pages of a job's log. Whatever the offsets and limits, the pages put together are the masked log, and no page has
// a secret that the whole would not have.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { readLog } from '../../src/features/jobs/log.ts'
import { literals, redact } from '../../src/features/jobs/redact.ts'
import { type Task, taskFolder } from '../../src/tasks/task.ts'

const root = mkdtempSync(join(tmpdir(), 'edge-admin-log-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const folders = { root, sysconf: join(root, 'sysconf'), data: root, state: join(root, 'state') }
const task = (status: Task['status'], id = 'one'): Task => ({
  id,
  kind: 'k',
  status,
  progress: 0,
  message: '',
  created_at: '',
})
mkdirSync(taskFolder(folders, 'one'), { recursive: true })
mkdirSync(join(root, 'etc'))
writeFileSync(join(root, 'etc/api.token'), 'the-token-itself\n')
const file = join(taskFolder(folders, 'one'), 'log')
const page = (status: Task['status'], offset: number, limit = 65_536) => {
  const { bytes, next } = readLog(folders, task(status), offset, limit)
  return [bytes.toString(), next]
}

/** All pages, one after the other. */
function all(status: Task['status'], limit: number): string {
  let out = ''
  for (let offset = 0; ; ) {
    const { bytes, next } = readLog(folders, task(status), offset, limit)
    out += bytes.toString('latin1')
    if (next === offset) return out
    expect(next).toBeGreaterThan(offset)
    offset = next
  }
}

describe('a page of a log', () => {
  it('is whole lines from the one on that holds the offset', () => {
    writeFileSync(file, 'one\nzwölf\nthree')
    expect(page('completed', 0)).toEqual(['one\nzwölf\nthree\n', 16])
    expect(page('completed', 0, 1)).toEqual(['one\n', 4])
    expect(page('completed', 0, 5)).toEqual(['one\nzwölf\n', 11])
    expect(page('completed', 2, 3)).toEqual(['one\nzwölf\n', 11])
    expect(page('completed', 4, 1)).toEqual(['zwölf\n', 11])
    for (const offset of [16, 17, 10 ** 12]) expect(page('completed', offset)).toEqual(['', 16])
    expect(readLog(folders, task('completed', 'none'), 5, 1)).toEqual({ bytes: Buffer.alloc(0), next: 0 })
  })

  it('waits for the end of the last line while the job runs', () => {
    writeFileSync(file, 'one\npassw')
    expect(page('running', 0)).toEqual(['one\n', 4])
    expect(page('running', 4)).toEqual(['', 4])
    appendFileSync(file, 'ord=hunter2\ntwo\n')
    expect(page('running', 4)).toEqual(['password=[redacted]\ntwo\n', 25])
  })

  it('holds what may be the lines of a key until it is known, or the job has ended', () => {
    const key = `${'MIIEvQ'.repeat(10)}\n`
    writeFileSync(file, `a line\n${key}`)
    expect(page('running', 0)).toEqual(['a line\n', 7])
    expect(page('failed', 7)).toEqual([key, 68])
    appendFileSync(file, '-----END PRIVATE KEY-----\n')
    expect(page('running', 7)[0]).toBe('[redacted]\n-----END PRIVATE KEY-----\n')
  })

  it('knows the secrets of the appliance', () => {
    writeFileSync(file, 'with the-token-itself in it\n')
    expect(page('completed', 0)[0]).toBe('with [redacted] in it\n')
    // Not even when the offset points into it.
    expect(page('completed', 12)[0]).toBe('with [redacted] in it\n')
  })

  it('does not show the rest of a line that is too long to be known, and goes on behind it', () => {
    writeFileSync(file, `begin\n${'x'.repeat(300_000)} password=hunter2 ${'y'.repeat(200_000)}\nend\n`)
    const shown = all('completed', 65_536)
    expect(shown.startsWith(`begin\n${'x'.repeat(1000)}`)).toBe(true)
    expect(shown).toContain('[a line too long to be shown]')
    expect(shown).not.toContain('hunter2')
    expect(shown.endsWith('\nend\n')).toBe(true)
  })

  it('has no part of a secret at the end of a line that its reader had cut there', () => {
    const secret = 'the-token-itself'
    writeFileSync(file, `${'x'.repeat(40_000)}${secret}${'y'.repeat(100_000)}\n`)
    for (let limit = 40_000 - 32_768 - 2; limit < 40_000 - 32_768 + 20; limit++) {
      const [text] = page('completed', 0, limit)
      expect([limit, /x(?:t|the-t.*)$/.test(String(text).trimEnd())]).toEqual([limit, false])
    }
    expect(page('completed', 0, 30_000)[0]).toContain('x[redacted]y')
  })

  it('is the same log, whatever the limit', () => {
    const key = [
      '-----BEGIN PRIVATE KEY-----',
      ...Array(20).fill('MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ'),
      '-----END PRIVATE KEY-----',
    ]
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.constantFrom('done', 'token=abc', 'a the-token-itself b', 'x'.repeat(3000), ...key),
      fc.constant(key.join('\n')),
      fc.constant(key.slice(3).join('\n')),
    )
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 80, size: 'max' }),
        fc.integer({ min: 200, max: 9000 }),
        (text, limit) => {
          writeFileSync(file, `${text.join('\n')}\n`)
          const lines = Buffer.from(text.join('\n')).toString('latin1').split('\n')
          const whole = redact(lines, literals(['the-token-itself'])).shown.filter((one) => one !== undefined)
          expect(all('completed', limit)).toBe(whole.map((one) => `${one}\n`).join(''))
        },
      ),
      { numRuns: 50 },
    )
  })
})
