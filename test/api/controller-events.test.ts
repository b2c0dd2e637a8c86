// GET /jobs/events and /jobs/{id}/log. Tasks here are files that the test writes, as scripts would, so that every
// change is known; a job that says it runs and holds no lock is one that died, so what is to stay open holds its lock.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { UserStore } from '../../src/auth/users.ts'
import type { Folders } from '../../src/folders.ts'
import { type InProcess, type Options, startAppliance, startServer } from './appliance.ts'
import { call, until } from './client.ts'
import { addCaller, ask, type Caller, ON } from './controller.ts'
import { Reader } from './events.ts'
import { newTaskId, putTask } from './task-files.ts'

const FAST: Options = {
  config: {
    surfaces: { controller: { enabled: true, 'requests-per-minute': 0 } },
    listen: { 'heartbeat-seconds': 1 },
  },
}
let appliance: InProcess
let viewer: Caller
let holder: ChildProcess
const readers: Reader[] = []
const read = (lastEventId?: string, { url = appliance.url, token = viewer.token, deaf = false } = {}) => {
  const reader = new Reader(url, token, lastEventId, { deaf })
  readers.push(reader)
  return reader
}
beforeAll(async () => {
  appliance = await startAppliance(FAST)
  viewer = await addCaller(appliance.folders, 'viewer')
  // Whatever runs here holds this lock.
  const lock = join(appliance.folders.state, 'locks/held.lock')
  holder = spawn('flock', [lock, 'sleep', '600'], { stdio: 'ignore', detached: true })
  await until('the lock is held', () => appliance.app.tasks.isRunning('held'))
})
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close()
})
afterAll(async () => {
  if (holder?.pid) process.kill(-holder.pid, 'SIGKILL')
  await appliance?.close()
})

const newId = newTaskId
const put = (id: string, status: string, more: object = {}, folders: Folders = appliance.folders) =>
  putTask(folders, id, status, more)
const reached = (reader: Reader, id: string, wanted: object) =>
  until(`the reader hears of ${id}`, () => {
    const job = reader.jobs[id]
    return job && Object.entries(wanted).every(([name, value]) => job[name] === value)
  })

describe('a reader of events', () => {
  it('hears of every job as it is, then of every change, with ids and signs of life', async () => {
    const [old, now] = [put(newId(), 'completed'), put(newId(), 'running')]
    const reader = read()
    await reached(reader, now, { status: 'running' })
    expect(reader.events[0]).toMatchObject({ name: 'reset', data: { jobs: expect.any(Number) } })
    expect(reader.jobs[old]).toEqual(
      (await ask(appliance.url, 'GET', `/api/v1/jobs/${old}`, { bearer: viewer.token })).json,
    )
    put(now, 'running', { progress: 50 })
    await reached(reader, now, { progress: 50 })
    const next = put(newId(), 'pending')
    await reached(reader, next, { status: 'pending' })
    put(now, 'completed', { progress: 100 })
    await reached(reader, now, { status: 'completed' })
    const ids = reader.events.slice(reader.events[0]?.data.jobs).map(({ id }) => id)
    for (const id of ids) expect(id).toMatch(/^[\w;~-]+$/)
    expect(new Set(ids).size).toBe(ids.length)
    await until('a sign of life', () => reader.text.includes('\n\n: \n\n'))
    const { headers, status } = await call(appliance.url, 'GET', '/api/v1/jobs/events', {
      headers: { authorization: `Bearer ${viewer.token}` },
    })
    expect([status, headers['content-type'], headers['cache-control'], headers['x-content-type-options']]).toEqual([
      200,
      'text/event-stream',
      'no-store',
      'nosniff',
    ])
    put(next, 'cancelled')
  })

  it('that comes back hears what it missed and nothing else; one that was away for too long hears everything', async () => {
    const open = put(newId(), 'running')
    const first = read()
    await reached(first, open, { status: 'running' })
    await until('it knows where it is', () => first.lastId)
    first.close()
    put(open, 'completed')
    const [a, b] = [put(newId(), 'failed', { message: 'no' }), put(newId(), 'running')]
    const second = read(first.lastId)
    await reached(second, b, { status: 'running' })
    expect(second.events.map(({ name, data }) => [name, data.id, data.status])).toEqual([
      ['job', open, 'completed'],
      ['job', a, 'failed'],
      ['job', b, 'running'],
    ])
    expect(second.events.map(({ id }) => id === undefined)).toEqual([true, true, false])
    for (const unknown of ['20250101T000000000Z-gone', 'nonsense', '']) {
      const third = read(unknown)
      await reached(third, b, { status: 'running' })
      expect(third.events[0]?.name).toBe('reset')
    }
    put(b, 'completed')
  })

  it('is let go when its token ends: a logout, another role, an account that is switched off or gone', async () => {
    const users = new UserStore(appliance.folders)
    const admin = await addCaller(appliance.folders, 'administrator')
    const ends: Record<string, (caller: Caller) => Promise<unknown> | unknown> = {
      logout: ({ token }) => ask(appliance.url, 'POST', '/api/v1/auth/logout', { bearer: token }),
      role: ({ user }) =>
        ask(appliance.url, 'PUT', `/api/v1/users/${user.id}`, { bearer: admin.token, json: { role: 'operator' } }),
      off: ({ user }) =>
        ask(appliance.url, 'PUT', `/api/v1/users/${user.id}`, { bearer: admin.token, json: { active: false } }),
      gone: ({ user }) =>
        users.change((all) =>
          all.splice(
            all.findIndex(({ id }) => id === user.id),
            1,
          ),
        ),
    }
    const stays = read()
    for (const [how, end] of Object.entries(ends)) {
      const caller = await addCaller(appliance.folders, 'viewer', `ends-by-${how}`)
      const reader = read(undefined, { token: caller.token })
      await until('it reads', () => reader.events.length > 0)
      await end(caller)
      await until(`it is let go after ${how}`, () => reader.ended)
      const again = read(undefined, { token: caller.token })
      await until('and not let in again', () => again.status === 401)
    }
    expect(stays.ended).toBe(false)
  }, 60_000)

  it('that does not read is cut off, and costs the others nothing', async () => {
    const ids = Array.from({ length: 8 }, () => put(newId(), 'running'))
    const [deaf, good] = [read(undefined, { deaf: true }), read()]
    await reached(good, ids[0]!, { status: 'running' })
    await until('it is there', () => deaf.status)
    // Three megabytes at a time, until more is on its way than any socket takes.
    for (let round = 1; round <= 12; round++) {
      for (const id of ids) put(id, 'running', { progress: round, message: 'x'.repeat(400_000) })
      await reached(good, ids[7]!, { progress: round })
    }
    deaf.listenNow()
    await until('it hears the end', () => deaf.ended)
    expect(deaf.jobs[ids[7]!]?.progress ?? 0).toBeLessThan(12)
    expect(good.ended).toBe(false)
    for (const id of ids) put(id, 'completed')
    await reached(good, ids[7]!, { status: 'completed' })
  }, 120_000)

  it('is one of two hundred that all hear the same', async () => {
    const id = put(newId(), 'running')
    const all = Array.from({ length: 200 }, () => read())
    await until('all are there', () => all.every((reader) => reader.jobs[id]))
    for (let progress = 10; progress < 60; progress += 10) {
      put(id, 'running', { progress })
      await reached(all[0]!, id, { progress })
    }
    put(id, 'completed', { progress: 100 })
    await until('all have heard of the end', () => all.every((reader) => reader.jobs[id]?.status === 'completed'))
    const heard = (reader: Reader) =>
      reader.events.filter(({ data }) => data.id === id).map((one) => [one.id, one.data.progress])
    for (const reader of all) expect(heard(reader).slice(1)).toEqual(heard(all[0]!).slice(1))
    expect((await ask(appliance.url, 'GET', '/healthz')).status).toBe(200)
  }, 60_000)
})

describe('a server with readers', () => {
  it('keeps some connections for the rest: one reader too many is sent away', async () => {
    const small = await startAppliance({ config: { ...FAST.config, limits: { connections: 26 } } })
    try {
      const { token } = await addCaller(small.folders, 'viewer')
      const two = [1, 2].map(() => read(undefined, { url: small.url, token }))
      await until('two are in', () => two.every(({ status }) => status === 200))
      const { status, json, headers } = await ask(small.url, 'GET', '/api/v1/jobs/events', { bearer: token })
      expect([status, json.code, headers['retry-after']]).toEqual([503, 'SERVICE_UNAVAILABLE', '5'])
      two[0]!.close()
      await until('there is room again', async () => {
        const answer = await ask(small.url, 'GET', '/api/v1/jobs/events', { bearer: token })
        return answer.status === 200
      })
    } finally {
      // Ends although somebody reads.
      await small.close()
    }
  })

  it('stops at a signal at once, and the next one goes on where its readers were', async () => {
    const server = await startServer(ON)
    const { token } = await addCaller(server.folders, 'viewer')
    const done = put(newId(), 'completed', {}, server.folders)
    const first = read(undefined, { url: server.url, token })
    await until('it knows where it is', () => first.lastId)
    const begun = performance.now()
    await server.kill('SIGTERM')
    expect(performance.now() - begun).toBeLessThan(4500)
    await until('the reader is let go', () => first.ended)
    // Only now: the first server would have given it its end, and told the first reader.
    const died = put(newId(), 'running', {}, server.folders)
    const made = put(newId(), 'completed', {}, server.folders)
    const next = await server.again()
    try {
      const second = read(first.lastId, { url: next.url, token })
      await reached(second, died, { status: 'failed' })
      await reached(second, made, { status: 'completed' })
      expect([second.events.some(({ name }) => name === 'reset'), second.jobs[done]]).toEqual([false, undefined])
    } finally {
      await next.close()
    }
  }, 60_000)
})

describe('the log of a job', () => {
  const page = (id: string, query = '') =>
    call(appliance.url, 'GET', `/api/v1/jobs/${id}/log${query}`, {
      headers: { authorization: `Bearer ${viewer.token}` },
    })

  it('is text from an offset on, without secrets, and says where the next page begins', async () => {
    const id = put(newId(), 'running')
    const log = join(appliance.folders.state, 'tasks', id, 'log')
    writeFileSync(log, 'fetching https://host/?token=abc&x=1\nzwei\nthr')
    const first = await page(id)
    expect([first.status, first.headers['content-type'], first.headers['x-next-offset']]).toEqual([
      200,
      'text/plain; charset=utf-8',
      '42',
    ])
    expect(first.body).toBe('fetching https://host/?token=[redacted]&x=1\nzwei\n')
    expect([
      (await page(id, '?offset=42')).body,
      (await page(id, '?offset=0&limit=1')).headers['x-next-offset'],
    ]).toEqual(['', '37'])
    put(id, 'completed')
    const rest = await page(id, '?offset=42&limit=65536')
    expect([rest.body, rest.headers['x-next-offset']]).toEqual(['thr\n', '45'])
  })

  it('refuses numbers that are none, and jobs that are not there', async () => {
    const id = put(newId(), 'completed')
    for (const query of [
      '?offset=-1',
      '?offset=x',
      '?offset=1e3',
      '?limit=0',
      '?limit=65537',
      '?offset=9999999999999999',
    ])
      expect([query, (await page(id, query)).status]).toEqual([query, 400])
    expect([(await page(id)).status, (await page('none')).status]).toEqual([200, 404])
    for (const wrong of ['..%2f..%2fetc', '%2e%2e', 'a%2Fb']) expect((await page(wrong)).status).toBe(400)
  })
})
