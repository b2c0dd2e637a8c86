// What waiting for a job comes to: done, still running, or its failure with the true kind, and who writes its entry in the audit log.
import { expect, it } from 'vitest'
import type { ErrorKind } from '../../src/errors.ts'
import { outcome, type Waiting } from '../../src/features/jobs/outcome.ts'
import type { Task } from '../../src/tasks/task.ts'

const made: Task = {
  ...{ id: 'x', kind: 'pool-create', status: 'pending', progress: 0, message: '' },
  created_at: '2026-01-01T00:00:00Z',
}
const failed = (code: string, message: string): Task => ({ ...made, status: 'failed', error: { code, message } })

/** Waits for a job that is each of `states` in turn; `last` is what it is when the request stops waiting. */
async function wait(states: Task[], more: Partial<Waiting> = {}, last?: Task) {
  const heard: string[] = []
  const tasks = {
    attend: (id: string, { event }: { event: string }) => void heard.push(`attend ${id} ${event}`),
    settle: async () => {},
    get: () => states.shift(),
    leave: () => {
      heard.push('leave')
      return last
    },
  }
  const entry = { event: 'pools.create', target: 'pools/tank', actor: 'alice', address: '192.0.2.1' }
  const waiting = { seconds: 60, isGone: () => false, object: 'tank', entry, ended: () => heard.push('ended'), ...more }
  const end = await outcome(tasks, made, waiting).catch((error: unknown) => error)
  return { end, heard }
}

it('is done once the job is, or has done enough', async () => {
  const completed: Task = { ...made, status: 'completed' }
  const heard = ['attend x pools.create', 'ended']
  expect(await wait([{ ...made, status: 'running' }, completed])).toEqual({
    end: { state: 'done', task: completed },
    heard,
  })
  const scrubbing: Task = { ...made, status: 'running', message: 'scrubbing' }
  const enough = ({ message }: Task) => message === 'scrubbing'
  expect(await wait([scrubbing], { enough })).toEqual({ end: { state: 'done', task: scrubbing }, heard })
})

it('is that the job runs when the time is over, or nobody waits; the entry is then left to the job’s end', async () => {
  const running: Task = { ...made, status: 'running' }
  for (const more of [{ seconds: 0 }, { isGone: () => true }])
    expect(await wait([], more, running)).toEqual({
      ...{ end: { state: 'running', task: running }, heard: ['attend x pools.create', 'leave'] },
    })
})

it('is the end of a job that ended as the request stopped waiting', async () => {
  const { end, heard } = await wait([], { seconds: 0 }, failed('INVALID', 'No'))
  expect([end, heard]).toMatchObject([{ kind: 'invalid' }, ['attend x pools.create', 'leave', 'ended']])
})

it.each<[code: string, words: string, kind: ErrorKind]>([
  ['INVALID', 'Not a pool name', 'invalid'],
  ['NOT_FOUND', "cannot open 'tank': no such pool", 'not-found'],
  ['BUSY', 'Another one is at work', 'locked'],
  ['CANCELLED', 'Cancelled', 'cancelled'],
  ['NO_SPACE', 'Not enough free disk space', 'no-space'],
  ['UNAVAILABLE', 'zpool is not installed', 'unavailable'],
  ['E1000', 'zpool failed without a word', 'command-failed'],
  ['CONFLICT', "cannot create 'tank': pool already exists", 'exists'],
  ['CONFLICT', '/dev/sdb is part of active pool tank', 'in-use'],
  ['CONFLICT', '/dev/sdb is in use and contains a unknown filesystem.', 'in-use'],
  ['CONFLICT', "cannot destroy 'tank/a': filesystem has children", 'in-use'],
  ['CONFLICT', "cannot export 'tank': pool is busy", 'busy'],
  ['CONFLICT', 'tank/a@new was made meanwhile: ask again', 'changed'],
  ['CONFLICT', 'tank/a@one was destroyed or made again meanwhile: ask again', 'changed'],
  ['CONFLICT', 'The pool would be mounted over the system: /etc', 'failed-precondition'],
])('of a script that fails with %s, "%s", is: %s', async (code, words, kind) => {
  const { end, heard } = await wait([failed(code, words)])
  expect(end).toMatchObject({ name: 'ApiError', kind, message: words, details: { object: 'tank' } })
  expect(heard).toEqual(['attend x pools.create', 'ended'])
})

it('is a failure without a code or words of a job that died', async () => {
  const { end } = await wait([{ ...made, status: 'interrupted' }])
  expect(end).toMatchObject({ kind: 'command-failed', message: 'The job interrupted' })
})

it('has no secret in its words', async () => {
  const { end } = await wait([failed('E1000', 'password=hunter22')])
  expect((end as Error).message).toBe('password=[redacted]')
})
