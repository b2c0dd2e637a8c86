// SEC-11: tokens. Each wrong token differs from the right one in one thing only, and the right one is tried beside it.
import { createHmac, generateKeyPairSync, randomBytes, sign as signWith } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countBoots } from '../../src/auth/boots.ts'
import { AUDIENCE, ISSUER, LIFETIME, readSecret, secretFile, Tokens } from '../../src/auth/jwt.ts'
import { Passwords } from '../../src/auth/password.ts'
import { nameOf } from '../../src/auth/principal.ts'
import { UserStore } from '../../src/auth/users.ts'
import { logOut, MOST_ENDED } from '../../src/features/users/login.ts'
import type { Folders } from '../../src/folders.ts'
import { TestClock } from '../harness/clock.ts'

let folder: string
let folders: Folders
let users: UserStore
let tokens: Tokens
let secret: Buffer
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root: folder, sysconf: folder, data: folder, state: folder }
  users = new UserStore(folders)
  users.prepare()
  secret = readSecret(folders)
  tokens = new Tokens(secret, users)
})
afterEach(() => rmSync(folder, { recursive: true }))

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (text: string, key: Buffer | string = secret, hash = 'sha256') =>
  createHmac(hash, key).update(text).digest('base64url')
const now = () => Math.floor(Date.now() / 1000)
const claims = (more: object = {}) => {
  const user = users.all()[0]!
  const usual = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: user.id,
    jti: 'j1',
    gen: user.generation,
    iat: now(),
    exp: now() + 60,
  }
  return { ...usual, ...more }
}
/** A token made by hand. */
function forge(
  payload: object = claims(),
  header: object = { alg: 'HS256', typ: 'JWT' },
  key: Buffer | string = secret,
) {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${hmac(text, key)}`
}
const who = async (token: string, scheme = 'Bearer ') => nameOf(await tokens.authenticate(`${scheme}${token}`))

describe('SEC-11 a token', () => {
  it('proves its account', async () => {
    const token = await tokens.issue(users.all()[0]!)
    expect(await tokens.authenticate(`Bearer ${token}`)).toMatchObject({
      account: { id: users.all()[0]!.id, name: 'admin', generation: 1 },
      role: 'administrator',
      via: 'jwt',
    })
    expect(JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString())).toEqual({ alg: 'HS256', typ: 'JWT' })
    const { exp, iat, ...rest } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    expect(exp - iat).toBe(LIFETIME)
    expect(Object.keys(rest).sort()).toEqual(['aud', 'gen', 'iss', 'jti', 'sub'])
    expect(await who(forge())).toBe('admin')
  })

  it('counts behind the one scheme, in whichever case, and behind no other', async () => {
    const token = forge()
    for (const scheme of ['bearer ', 'BEARER ', 'Bearer  '])
      expect([scheme, await who(token, scheme)]).toEqual([scheme, 'admin'])
    for (const scheme of ['Bearer', 'Bearer\t', 'Basic ', 'Token ', '', ' Bearer ', 'Bearer, '])
      expect([scheme, await who(token, scheme)]).toEqual([scheme, undefined])
    for (const tail of [' ', ',', ` ${token}`, '=', '==', '.'])
      expect([tail, await who(`${token}${tail}`)]).toEqual([tail, undefined])
    expect(await tokens.authenticate(undefined)).toBeUndefined()
    expect(await who(token)).toBe('admin')
  })

  it('has one algorithm, whatever it says itself', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims())}`
    const rsa = `${text}.${signWith('sha256', Buffer.from(text), privateKey).toString('base64url')}`
    const hs512 = `${part({ alg: 'HS512', typ: 'JWT' })}.${part(claims())}`
    const none = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}`
    const wrong = {
      none: `${none}.`,
      'none with a signature': forge(claims(), { alg: 'none', typ: 'JWT' }),
      'None in capitals': forge(claims(), { alg: 'NONE', typ: 'JWT' }),
      RS256: rsa,
      'RS256 signed with the secret': forge(claims(), { alg: 'RS256', typ: 'JWT' }),
      'the public key as the secret': forge(
        claims(),
        undefined,
        publicKey.export({ type: 'spki', format: 'pem' }) as string,
      ),
      HS512: `${hs512}.${hmac(hs512, secret, 'sha512')}`,
      'HS512 with a signature of HS256': forge(claims(), { alg: 'HS512', typ: 'JWT' }),
      'no algorithm': forge(claims(), { typ: 'JWT' }),
    }
    for (const [what, token] of Object.entries(wrong)) expect([what, await who(token)]).toEqual([what, undefined])
  })

  it('has to be of the right type, for us, by us, and in time', async () => {
    const { iss: _, ...noIssuer } = claims()
    const { aud: _a, ...noAudience } = claims()
    const { exp: _e, ...noEnd } = claims()
    const { jti: _j, ...noId } = claims()
    const { gen: _g, ...noGeneration } = claims()
    const { sub: _s, ...noSubject } = claims()
    const wrong = {
      'no typ': forge(claims(), { alg: 'HS256' }),
      'another typ': forge(claims(), { alg: 'HS256', typ: 'at+jwt' }),
      'a critical header': forge(claims(), { alg: 'HS256', typ: 'JWT', crit: ['x'] }),
      'another issuer': forge(claims({ iss: 'edge-admim' })),
      'no issuer': forge(noIssuer),
      'another audience': forge(claims({ aud: 'edge-admin/volumes' })),
      'a list of audiences': forge(claims({ aud: [AUDIENCE] })),
      'no audience': forge(noAudience),
      'ended a second ago': forge(claims({ exp: now() - 1 })),
      'no end': forge(noEnd),
      'an end that is text': forge(claims({ exp: '9999999999' })),
      'issued in an hour': forge(claims({ iat: now() + 3600 })),
      'not before an hour': forge(claims({ nbf: now() + 3600 })),
      'no id': forge(noId),
      'no generation': forge(noGeneration),
      'no account': forge(noSubject),
      'another account': forge(claims({ sub: 'user-0000000000000000' })),
      'the name of the account': forge(claims({ sub: 'admin' })),
      'the last generation': forge(claims({ gen: 0 })),
      'the next generation': forge(claims({ gen: 2 })),
    }
    for (const [what, token] of Object.entries(wrong)) expect([what, await who(token)]).toEqual([what, undefined])
  })

  it('is refused with any bit of it changed, or another key', async () => {
    const token = forge()
    expect(await who(forge(claims(), undefined, randomBytes(32)))).toBeUndefined()
    expect(await who(forge(claims(), undefined, ''))).toBeUndefined()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < token.length; at++) {
      if (token[at] === '.') continue
      const other = alphabet[(alphabet.indexOf(token[at]!) + 1) % 64]
      const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`
      expect([at, await who(changed)]).toEqual([at, undefined])
    }
    for (const cut of [token.slice(1), token.slice(0, -1), token.split('.').slice(0, 2).join('.'), `.${token}`, ''])
      expect(await who(cut)).toBeUndefined()
  })

  it('takes its role from the account, not from itself', async () => {
    const token = forge(claims({ role: 'administrator' }))
    users.change((all) => all.push({ ...all[0]!, id: 'user-2', username: 'second' }))
    users.change((all) => {
      all[0]!.role = 'viewer'
    })
    expect((await tokens.authenticate(`Bearer ${token}`))?.role).toBe('viewer')
  })

  it('ends with a new generation, an inactive or a removed account', async () => {
    users.change((all) => all.push({ ...all[0]!, id: 'user-2', username: 'second' }))
    const token = forge(claims({ sub: 'user-2' }))
    expect(await who(token)).toBe('second')
    for (const members of [{ generation: 2 }, { active: false }]) {
      users.change((all) => Object.assign(all[1]!, members))
      expect(await who(token)).toBeUndefined()
      users.change((all) => Object.assign(all[1]!, { generation: 1, active: true }))
      expect(await who(token)).toBe('second')
    }
    users.change((all) => all.pop())
    expect(await who(token)).toBeUndefined()
  })
})

describe('a logout', () => {
  it('ends one token, for whoever reads the file next, and forgets it when it would have ended anyway', async () => {
    const accounts = { users, passwords: new Passwords() }
    const [one, two] = [forge(claims({ jti: 'one' })), forge(claims({ jti: 'two' }))]
    users.change((all) => all[0]!.ended.push(['long ago', now() - 1]))
    logOut(accounts, (await tokens.authenticate(`Bearer ${one}`))!)
    expect([await who(one), await who(two)]).toEqual([undefined, 'admin'])
    const restarted = new Tokens(readSecret(folders), new UserStore(folders))
    expect(await restarted.authenticate(`Bearer ${one}`)).toBeUndefined()
    expect(await restarted.authenticate(`Bearer ${two}`)).toBeDefined()
    expect(users.all()[0]!.ended.map(([id]) => id)).toEqual(['one'])
  })

  it('too often ends what is older than those that are still known, and nothing newer', async () => {
    const accounts = { users, passwords: new Passwords() }
    const clock = new TestClock()
    const running = new Tokens(secret, users, clock, countBoots(folder, clock))
    const begin = () => {
      clock.pass(1000)
      return running.issue(users.all()[0]!)
    }
    const proves = async (token: string) => (await running.authenticate(`Bearer ${token}`)) !== undefined
    const idOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).jti as string
    const older = await begin()
    const ended = [await begin()]
    const between = await begin()
    while (ended.length < MOST_ENDED) ended.push(await begin())
    // The one that was issued first need not be the one that ended first.
    users.change((all) => {
      all[0]!.ended = ended.map((token): [string, number] => [idOf(token), now() + 60]).reverse()
    })
    expect([await proves(older), await proves(between)]).toEqual([true, true])
    const [last, newest] = [await begin(), await begin()]
    logOut(accounts, (await running.authenticate(`Bearer ${last}`))!, clock)
    expect([await proves(older), await proves(between), await proves(newest)]).toEqual([false, true, true])
    for (const token of [...ended, last]) expect(await proves(token)).toBe(false)
    expect(users.all()[0]!.ended).toHaveLength(MOST_ENDED)
    expect(users.all()[0]!.generation).toBe(1)
  })

  it('too often of tokens of an earlier version ends all of these', async () => {
    const accounts = { users, passwords: new Passwords() }
    const last = forge(claims({ jti: 'last' }))
    users.change((all) => {
      all[0]!.ended = Array.from({ length: MOST_ENDED }, (_, i) => [`t${i}`, now() + 60])
    })
    expect(await who(last)).toBe('admin')
    logOut(accounts, (await tokens.authenticate(`Bearer ${forge()}`))!)
    expect([await who(last), await who(forge(claims({ jti: 't0' })))]).toEqual([undefined, undefined])
    expect(users.all()[0]!.ended).toHaveLength(MOST_ENDED)
  })
})

describe('a clock that jumps', () => {
  const YEARS = 16 * 365 * 86_400_000
  let clock: TestClock
  const start = () => new Tokens(readSecret(folders), new UserStore(folders), clock, countBoots(folder, clock))
  const proves = async (of: Tokens, token: string) => (await of.authenticate(`Bearer ${token}`)) !== undefined
  const end = async (of: Tokens, token: string) =>
    logOut({ users, passwords: new Passwords() }, (await of.authenticate(`Bearer ${token}`))!, clock)
  const issue = (of: Tokens) => of.issue(users.all()[0]!)
  beforeEach(() => {
    clock = new TestClock()
  })

  it('signs nobody out while the machine runs, and makes no token live longer', async () => {
    for (const way of [1, -1]) {
      const running = start()
      const token = await issue(running)
      clock.jump(way * YEARS)
      expect([way, await proves(running, token), await proves(start(), token)]).toEqual([way, true, true])
      clock.pass((LIFETIME - 1) * 1000)
      expect([way, await proves(running, token)]).toEqual([way, true])
      clock.pass(1000)
      expect([way, await proves(running, token), await proves(start(), token)]).toEqual([way, false, false])
      clock.jump(-way * YEARS)
      expect([way, await proves(running, token)]).toEqual([way, false])
    }
  })

  it('does not matter to a token of an earlier boot but for its times', async () => {
    const token = await issue(start())
    clock.pass(60_000).reboot()
    const later = start()
    expect(await proves(later, token)).toBe(true)
    clock.jump(-120_000)
    expect(await proves(later, token)).toBe(false)
    clock.jump(120_000)
    clock.jump((LIFETIME - 60) * 1000)
    expect(await proves(later, token)).toBe(false)
  })

  it('brings no logged-out token back: neither while the boot lasts, nor over restarts and boots', async () => {
    let running = start()
    const [token, other] = [await issue(running), await issue(running)]
    await end(running, token)
    clock.jump(2 * 86_400_000)
    await end(running, await issue(running))
    clock.jump(-2 * 86_400_000)
    expect([await proves(running, token), await proves(start(), token)]).toEqual([false, false])
    expect(await proves(running, other)).toBe(true)
    // A boot whose clock is ahead forgets it, and the next one is right again.
    clock.reboot().jump(2 * 86_400_000)
    running = start()
    await end(running, await issue(running))
    expect(users.all()[0]!.ended).toHaveLength(2)
    expect(users.all()[0]!.floor).toBeDefined()
    clock.reboot().jump(-2 * 86_400_000)
    expect(await proves(start(), token)).toBe(false)
    expect(await proves(start(), await issue(start()))).toBe(true)
  })

  it('lets ended tokens be forgotten once their day is over, so that logging in and out every minute ends nothing else', async () => {
    const running = start()
    let mine = await issue(running)
    for (let hour = 0; hour < 100; hour++) {
      await end(running, await issue(running))
      clock.pass(3_600_000)
      if (hour % 20 === 19) mine = await issue(running)
      expect([hour, await proves(running, mine)]).toEqual([hour, true])
    }
    expect(users.all()[0]!.generation).toBe(1)
    expect(users.all()[0]!.ended.length).toBeLessThanOrEqual(25)
  })

  it('is no reason to take a token of a lost count of boots for one of this boot', async () => {
    clock.pass(3_600_000)
    const token = await issue(start())
    rmSync(join(folder, 'boots.json'))
    clock
      .pass(LIFETIME * 1000)
      .reboot()
      .pass(3_600_000 + 60_000)
    expect(await proves(start(), token)).toBe(false)
  })
})

describe('the secret', () => {
  it('is 32 random bytes that only the owner reads, made once', () => {
    expect(readFileSync(secretFile(folders))).toEqual(secret)
    expect(secret).toHaveLength(32)
    expect(statSync(secretFile(folders)).mode & 0o777).toBe(0o600)
    expect(readSecret(folders)).toEqual(secret)
    rmSync(secretFile(folders))
    expect(readSecret(folders)).not.toEqual(secret)
  })

  it('that cannot be read stops the start, and is not made anew', () => {
    rmSync(secretFile(folders))
    mkdirSync(secretFile(folders))
    expect(() => readSecret(folders)).toThrow('EISDIR')
  })

  it('of any other length stops the start', () => {
    for (const bytes of [0, 1, 31, 33]) {
      writeFileSync(secretFile(folders), Buffer.alloc(bytes, 1))
      expect(() => readSecret(folders)).toThrow('expected 32 bytes')
    }
  })
})
