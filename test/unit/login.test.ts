// Guessing from many addresses, and who must not notice it. Hash and clocks are handed in; a hash here is the password
// itself.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KnownAddresses } from '../../src/auth/known-addresses.ts'
import { Passwords } from '../../src/auth/password.ts'
import type { Principal } from '../../src/auth/principal.ts'
import { type StoredUser, UserStore } from '../../src/auth/users.ts'
import type { RuledAccounts } from '../../src/features/users/accounts.ts'
import { logIn } from '../../src/features/users/login.ts'
import { LoginLimits } from '../../src/features/users/login-limits.ts'
import { changeOwnPassword } from '../../src/features/users/own-password.ts'
import { PasswordRules } from '../../src/features/users/password-rules.ts'
import { updateUser } from '../../src/features/users/users.ts'
import type { Folders } from '../../src/folders.ts'
import { TestClock } from '../harness/clock.ts'

const OWNER = '192.0.2.7'
const RIGHT = 'right-word-1'
const times = { expires: 4e9, until: 4e12 }
let folder: string
let clock: TestClock
let users: UserStore
let known: KnownAddresses
let limits: LoginLimits
/** Hashes under way, while they are held. */
let held: (() => void)[] | undefined
let hashes: number
/** What each of them cost. */
let costs: unknown[]

/** A hash that is as good as its password, and takes as long as the test wants. */
const work = (password: string, _salt: Buffer, { N, r, p }: { N?: number; r?: number; p?: number }) =>
  new Promise<Buffer>((resolve) => {
    hashes += 1
    costs.push([N, r, p])
    const bytes = Buffer.alloc(32, password)
    if (held) held.push(() => resolve(bytes))
    else resolve(bytes)
  })
const stored = (password: string) =>
  `scrypt$2$1$1$${Buffer.alloc(16).toString('base64url')}$${Buffer.alloc(32, password).toString('base64url')}`

let accounts: RuledAccounts
const start = () => {
  const folders: Folders = { root: folder, sysconf: folder, data: folder, state: folder }
  users = new UserStore(folders)
  users.prepare()
  const stands = ({ account, version }: { account: string; version: string }) =>
    String(users.byId(account)?.generation) === version
  known = new KnownAddresses({ clock, stands })
  limits = new LoginLimits(folders, known, clock)
  accounts = { users, passwords: new Passwords(1, work), rules: new PasswordRules({ state: folder }) }
}
const owner = (): StoredUser => users.byName('admin')!
const settle = () => new Promise((resolve) => setImmediate(resolve))
const attempt = (address: string, password = 'wrong-word-1', username = 'admin') =>
  logIn(accounts, limits, { username, password, address }).then(
    (user) => (user ? 'in' : 'wrong'),
    (error: Error & { kind?: string }) => error.kind ?? error.message,
  )
/** Time passes, and what it lets through. */
const pass = async (milliseconds: number) => {
  for (let left = milliseconds; left > 0; left -= 100) {
    clock.pass(100)
    await vi.advanceTimersByTimeAsync(100)
  }
}
const stranger = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
  held = undefined
  hashes = 0
  costs = []
  start()
  users.change((all) => {
    all[0]!.hash = stored(RIGHT)
  })
})
afterEach(() => {
  limits.hangUp()
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

it('SEC-09 an unknown name costs what the accounts cost that there are, whichever version made their hashes', async () => {
  expect([await attempt(OWNER), await attempt(OWNER, RIGHT, 'nobody'), await attempt(OWNER, RIGHT, 'Zoë')]).toEqual([
    'wrong',
    'wrong',
    'wrong',
  ])
  expect(costs).toEqual([
    [2, 1, 1],
    [2, 1, 1],
    [2, 1, 1],
  ])
})

describe('guesses from many addresses', () => {
  /** One guess in each tenth of a second, from a new address each, for so many seconds. */
  async function storm(seconds: number, from = stranger, begin = 0): Promise<Promise<string>[]> {
    const guesses: Promise<string>[] = []
    for (let i = 0; i < seconds * 10; i++) {
      guesses.push(attempt(from(begin + i)))
      await pass(100)
    }
    return guesses
  }

  it('do not make the owner wait where he logged in before, nor where he holds a session', async () => {
    expect(await attempt(OWNER, RIGHT)).toBe('in')
    known.note('192.0.2.8', { account: owner().id, version: String(owner().generation) })
    await storm(30)
    for (const address of [OWNER, '192.0.2.8'])
      expect([address, await attempt(address, RIGHT)]).toEqual([address, 'in'])
  })

  /** Comes back each time that he is refused; the seconds until he is in. */
  async function secondsUntilIn(from: (n: number) => string): Promise<number> {
    let answer: string | undefined = 'too-many'
    for (let seconds = 0; seconds < 120; seconds++) {
      if (answer === 'in') return seconds
      if (answer === 'too-many') {
        answer = undefined
        void attempt('198.51.100.1', RIGHT).then((one) => {
          answer = one
        })
      }
      await storm(1, from, 2000 + seconds * 10)
    }
    return Number.POSITIVE_INFINITY
  }

  const networks = {
    'another network': stranger,
    'his own network': (n: number) => `198.51.${n >> 8}.${n & 255}`,
    'a new network each': (n: number) => `${11 + (n % 180)}.${(n >> 4) & 255}.0.1`,
    'nine networks in turns, which come back as he does': (n: number) => `10.${n % 9}.0.${(n >> 4) & 1}`,
  }
  for (const [what, from] of Object.entries(networks))
    it(`do not keep him out where he never was, but for some turns: from ${what}`, async () => {
      await storm(30, from)
      expect(await secondsUntilIn(from)).toBeLessThanOrEqual(60)
    })

  it('do not keep him waiting, however many addresses of one network have come before and come still', async () => {
    const address = (n: number) => `2001:db8:1:${n.toString(16)}::1`
    for (let i = 0; i < 1200; i++) void attempt(address(i))
    let answer: string | undefined
    void attempt('198.51.100.1', RIGHT).then((one) => {
      answer = one
    })
    await storm(20, address, 2000)
    expect(answer).toBe('in')
  })

  it('do not keep him out where more networks have come before than are remembered', async () => {
    const from = networks['a new network each']
    for (let i = 0; i < 1200; i++) void attempt(from(i))
    await settle()
    let answer: string | undefined = 'too-many'
    for (let i = 2000; i < 2600 && answer !== 'in'; i++) {
      // Always before him: it has the place that became free.
      void attempt(from(i))
      if (answer === 'too-many') {
        answer = undefined
        void attempt('198.51.100.1', RIGHT).then((one) => {
          answer = one
        })
      }
      await pass(100)
    }
    expect(answer).toBe('in')
  })

  it('hold no request for more than half a minute', async () => {
    for (let i = 0; i < 24; i++) void attempt(stranger(i))
    await pass(8_000)
    const answers: string[] = []
    for (let i = 0; i < 8; i++) void attempt(`${11 + i}.1.1.1`).then((answer) => answers.push(answer))
    await pass(30_500)
    expect(answers).toEqual([...Array(7).fill('wrong'), 'too-many'])
  })

  it('are twenty, and then one in four seconds, however many arrive together and whoever logs in meanwhile', async () => {
    await attempt(OWNER, RIGHT)
    const before = hashes
    const all = Array.from({ length: 200 }, (_, i) => attempt(stranger(i)))
    await settle()
    expect(hashes - before).toBe(20)
    const more: Promise<string>[] = []
    for (let i = 0; i < 600; i++) {
      more.push(attempt(stranger(1000 + i)))
      if (i % 50 === 0) expect(await attempt(OWNER, RIGHT)).toBe('in')
      await pass(100)
    }
    // The owner's twelve are not the strangers'.
    const guesses = hashes - before - 12
    expect(guesses).toBeGreaterThan(20)
    expect(guesses).toBeLessThanOrEqual(20 + 3 + 60 / 4)
    limits.hangUp()
    const answers = await Promise.all([...all, ...more])
    expect(new Set(answers)).toEqual(new Set(['wrong', 'too-many', 'unavailable']))
    expect(answers.filter((answer) => answer === 'wrong')).toHaveLength(guesses)
  })

  it('hold no more than eight requests', async () => {
    for (let i = 0; i < 20; i++) await attempt(stranger(i))
    let waiting = 0
    for (let i = 100; i < 200; i++) {
      waiting += 1
      attempt(stranger(i)).then(() => {
        waiting -= 1
      })
    }
    await settle()
    expect(waiting).toBe(8)
  })

  it('still count after a restart', async () => {
    for (let i = 0; i < 30; i++) void attempt(stranger(i))
    await settle()
    limits.save()
    limits.hangUp()
    hashes = 0
    start()
    for (let i = 100; i < 130; i++) void attempt(stranger(i))
    await settle()
    expect(hashes).toBe(0)
  })
})

describe('guesses of an address', () => {
  it('count where it is known, too: five are free', async () => {
    await attempt(OWNER, RIGHT)
    const answers: string[] = []
    for (let i = 0; i < 7; i++) answers.push(await attempt(OWNER))
    expect(answers).toEqual([...Array(6).fill('wrong'), 'too-many'])
    expect(await attempt(OWNER, RIGHT)).toBe('too-many')
  })

  it('at other names make it wait, and not the owner behind the same address', async () => {
    await attempt(OWNER, RIGHT)
    for (let i = 0; i < 6; i++) await attempt(OWNER, 'wrong-word-1', 'somebody')
    expect(await attempt(OWNER, 'wrong-word-1', 'somebody')).toBe('too-many')
    expect(() => limits.check(OWNER)).not.toThrow()
    expect(await attempt(OWNER, RIGHT)).toBe('in')
  })

  it('with accents cost a stranger what they cost us', async () => {
    for (let i = 0; i < 3; i++) expect(await attempt(stranger(1), 'wr\u00f6ng-word-1')).toBe('wrong')
    expect(hashes).toBe(6)
    expect(await attempt(stranger(1))).toBe('too-many')
  })

  it('do not wait a second more than they are told to', async () => {
    for (let i = 0; i < 6; i++) await attempt(stranger(1))
    await expect(logIn(accounts, limits, { username: 'admin', password: RIGHT, address: stranger(1) })).rejects.toThrow(
      /^Too many failed logins\. Try again in 1 second$/,
    )
  })
})

describe('an own password', () => {
  const by = (id: string): Principal => ({
    account: { id: owner().id, name: 'admin', generation: owner().generation },
    ...{ role: 'administrator', via: 'jwt', session: { id, ...times } },
  })
  const change = (current: string, token = 't1', address = OWNER) =>
    changeOwnPassword(accounts, limits, { by: by(token), current, password: 'another-word-1', address }).then(
      () => 'changed',
      (error: Error & { kind?: string }) => error.kind ?? error.message,
    )

  it('is changed while strangers, behind the same address, too, have to wait', async () => {
    for (let i = 0; i < 40; i++) void attempt(stranger(i))
    for (let i = 0; i < 8; i++) await attempt(OWNER, 'wrong-word-1', 'somebody')
    expect(await change(RIGHT)).toBe('changed')
    expect(known.isKnownTo(owner().id, OWNER)).toBe(true)
  })

  it('is guessed five times with one session, which makes no other one wait', async () => {
    const answers: string[] = []
    for (let i = 0; i < 7; i++) answers.push(await change('wrong-word-1'))
    expect(answers).toEqual([...Array(6).fill('invalid'), 'too-many'])
    expect(await change(RIGHT, 't2')).toBe('changed')
  })
})

describe('a password that changes', () => {
  it('ends the log-ins with the old one that are under way', async () => {
    held = []
    const before = attempt(OWNER, RIGHT)
    await settle()
    expect(held).toHaveLength(1)
    users.change((all) => {
      all[0]!.hash = stored('another-word-1')
      all[0]!.generation += 1
    })
    held.shift()!()
    held = undefined
    expect(await before).toBe('wrong')
    expect(known.isKnown(OWNER)).toBe(false)
    expect(await attempt(OWNER, 'another-word-1')).toBe('in')
  })

  it('ends those that wait for their hash, and for the account’s turn', async () => {
    for (let i = 0; i < 20; i++) await attempt(stranger(i))
    held = []
    const [first, queued] = [attempt('10.99.0.1', 'x', 'somebody'), attempt('10.98.0.1', RIGHT)]
    await settle()
    users.change((all) => {
      all[0]!.hash = stored('another-word-1')
      all[0]!.generation += 1
    })
    const release = held
    held = undefined
    for (const go of release) go()
    await pass(5_000)
    expect([await first, await queued]).toEqual(['wrong', 'wrong'])
  })

  it('by an administrator makes the addresses of the account strangers’', async () => {
    await attempt(OWNER, RIGHT)
    const by = {
      account: { id: owner().id, name: 'admin', generation: owner().generation },
      role: 'administrator' as const,
      via: 'jwt' as const,
      session: { id: 't', ...times },
    }
    await updateUser(accounts, owner().id, { password: 'another-word-1' }, by)
    expect(known.isKnown(OWNER)).toBe(false)
  })
})
