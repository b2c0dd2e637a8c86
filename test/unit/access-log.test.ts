// The access log: a line for each request, and a bound for those who are refused as often as they like.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLog } from '../../src/http/access-log.ts'
import type { Request } from '../../src/http/surface.ts'

it('tells six hundred refusals in a minute, counts the rest, and tells every request that was served', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  try {
    const file = join(folder, 'server.log')
    const log = createLog({ level: 'info', access: true, file })
    const request = { id: 'x', method: 'GET', path: '/x', address: '192.0.2.1', started: 0 } as Request
    for (let i = 0; i < 2000; i++) log.answered(request, i % 2 === 0 ? 401 : 429)
    for (let i = 0; i < 1000; i++) log.answered(request, 200)
    log.flush()
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const count = (has: (line: { status?: number; untold?: number }) => boolean) => lines.filter(has).length
    expect([count(({ status = 0 }) => status >= 400), count(({ status }) => status === 200)]).toEqual([600, 1000])
    expect(lines.find(({ untold }) => untold !== undefined)?.untold).toBe(1400)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
