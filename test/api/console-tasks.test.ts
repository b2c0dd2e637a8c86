// Tasks in the console: their list, one, and the stream of one with its log. A reader may come back in the midst of a
// line or after the server did; nothing of the log may come twice, and nothing may be missing.
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { type InProcess, type Options, startAppliance, startServer, TOKEN } from './appliance.ts'
import { until } from './client.ts'
import { type Browser, COOKIE, signIn } from './console.ts'
import { ask, ON } from './controller.ts'
import { Reader } from './events.ts'
import { newTaskId, putTask } from './task-files.ts'

const FAST: Options = {
  config: {
    surfaces: { controller: { enabled: true, 'requests-per-minute': 0 } },
    listen: { 'heartbeat-seconds': 1 },
    limits: { connections: 28 },
  },
}
let appliance: InProcess
let me: Browser
let holder: ChildProcess
const readers: Reader[] = []

interface Where {
  url?: string
  cookie?: string
  from?: string | undefined
  query?: string
}
function read(path: string, { url = appliance.url, cookie = me.cookie, from, query = '' }: Where = {}): Reader {
  const reader = new Reader(url, { cookie: `${COOKIE}=${cookie}` }, from, { path: `/console${path}${query}` })
  readers.push(reader)
  return reader
}
const follow = (id: string, where?: Where) => read(`/tasks/${id}/events`, where)
const put = (status: string, more: object = {}, id = newTaskId()) => putTask(appliance.folders, id, status, more)
const log = (id: string, { state }: Folders = appliance.folders) => join(state, 'tasks', id, 'log')
const textOf = (reader: Reader) =>
  reader.events
    .filter(({ name }) => name === 'log')
    .map(({ data }) => data.text)
    .join('')
const namesOf = (reader: Reader) => reader.events.map(({ name }) => name)

/** Whatever runs there holds this lock. */
const hold = ({ state }: Folders) =>
  spawn('flock', [join(state, 'locks/held.lock'), 'sleep', '600'], { stdio: 'ignore', detached: true })

beforeAll(async () => {
  appliance = await startAppliance(FAST)
  me = await signIn(appliance.url, { token: TOKEN })
  holder = hold(appliance.folders)
  await until('the lock is held', () => appliance.app.tasks.isRunning('held'))
})
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close()
})
afterAll(async () => {
  if (holder?.pid) process.kill(-holder.pid, 'SIGKILL')
  await appliance?.close()
})

describe('the list', () => {
  it('has the newest first, as the controller shows a job, and a hundred of them at most', async () => {
    const ids = Array.from({ length: 103 }, () => put('completed', { progress: 100 }))
    const failed = put('failed', { kind: 'pool-create', message: 'password=abc', error: { code: 'X', message: 'no' } })
    const { status, json } = await me.ask('GET', '/console/tasks')
    expect([status, json.length, json[0].id, json[1].id]).toEqual([200, 100, failed, ids.at(-1)])
    expect(json[0]).toEqual({
      id: failed,
      type: 'pool.create',
      status: 'failed',
      progress: 0,
      message: 'password=[redacted]',
      error: 'no',
      created_at: '2026-01-01T00:00:00Z',
    })
    expect((await me.ask('GET', `/console/tasks/${failed}`)).json).toEqual(json[0])
    for (const id of ids) rmSync(join(appliance.folders.state, 'tasks', id), { recursive: true })
    expect((await me.ask('GET', '/console/tasks')).json.map(({ id }: { id: string }) => id)).toEqual([failed])
  })

  it('says what a task is done to and who asked, and nothing else of its request', async () => {
    const request = (id: string, args: string[], more: object = {}) =>
      writeFileSync(
        join(appliance.folders.state, 'tasks', id, 'request.json'),
        JSON.stringify({ args, by: { name: 'operator', address: '192.0.2.9' }, ...more }),
      )
    const known = put('completed', { kind: 'snapshot-rollback' })
    request(known, ['tank/data', 'tank/data@one'])
    const unknown = put('completed', { kind: 'certs' })
    request(unknown, ['a-secret'], { inputs: { key: 'a-secret' } })
    const torn = put('completed')
    writeFileSync(join(appliance.folders.state, 'tasks', torn, 'request.json'), '{"by":')
    const one = async (id: string) => (await me.ask('GET', `/console/tasks/${id}`)).json
    expect(await one(known)).toMatchObject({ object: 'tank/data@one', by: 'operator' })
    const { by, object } = await one(unknown)
    expect([by, object]).toEqual(['operator', undefined])
    expect((await one(torn)).by).toBeUndefined()
    expect(JSON.stringify((await me.ask('GET', '/console/tasks')).json)).not.toMatch(/a-secret|192\.0\.2\.9/)
    for (const id of [known, unknown, torn]) rmSync(join(appliance.folders.state, 'tasks', id), { recursive: true })
  })

  it('gives one that died its end', async () => {
    const id = put('running')
    const other = join(appliance.folders.state, 'tasks', id, 'request.json')
    writeFileSync(other, JSON.stringify({ lock: 'nobody-holds-this', args: [] }))
    const { json } = await me.ask('GET', '/console/tasks')
    expect(json[0]).toMatchObject({ id, status: 'failed', error: expect.stringContaining('interrupted') })
  })

  it('knows no other', async () => {
    for (const path of ['/console/tasks/none', '/console/tasks/none/events'])
      expect([path, (await me.ask('GET', path)).status]).toEqual([path, 404])
    for (const path of ['/console/tasks/a.b', '/console/tasks/a/events?offset=-1', '/console/tasks/a/events?offset=x'])
      expect([path, (await me.ask('GET', path)).status]).toEqual([path, 400])
  })
})

describe('following one task', () => {
  it('tells how it stands, every change, every line without its secrets, and the end', async () => {
    const id = put('running')
    writeFileSync(log(id), 'eins ä\nfetching https://host/?token=abc&x=1\nhal')
    const reader = follow(id)
    await until('the whole lines are told', () => textOf(reader).includes('x=1\n'))
    expect(reader.events[0]).toMatchObject({
      name: 'task',
      data: { id, status: 'running', type: 'held' },
      id: undefined,
    })
    expect(textOf(reader)).toBe('eins ä\nfetching https://host/?token=[redacted]&x=1\n')
    putTask(appliance.folders, id, 'running', { progress: 40, message: 'halfway' })
    await until('the step is told', () => reader.events.some(({ data }) => data.progress === 40))
    appendFileSync(log(id), 'b\nletz')
    await until('the line is whole', () => textOf(reader).endsWith('halb\n'))
    const told = reader.events.filter(({ name }) => name === 'log')
    for (const { id, data } of told) expect(id).toBe(String(data.next))
    putTask(appliance.folders, id, 'completed', { progress: 100 })
    await until('the stream ends', () => reader.ended)
    expect(textOf(reader).endsWith('halb\nletz\n')).toBe(true)
    expect(namesOf(reader).slice(-3)).toEqual(['task', 'log', 'end'])
    const again = follow(id)
    await until('one that has ended is told at once', () => again.ended)
    expect([textOf(again), namesOf(again)]).toEqual([textOf(reader), ['task', 'log', 'end']])
  })

  it('goes on where its reader was, by the last id or by the offset that it asks for', async () => {
    const id = put('completed')
    writeFileSync(log(id), 'eins\nzwei\ndrei\n')
    const rest = async (where: Where) => {
      const reader = follow(id, where)
      await until('the end', () => reader.ended)
      return textOf(reader)
    }
    expect(await rest({ query: '?offset=5' })).toBe('zwei\ndrei\n')
    expect(await rest({ from: '10' })).toBe('drei\n')
    expect(await rest({ from: '10', query: '?offset=0' })).toBe('drei\n')
    expect(await rest({ from: '15' })).toBe('')
    expect(await rest({ from: '99999' })).toBe('')
    expect(await rest({ from: 'nonsense' })).toBe('eins\nzwei\ndrei\n')
  })

  it('tells a log that is longer than a page whole and in order', async () => {
    const id = put('completed')
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} of many\n`).join('')
    writeFileSync(log(id), lines)
    const reader = follow(id)
    await until('the end', () => reader.ended)
    expect(textOf(reader) === lines).toBe(true)
    expect(reader.events.filter(({ name }) => name === 'log').length).toBeGreaterThan(4)
  })

  it('ends with its session, at once, and gives signs of life until then', async () => {
    const id = put('running')
    const other = await signIn(appliance.url, { token: TOKEN })
    const reader = follow(id, { cookie: other.cookie })
    const all = read('/events', { cookie: other.cookie })
    await until('a sign of life', () => reader.text.includes('\n\n: \n\n') && all.text.includes('\n\n: \n\n'))
    expect((await other.ask('DELETE', '/console/session')).status).toBe(200)
    await until('both are let go', () => reader.ended && all.ended)
    expect(namesOf(reader)).not.toContain('end')
    const refused = follow(id, { cookie: other.cookie })
    await until('it is refused', () => refused.status)
    expect(refused.status).toBe(401)
  })

  it('has room for so many, and is there again when one leaves', async () => {
    // 28 connections, of which 24 are left to others.
    const id = put('running')
    const four = [1, 2, 3, 4].map(() => follow(id))
    await until('they are in', () => four.every(({ status }) => status === 200))
    const { status, json, headers } = await me.ask('GET', `/console/tasks/${id}/events`)
    expect([status, json.code, headers['retry-after']]).toEqual([503, 'SERVICE_UNAVAILABLE', '5'])
    four[0]?.close()
    await until('there is room again', async () => (await me.ask('GET', `/console/tasks/${id}/events`)).status === 200)
  })

  it('goes on across a restart of the server, and the session with it', async () => {
    const server = await startServer({ ...ON })
    const { cookie } = await signIn(server.url, { token: TOKEN })
    const keeper = hold(server.folders)
    const task = newTaskId()
    const id = putTask(server.folders, task, 'running')
    const lines = Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join('')
    writeFileSync(log(id, server.folders), lines.slice(0, 900))
    const first = follow(id, { url: server.url, cookie })
    const events = read('/events', { url: server.url, cookie })
    await until('it knows where it is', () => first.lastId !== undefined && events.lastId !== undefined)
    await server.kill('SIGTERM')
    await until('the readers are let go', () => first.ended && events.ended)
    writeFileSync(log(id, server.folders), lines)
    const next = await server.again()
    try {
      const second = follow(id, { url: next.url, cookie, from: first.lastId })
      await until('it goes on', () => textOf(second) !== '')
      expect([namesOf(first), namesOf(second)]).toEqual([
        ['task', 'log'],
        ['task', 'log'],
      ])
      putTask(server.folders, task, 'completed')
      await until('the end', () => second.ended)
      expect(textOf(first) + textOf(second) === lines).toBe(true)
      const more = read('/events', { url: next.url, cookie, from: events.lastId })
      await until('what was missed is told', () => more.events.length > 0)
      expect(more.events.map(({ name, data }) => [name, data.id, data.status])).toEqual([['task', id, 'completed']])
    } finally {
      if (keeper.pid) process.kill(-keeper.pid, 'SIGKILL')
      await next.close()
    }
  })
})

describe('following all tasks', () => {
  it('tells each as it is, then every change', async () => {
    const reader = read('/events')
    await until('the beginning', () => reader.lastId !== undefined)
    expect(reader.events[0]).toMatchObject({ name: 'reset', data: { tasks: expect.any(Number) } })
    const id = put('pending')
    await until('the new one', () => reader.events.some(({ name, data }) => name === 'task' && data.id === id))
    put('completed', { progress: 100 }, id)
    await until('its end', () => reader.events.some(({ data }) => data.id === id && data.status === 'completed'))
  })

  it('is for whoever is signed in', async () => {
    for (const path of ['/console/events', '/console/tasks', '/console/tasks/x/events', '/console/overview'])
      expect([path, (await ask(appliance.url, 'GET', path)).status]).toEqual([path, 401])
  })
})
