// The access log: a line for each request, and a bound for those who are refused as often as they like.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import type { Request } from '../../src/http/request.ts'
import { createLog } from '../../src/http/server/access-log.ts'

const request = { id: 'x', method: 'GET', path: '/x', address: '192.0.2.1', started: 0 } as Request

/** The lines of a log that this was done with. */
function linesOf(act: (log: ReturnType<typeof createLog>) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  try {
    const file = join(folder, 'server.log')
    const log = createLog({ level: 'info', access: true, file })
    act(log)
    log.flush()
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

it('tells six hundred refusals in a minute, counts the rest, and tells every request that was served', () => {
  const lines = linesOf(({ answered }) => {
    for (let i = 0; i < 2000; i++) answered(request, i % 2 === 0 ? 401 : 429)
    for (let i = 0; i < 1000; i++) answered(request, 200)
  })
  const count = (has: (line: { status?: number; untold?: number }) => boolean) => lines.filter(has).length
  expect([count(({ status = 0 }) => status >= 400), count(({ status }) => status === 200)]).toEqual([600, 1000])
  expect(lines.find(({ untold }) => untold !== undefined)?.untold).toBe(1400)
})

it('what the caller did wrong is a refusal, whatever status its dialect has for that', () => {
  const lines = linesOf(({ answered }) => {
    answered(request, 510, new ApiError('invalid', 'No such size'))
    answered(request, 510, new ApiError('command-failed', 'zfs failed'))
  })
  expect(lines.filter(({ level }) => level === 50).map(({ err }) => err.message)).toEqual(['zfs failed'])
})

it('a fault is told with its cause; what a stranger can be answered as often as he likes is a refusal', () => {
  const comeBack = new ApiError('unavailable', 'Too many logins at once', { retryAfter: 5 })
  const lines = linesOf(({ answered }) => {
    for (let i = 0; i < 300; i++) {
      answered(request, 503, comeBack)
      answered(request, 501, new ApiError('not-implemented', ''))
      answered(request, 505, new ApiError('wrong-version', ''))
    }
    answered(request, 500, new Error('a bug'))
    answered(request, 503, new ApiError('unavailable', 'smbd is not installed'))
  })
  expect(lines.filter(({ level }) => level === 50).map(({ err }) => err.message)).toEqual([
    'a bug',
    'smbd is not installed',
  ])
  expect(lines.filter(({ status }) => status === 501 || status === 505 || status === 503)).toHaveLength(601)
  expect(lines.find(({ untold }) => untold !== undefined)?.untold).toBe(300)
})
