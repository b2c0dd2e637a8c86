// What is counted of every answer for /metrics.
import { expect, it } from 'vitest'
import type { Request } from '../../src/http/request.ts'
import { BOUNDS, RequestCounts } from '../../src/http/server/counts.ts'

const answer = (counts: RequestCounts, seconds: number, { status = 200, method = 'GET', template = '/pools' } = {}) =>
  counts.answered({ method, head: false, template, started: performance.now() - seconds * 1000 } as Request, status)

it('each answer is counted in every bucket that it is quick enough for, whatever its status', () => {
  const counts = new RequestCounts()
  answer(counts, 0)
  answer(counts, 0.05)
  answer(counts, 1, { status: 503 })
  answer(counts, 100)
  const [times] = counts.times()
  expect(times).toMatchObject({ method: 'GET', path: '/pools', buckets: [1, 1, 2, 2, 3, 3, 3], count: 4 })
  expect(times?.buckets).toHaveLength(BOUNDS.length)
  expect(times?.seconds).toBeCloseTo(101.05, 1)
  expect(counts.all().map(({ status, count }) => [status, count])).toEqual([
    [200, 3],
    [503, 1],
  ])
})

it('no stranger makes a label: a method that nobody knows is one of all others', () => {
  const counts = new RequestCounts()
  for (let i = 0; i < 100; i++) answer(counts, 0, { method: `M${i}`, template: '' })
  expect(counts.times()).toMatchObject([{ method: 'other', path: '', count: 100 }])
})
