// Sessions of the console: clocks that jump, limits, and what is on the disk. The file is read again by another object,
// as after a restart.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countBoots } from '../../src/auth/boots.ts'
import { ConsoleSessions, csrfOf } from '../../src/auth/console-sessions.ts'
import { LONGEST, MOST, MOST_OF_ONE } from '../../src/auth/session-store.ts'
import type { StoredUser } from '../../src/auth/users.ts'
import { TestClock } from '../harness/clock.ts'

const YEARS = 16 * 365 * 86_400_000
const IDLE = 1800
let folder: string
let clock: TestClock
let users: StoredUser[]
let name: string
let tokenKey: string | undefined
let warnings: string[]
beforeEach(() => {
  name = 'sessions.json'
  users = []
  tokenKey = 'digest-of-the-token'
  warnings = []
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
})
afterEach(() => rmSync(folder, { recursive: true }))
const file = () => join(folder, name)
const start = () =>
  new ConsoleSessions({
    file: file(),
    idle: IDLE,
    users: () => users,
    tokenKey: () => tokenKey,
    clock,
    boot: countBoots(folder, clock),
    warn: (text) => warnings.push(text),
  })
const account = (id: string, more: Partial<StoredUser> = {}): StoredUser => ({
  ...{ id, username: `name of ${id}`, role: 'operator', active: true, hash: '', generation: 1, ended: [] },
  ...{ created_at: '', updated_at: '' },
  ...more,
})
const stored = (): Record<string, unknown>[] => JSON.parse(readFileSync(file(), 'utf8'))
const isIn = (sessions: ConsoleSessions, value: string) => sessions.find(value) !== undefined

describe('a session of the console', () => {
  it('goes on when the clock jumps while the machine runs, over a restart of the server, too', async () => {
    for (const way of [1, -1]) {
      const running = start()
      const value = await running.begin('token')
      clock.jump(way * YEARS)
      expect([way, isIn(running, value), isIn(start(), value)]).toEqual([way, true, true])
      clock.pass((IDLE - 1) * 1000)
      expect([way, isIn(running, value)]).toEqual([way, true])
      clock.pass(1000)
      expect([way, isIn(running, value), isIn(start(), value)]).toEqual([way, false, false])
    }
  })

  it('is no longer for a clock that is set back', async () => {
    const running = start()
    const value = await running.begin('token')
    for (let seconds = 0; seconds < LONGEST - 1200; seconds += 1200) {
      clock.pass(1_200_000).jump(-1_000_000)
      const open = running.find(value)
      expect([seconds, open !== undefined]).toEqual([seconds, true])
      running.touch(open!.id)
    }
    clock.pass(1_200_000)
    expect(isIn(running, value)).toBe(false)
  })

  it('goes by the wall clock over a boot', async () => {
    const value = await start().begin('token')
    clock.pass(60_000).reboot()
    expect(isIn(start(), value)).toBe(true)
    clock.reboot().jump(IDLE * 1000)
    expect(isIn(start(), value)).toBe(false)
    const another = await start().begin('token')
    clock.reboot().jump(-YEARS)
    expect(isIn(start(), another)).toBe(false)
  })

  it('goes on where a boot set the clock back by a minute, and not by more', async () => {
    for (const [seconds, goesOn] of [
      [60, true],
      [61, false],
    ] as const) {
      const value = await start().begin('token')
      clock.reboot().jump(-seconds * 1000)
      expect([seconds, isIn(start(), value)]).toEqual([seconds, goesOn])
    }
  })

  it('is what its account is at each request, and ends with it', async () => {
    users = [account('a'), account('b', { one_time: true })]
    const sessions = start()
    const [a, b] = await Promise.all(users.map((user) => sessions.begin(user)))
    expect(sessions.find(a!)).toMatchObject({
      principal: { account: { id: 'a', name: 'name of a', generation: 1 }, role: 'operator', via: 'session' },
      csrf: csrfOf(a!),
      expires: clock.wall() / 1000 + 12 * 3600,
      oneTime: false,
    })
    expect(sessions.find(b!)?.oneTime).toBe(true)
    users[0] = account('a', { role: 'viewer' })
    expect(sessions.find(a!)?.principal.role).toBe('viewer')
    users[0] = account('a', { active: false })
    expect([isIn(sessions, a!), isIn(sessions, b!)]).toEqual([false, true])
    // Gone, and not only while the account is switched off.
    users = [account('a'), account('b', { generation: 2 })]
    expect([isIn(sessions, a!), isIn(sessions, b!), stored()]).toEqual([false, false, []])
  })

  it('of the token is an administrator’s, and ends with the token', async () => {
    const sessions = start()
    const value = await sessions.begin('token')
    expect(sessions.find(value)).toMatchObject({
      principal: { account: 'appliance-token', role: 'administrator', via: 'session' },
      oneTime: false,
    })
    for (const other of ['another', undefined, '']) {
      const mine = await sessions.begin('token')
      tokenKey = other
      expect([other, isIn(sessions, mine)]).toEqual([other, false])
      tokenKey = 'digest-of-the-token'
    }
  })

  it('tells its X-CSRF-Token only once a request brought the cookie, and nothing after its end', async () => {
    const value = await start().begin('token')
    const sessions = start()
    const [{ id }] = stored() as [{ id: string }]
    expect(sessions.get(id)?.csrf).toBe('')
    expect(sessions.find(value)?.csrf).toBe(csrfOf(value))
    expect(sessions.get(id)?.csrf).toBe(csrfOf(value))
    await sessions.end(id)
    expect([sessions.get(id), isIn(sessions, value), stored()]).toEqual([undefined, false, []])
    expect(isIn(start(), value)).toBe(false)
    expect((sessions as unknown as { csrf: Map<string, string> }).csrf.size).toBe(0)
    await sessions.end('no such session')
  })
})

describe('the room for sessions', () => {
  it('is sixteen of one: one more ends the oldest of the same account, or of the token', async () => {
    users = [account('a'), account('b')]
    const sessions = start()
    const other = await sessions.begin(users[1]!)
    for (const who of ['token', users[0]!] as const) {
      const mine = await Promise.all(Array.from({ length: MOST_OF_ONE }, () => sessions.begin(who)))
      expect(mine.every((value) => isIn(sessions, value))).toBe(true)
      mine.push(await sessions.begin(who))
      expect(mine.map((value) => isIn(sessions, value))).toEqual([false, ...Array(MOST_OF_ONE).fill(true)])
    }
    expect([MOST_OF_ONE, isIn(sessions, other)]).toEqual([16, true])
  })

  it('is sixty-four of all: one more ends the oldest, unless another is over', async () => {
    users = Array.from({ length: MOST + 2 }, (_, i) => account(`${i}`))
    const sessions = start()
    const all = await Promise.all(users.slice(0, MOST).map((user) => sessions.begin(user)))
    expect([MOST, all.every((value) => isIn(sessions, value))]).toEqual([64, true])
    all.push(await sessions.begin(users[MOST]!))
    expect(all.map((value) => isIn(sessions, value))).toEqual([false, ...Array(MOST).fill(true)])
    users[9] = account('9', { active: false })
    await sessions.begin(users[MOST + 1]!)
    expect([isIn(sessions, all[1]!), isIn(sessions, all[9]!)]).toEqual([true, false])
  })
})

describe('the file of the sessions', () => {
  it('is for its owner only, and holds nothing that opens one', async () => {
    const value = await start().begin('token')
    expect(value).toMatch(/^[\w-]{43}$/)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    const text = readFileSync(file(), 'utf8')
    for (const secret of [value, csrfOf(value), tokenKey!]) expect(text).not.toContain(secret)
  })

  it('is written once a minute for use alone', async () => {
    const sessions = start()
    const id = sessions.find(await sessions.begin('token'))!.id
    const used = () => stored()[0]?.['used']
    const before = used()
    clock.pass(59_000)
    sessions.touch(id)
    expect(used()).toBe(before)
    clock.pass(1000)
    sessions.touch(id)
    expect(used()).toBe(Math.floor(clock.steady() / 1000))
    expect(stored()[0]?.['seen']).toBe(Math.floor(clock.wall() / 1000))
    sessions.touch('no such session')
  })

  it('is removed where it cannot be written: what has ended must not come back', async () => {
    const value = await start().begin('token')
    // A name that is as long as names may be: one for the new file beside it is too long.
    const long = 'x'.repeat(255)
    renameSync(file(), join(folder, long))
    name = long
    const sessions = start()
    expect(isIn(sessions, value)).toBe(true)
    await sessions.end(sessions.find(value)!.id)
    expect([readdirSync(folder), warnings.length]).toEqual([['boots.json'], 1])
  })

  it('is not needed by those that are here: where it can neither be written nor removed, they go on', async () => {
    const sessions = start()
    const first = await sessions.begin('token')
    // A folder where the new file is to be renamed to.
    rmSync(file())
    mkdirSync(file())
    const second = await sessions.begin('token')
    expect(warnings).toEqual(['the sessions of the console could not be stored'])
    expect([isIn(sessions, first), isIn(sessions, second)]).toEqual([true, true])
  })

  const good = { id: 'x', cookie: 'c', began: 1, seen: 1, boot: 'b', up: 1, used: 1, key: 'k' }
  it.each([
    ...[null, 7, 'text', {}, { ...good, id: '' }, { ...good, id: 7 }, { ...good, cookie: '' }],
    ...[
      { ...good, began: 1.5 },
      { ...good, seen: '1' },
      { ...good, key: '' },
      { ...good, key: undefined },
    ],
    ...[
      { ...good, user: '', generation: 1 },
      { ...good, user: 'a', generation: undefined },
    ],
    { ...good, user: 'a', generation: 1.5 },
  ])('loses what is damaged and keeps the rest: %j', async (damaged) => {
    const value = await start().begin('token')
    writeFileSync(file(), JSON.stringify([damaged, ...stored(), damaged]))
    const sessions = start()
    expect(isIn(sessions, value)).toBe(true)
    await sessions.end(sessions.find(value)!.id)
    expect(stored()).toEqual([])
  })

  it.each(['', '{', '{}', 'null', '7'])('that is no list is none: %j', async (text) => {
    writeFileSync(file(), text)
    const sessions = start()
    expect(isIn(sessions, await sessions.begin('token'))).toBe(true)
  })
})
