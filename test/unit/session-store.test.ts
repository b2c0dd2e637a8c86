// Sessions below any cookie: the file of earlier versions, a surface that carries them in a header, and what ends them.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countBoots } from '../../src/auth/boots.ts'
import { SessionStore } from '../../src/auth/session-store.ts'
import type { StoredUser } from '../../src/auth/users.ts'
import { json } from '../../src/http/reply/reply.ts'
import { TestClock } from '../harness/clock.ts'
import { lockHeld } from '../harness/lock-held.ts'
import { declare, small } from './small-surface.ts'

const IDLE = 900
let folder: string
let clock: TestClock
let users: StoredUser[]
let ended: string[]
let unsaved: unknown[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
  users = [account('ann'), account('bob')]
  ended = []
  unsaved = []
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  expect(unsaved).toEqual([])
})
const account = (id: string): StoredUser => ({
  ...{ id, username: `name of ${id}`, role: 'operator', active: true, hash: '', generation: 3, ended: [] },
  ...{ created_at: '', updated_at: '' },
})
const file = () => join(folder, 'sessions.json')
const start = () =>
  new SessionStore({
    ...{ file: file(), idle: () => IDLE, users: () => users, tokenKey: () => 'key of the token', clock },
    boot: countBoots(folder, clock),
    unsaved: (error) => unsaved.push(error),
    ended: (id) => ended.push(id),
  })
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const kept = (): { id: string }[] => JSON.parse(readFileSync(file(), 'utf8'))

it('the file that the console has written so far keeps its sessions, and they are written as before', async () => {
  const wall = clock.wall() / 1000
  const times = { began: wall - 100, seen: wall - 50, boot: clock.boot, up: -95, used: -45 }
  const before = [
    {
      id: '1-0a1b2c3d.1.ffffffffffffffffffffffffffffffff',
      cookie: sha256('of the token'),
      ...times,
      key: sha256('key of the token'),
    },
    {
      id: '1-0a1b2c3d.2.ffffffffffffffffffffffffffffffff',
      cookie: sha256('of ann'),
      ...times,
      user: 'ann',
      generation: 3,
    },
  ]
  writeFileSync(file(), `${JSON.stringify(before)}\n`)
  const sessions = start()
  expect(sessions.find('of the token')?.principal).toMatchObject({ account: 'appliance-token', via: 'session' })
  expect(sessions.find('of ann')).toMatchObject({
    id: before[1]!.id,
    principal: { account: { id: 'ann', name: 'name of ann', generation: 3 }, role: 'operator' },
    expires: wall - 100 + 12 * 3600,
  })
  const made = await sessions.begin(users[1]!)
  expect(kept().slice(0, 2)).toEqual(before)
  expect(Object.keys(kept()[2]!)).toEqual([...Object.keys(before[1]!)])
  await sessions.end(sessions.find(made)!.id)
  expect(kept()).toEqual(before)
})

describe('a surface that carries the session in a header of its own', () => {
  const surface = (sessions: SessionStore) =>
    small(
      [
        declare(),
        declare({
          ...{ method: 'DELETE', id: 'endSession' },
          handle: async ({ principal }) => {
            await sessions.end(principal!.session!.id)
            return json({})
          },
        }),
      ],
      {
        authenticate: ({ incoming }) => {
          const open = sessions.find(String(incoming?.headers['x-auth-session']))
          if (open) sessions.touch(open.id)
          return open?.principal
        },
      },
    )

  it('is its account as long as a request comes in time, and no longer than half a day', async () => {
    const sessions = start()
    const headers = { 'x-auth-session': await sessions.begin(users[0]!) }
    const { told, ask, entries } = surface(sessions)
    for (let seconds = 0; seconds < 12 * 3600; seconds += IDLE - 1) {
      expect([seconds, await told('GET', '/things', { headers })]).toEqual([seconds, 200])
      clock.pass((IDLE - 1) * 1000)
    }
    expect(await told('GET', '/things', { headers })).toBe('401 No')
    const again = { 'x-auth-session': await sessions.begin(users[0]!) }
    clock.pass(IDLE * 1000)
    expect(await told('GET', '/things', { headers: again })).toBe('401 No')
    const last = { 'x-auth-session': await sessions.begin(users[0]!) }
    expect((await ask('DELETE', '/things', { headers: last })).status).toBe(200)
    expect(entries.at(-1)).toMatchObject({ event: 'endSession', account: 'ann', name: 'name of ann' })
    expect(await told('GET', '/things', { headers: last })).toBe('401 No')
    expect(kept()).toEqual([])
  })

  it('ends with the account’s password, role or state', async () => {
    const sessions = start()
    const headers = { 'x-auth-session': await sessions.begin(users[0]!) }
    users[0] = { ...users[0]!, generation: 4 }
    expect(await surface(sessions).told('GET', '/things', { headers })).toBe('401 No')
  })
})

it('all sessions of an account end together, for good, and those of others go on', async () => {
  const sessions = start()
  const [one, two, other, token] = await Promise.all(
    [users[0]!, users[0]!, users[1]!, 'token' as const].map((who) => sessions.begin(who)),
  )
  const ids = [one, two].map((value) => sessions.find(value!)!.id)
  await sessions.endAll('ann')
  for (const now of [sessions, start()])
    expect([one, two, other, token].map((value) => now.find(value!) !== undefined)).toEqual([false, false, true, true])
  expect(ended).toEqual(ids)
})

it('each session that is dropped is reported once, whatever ended it', async () => {
  const sessions = start()
  const value = await sessions.begin(users[0]!)
  const { id } = sessions.find(value)!
  clock.pass(IDLE * 1000)
  expect(sessions.find(value)).toBeUndefined()
  await sessions.end(id)
  expect(ended).toEqual([id])
})

it('a program that holds the lock of the accounts holds up no session, and none is lost', async () => {
  const sessions = start()
  const before = await sessions.begin(users[0]!)
  const release = await lockHeld(folder)
  const during = await sessions.begin(users[1]!)
  await release()
  for (const value of [before, during]) expect(start().find(value)).toBeDefined()
})

it('the session that was not used for longest makes room', async () => {
  const sessions = new SessionStore({
    ...{ file: file(), idle: () => IDLE, users: () => users, tokenKey: () => 'key of the token', clock },
    ...{ most: 4, mostOfOne: 3 },
    boot: countBoots(folder, clock),
    unsaved: (error) => unsaved.push(error),
  })
  const secrets: string[] = []
  for (const user of [users[0]!, users[0]!, users[0]!, users[1]!]) {
    clock.pass(1000)
    secrets.push(await sessions.begin(user))
  }
  const open = () => secrets.map((secret) => sessions.find(secret) !== undefined)
  const use = (secret: string) => sessions.touch(sessions.find(secret)!.id)
  clock.pass(1000)
  use(secrets[0]!)
  secrets.push(await sessions.begin(users[0]!))
  expect(open()).toEqual([true, false, true, true, true])
  clock.pass(1000)
  use(secrets[2]!)
  // Of everybody's, with the one that was used least recently.
  secrets.push(await sessions.begin(users[1]!))
  expect(open()).toEqual([true, false, true, false, true, true])
})

it('what has ended is swept, and a longer idle time does not bring it back', async () => {
  let idle = 100
  const sessions = new SessionStore({
    ...{ file: file(), idle: () => idle, users: () => users, tokenKey: () => undefined, clock },
    ...{ longest: Number.POSITIVE_INFINITY, secret: () => 'abc' },
    boot: countBoots(folder, clock),
    unsaved: (error) => unsaved.push(error),
  })
  expect(await sessions.begin(users[0]!)).toBe('abc')
  clock.pass(100_000)
  await sessions.sweep()
  idle = 1000
  expect([sessions.find('abc'), kept()]).toEqual([undefined, []])
})
