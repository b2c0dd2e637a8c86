// Passwords that come with every request: when a hash is made, and what never gets by without one. A hash here is the password itself.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MOST_PROVEN, ProvenPasswords, readBasic } from '../../src/auth/credentials.ts'
import { KnownAddresses } from '../../src/auth/known-addresses.ts'
import { Passwords } from '../../src/auth/password.ts'
import type { Principal } from '../../src/auth/principal.ts'
import { LONGEST } from '../../src/auth/session-store.ts'
import { type StoredUser, UserStore } from '../../src/auth/users.ts'
import type { RuledAccounts } from '../../src/features/users/accounts.ts'
import { CredentialCheck } from '../../src/features/users/credential-check.ts'
import { LoginLimits } from '../../src/features/users/login-limits.ts'
import { PasswordRules } from '../../src/features/users/password-rules.ts'
import { updateUser } from '../../src/features/users/users.ts'
import type { Folders } from '../../src/folders.ts'
import { json } from '../../src/http/reply/reply.ts'
import { TestClock } from '../harness/clock.ts'
import { declare, small } from './small-surface.ts'

const RIGHT = 'right-word-1'
const HOME = '192.0.2.7'
const IDLE = 900
let folder: string
let clock: TestClock
let users: UserStore
let limits: LoginLimits
let check: CredentialCheck
let accounts: RuledAccounts
/** The cost of each hash. */
let hashes: unknown[]
/** Hashes under way, while they are held. */
let held: (() => void)[] | undefined

const work = (password: string, _salt: Buffer, { N, r, p }: { N?: number; r?: number; p?: number }) =>
  new Promise<Buffer>((resolve) => {
    hashes.push([N, r, p])
    const done = () => resolve(Buffer.alloc(32, password))
    if (held) held.push(done)
    else done()
  })
const stored = (password: string) =>
  `scrypt$2$1$1$${Buffer.alloc(16).toString('base64url')}$${Buffer.alloc(32, password).toString('base64url')}`
const me = (): StoredUser => users.byName('admin')!
const ask = (password = RIGHT, address = HOME, username = 'admin') => check.check({ username, password }, address)
/** `in`, `wrong`, or the kind of the refusal; `!` behind what was answered at once. */
async function told(...given: Parameters<typeof ask>): Promise<string> {
  try {
    const answer = ask(...given)
    return answer instanceof Promise ? ((await answer) ? 'in' : 'wrong') : answer ? 'in!' : 'wrong!'
  } catch (error) {
    return (error as { kind: string }).kind
  }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  const folders: Folders = { root: folder, sysconf: folder, data: folder, state: folder }
  clock = new TestClock()
  users = new UserStore(folders)
  users.prepare()
  users.change((all) => {
    all[0]!.hash = stored(RIGHT)
    all.push({ ...all[0]!, id: 'user-2', username: 'second' })
  })
  hashes = []
  held = undefined
  const stands = ({ account, version }: { account: string; version: string }) =>
    String(users.byId(account)?.generation) === version
  limits = new LoginLimits(folders, new KnownAddresses({ clock, stands }), clock)
  accounts = { users, passwords: new Passwords(1, work), rules: new PasswordRules({ state: folder }) }
  check = new CredentialCheck({ accounts, limits, idle: () => IDLE, clock })
})
afterEach(() => {
  limits.hangUp()
  rmSync(folder, { recursive: true })
})

describe('a right password', () => {
  it('is hashed once, and then proves its account at once', async () => {
    expect(await ask()).toEqual({
      account: { id: me().id, name: 'admin', generation: 1 },
      role: 'administrator',
      via: 'password',
    })
    expect([await told(), await told(RIGHT, HOME, 'ADMIN'), hashes.length]).toEqual(['in!', 'in!', 1])
  })

  it('is hashed once for requests that come together', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => told()))).toEqual(Array(20).fill('in'))
    expect(hashes).toHaveLength(1)
  })

  it('is hashed again when it was not used for the time of a session, and after half a day in any case', async () => {
    await told()
    for (let seconds = 0; seconds + IDLE < LONGEST; seconds += IDLE - 1) {
      clock.pass((IDLE - 1) * 1000)
      expect([seconds, await told()]).toEqual([seconds, 'in!'])
    }
    clock.pass((IDLE - 1) * 1000)
    expect([await told(), hashes.length]).toEqual(['in', 2])
    clock.pass(IDLE * 1000)
    expect([await told(), hashes.length]).toEqual(['in', 3])
  })

  it('is hashed again from another address, of another account, and by another process', async () => {
    await told()
    expect([await told(RIGHT, '192.0.2.8'), await told(RIGHT, HOME, 'second')]).toEqual(['in', 'in'])
    check = new CredentialCheck({ accounts, limits, idle: () => IDLE, clock })
    expect([await told(), hashes.length]).toEqual(['in', 4])
  })

  it('is kept nowhere in memory', async () => {
    await told()
    const seen = new Set<object>()
    const holds = (value: unknown): boolean => {
      if (typeof value === 'string') return value.includes(RIGHT)
      if (typeof value !== 'object' || value === null || seen.has(value)) return false
      seen.add(value)
      if (Buffer.isBuffer(value)) return value.includes(RIGHT)
      const parts = value instanceof Map || value instanceof Set ? [...value] : Object.values(value)
      return parts.some(holds)
    }
    expect(holds([check, RIGHT])).toBe(true)
    expect(holds({ proven: (check as unknown as { proven: unknown }).proven })).toBe(false)
  })

  it('is one of so many at most: the one that was used longest ago is hashed again', () => {
    const proven = new ProvenPasswords(() => IDLE, clock)
    const address = (n: number) => `10.0.${n >> 8}.${n & 255}`
    const has = (n: number) => proven.has(me(), RIGHT, address(n))
    for (let n = 0; n < MOST_PROVEN; n++) proven.add(me(), RIGHT, address(n), users.all())
    expect(has(0)).toBe(true)
    proven.add(me(), RIGHT, address(MOST_PROVEN), users.all())
    expect([has(0), has(1), has(2), has(MOST_PROVEN)]).toEqual([true, false, true, true])
    expect([MOST_PROVEN, proven.size]).toEqual([256, 256])
  })
})

describe('a change of the account', () => {
  const by = (): Principal => ({
    account: { id: me().id, name: 'admin', generation: me().generation },
    ...{ role: 'administrator', via: 'password' },
  })

  it('counts at once: another password, an account that is off or removed', async () => {
    const second = () => told(RIGHT, HOME, 'second')
    await second()
    expect(await second()).toBe('in!')
    await updateUser(accounts, 'user-2', { password: 'another-word-1' }, by())
    hashes = []
    expect([await second(), hashes.length]).toEqual(['wrong', 1])
    expect(await told('another-word-1', HOME, 'second')).toBe('in')
    await updateUser(accounts, 'user-2', { active: false }, by())
    expect(await told('another-word-1', HOME, 'second')).toBe('wrong')
    users.change((all) => void all.pop())
    expect(await told('another-word-1', HOME, 'second')).toBe('wrong')
  })

  it('counts at once where another process or a person wrote the file, and forgot the number', async () => {
    await told()
    new UserStore({ root: folder, sysconf: folder, data: folder, state: folder }).change((all) => {
      all[0]!.hash = stored('another-word-1')
    })
    expect([await told(), await told('another-word-1')]).toEqual(['wrong', 'in'])
    users.change((all) => {
      all[0]!.active = false
      all[1]!.active = true
    })
    expect(await told('another-word-1')).toBe('wrong')
  })

  it('of the role gives the new one, and what was proven before is dropped', async () => {
    await told(RIGHT, HOME, 'second')
    await updateUser(accounts, 'user-2', { role: 'viewer' }, by())
    expect(await ask(RIGHT, HOME, 'second')).toMatchObject({ role: 'viewer' })
    expect((check as unknown as { proven: { size: number } }).proven.size).toBe(1)
  })
})

describe('a wrong password', () => {
  it('takes a hash each time, and makes its address wait: then for the right one, too', async () => {
    await told()
    hashes = []
    for (let i = 1; i <= 5; i++) expect([await told('wrong-word-1'), hashes.length]).toEqual(['wrong', i])
    expect([await told('wrong-word-1'), await told(), await told('wrong-word-1')]).toEqual([
      'wrong',
      'too-many',
      'too-many',
    ])
    expect(hashes).toHaveLength(6)
    clock.pass(1000)
    expect(await told()).toBe('in!')
  })

  it('costs as much for a name that nobody has, and is answered as late', async () => {
    expect([await told('wrong-word-1'), await told(RIGHT, HOME, 'nobody'), await told(RIGHT, HOME, 'nobody')]).toEqual([
      ...['wrong', 'wrong', 'wrong'],
    ])
    expect(hashes).toEqual(Array(3).fill([2, 1, 1]))
  })

  it('is not told from the right one by which of many guesses is answered first', async () => {
    await told()
    held = []
    const answers: string[] = []
    const guesses = [...Array.from({ length: 30 }, (_, i) => `wrong-word-${i}`), RIGHT].map((guess) =>
      told(guess).then((answer) => void answers.push(answer)),
    )
    await settle()
    expect(answers).toEqual([])
    for (let i = 0; i < 40; i++) {
      held.shift()?.()
      await settle()
    }
    await Promise.all(guesses)
    expect(answers).toEqual([...Array(6).fill('wrong'), ...Array(25).fill('too-many')])
  })

  it('makes nobody wait at another address', async () => {
    await told()
    for (let i = 0; i < 9; i++) await told('wrong-word-1', '198.51.100.1')
    expect(await told()).toBe('in!')
  })
})

describe('Basic credentials', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

  it.each([
    [basic('ann:word'), { username: 'ann', password: 'word' }],
    [basic('ann:a:b:'), { username: 'ann', password: 'a:b:' }],
    [basic('änn:wörd €'), { username: 'änn', password: 'wörd €' }],
    [basic(':'), { username: '', password: '' }],
    [basic('ann:word').replace('Basic', 'bASIC '), { username: 'ann', password: 'word' }],
    [basic('ann'), undefined],
    [`Basic ${Buffer.from('änn:word', 'latin1').toString('base64')}`, undefined],
    ['Basic', undefined],
    ['Basic YW5u*', undefined],
    [`${basic('ann:word')} x`, undefined],
    [basic('ann:word').replace('Basic', 'Bearer'), undefined],
    [undefined, undefined],
  ])('are read from %j', (header, expected) => expect(readBasic(header)).toEqual(expected))

  it('make the caller of a surface an account, in the audit log, too', async () => {
    const {
      ask: send,
      told: hear,
      entries,
    } = small([declare({ method: 'POST', id: 'makeThing', handle: () => json({}) })], {
      authenticate: ({ incoming, address }) => {
        const given = readBasic(incoming?.headers.authorization)
        return given && check.check(given, address)
      },
    })
    for (const _ of [1, 2])
      expect((await send('POST', '/things', { headers: { authorization: basic(`admin:${RIGHT}`) } })).status).toBe(200)
    expect(await hear('POST', '/things', { headers: { authorization: basic('admin:wrong-word-1') } })).toBe('401 No')
    expect(await hear('POST', '/things')).toBe('401 No')
    expect(entries.map(({ event, account, name }) => [event, account, name])).toEqual(
      Array(2).fill(['makeThing', me().id, 'admin']),
    )
    expect(hashes).toHaveLength(2)
  })
})
