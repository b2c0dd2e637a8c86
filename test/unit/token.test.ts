// The API token at rest and in use. Other hands drop a plain token into the file at any time, also while we run.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { prepareFirstRun } from '../../src/auth/first-run.ts'
import { storeToken, TOKEN_CHARACTERS, TokenStore, tokenKey } from '../../src/auth/token.ts'
import type { Folders } from '../../src/folders.ts'
import { hashOf } from '../api/client.ts'
import { runs } from '../harness/fuzz.ts'

const spy = vi.hoisted(() => ({ compare: vi.fn() }))
const disk = vi.hoisted(() => ({ fails: false }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const readFileSync = (...read: Parameters<typeof fs.readFileSync>) => {
    if (disk.fails) throw Object.assign(new Error('no'), { code: 'EMFILE' })
    return fs.readFileSync(...read)
  }
  return { ...fs, readFileSync }
})
const moment = vi.hoisted(() => ({ passes: vi.fn() }))
vi.mock('node:timers/promises', () => ({ setTimeout: async () => moment.passes() }))
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  spy.compare.mockImplementation(crypto.timingSafeEqual)
  return { ...crypto, timingSafeEqual: spy.compare }
})

let folders: Folders
const file = () => join(folders.root, 'etc/api.token')
const setup = () => join(folders.root, 'etc/api.token.setup')
const PATH = '/api/v1/admin/version'
beforeEach(() => {
  const root = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  folders = { root, sysconf: root, data: root, state: root }
  mkdirSync(join(root, 'etc'))
})
afterEach(() => rmSync(folders.root, { recursive: true }))

const opens = (store: TokenStore, credentials: { token?: string; hash?: string }, method = 'GET', path = PATH) =>
  store.authenticate(method, path, credentials) !== undefined

/** Files are looked at once in a turn of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('a token', () => {
  it('SEC-09 is kept as its digest also while the phrase of a first run lies beside it', () => {
    prepareFirstRun(folders, 4)
    const phrase = readFileSync(setup(), 'utf8').trim()
    const store = new TokenStore(folders)
    expect([opens(store, { token: phrase }), readFileSync(file(), 'utf8').trim()]).toEqual([true, phrase])
    writeFileSync(file(), 'set-over-ssh\n')
    expect(opens(new TokenStore(folders), { token: 'set-over-ssh' })).toBe(true)
    expect(readFileSync(file(), 'utf8')).toBe(`sha256 ${tokenKey('set-over-ssh')}\n`)
  })

  it('SEC-01 that is away for a moment leaves the appliance to no stranger', async () => {
    storeToken(folders, 'canary-token')
    const store = new TokenStore(folders)
    store.current()
    const kept = readFileSync(file())
    rmSync(file())
    moment.passes.mockImplementationOnce(() => writeFileSync(file(), kept))
    expect([store.isUnset(), await store.staysUnset()]).toEqual([true, false])
    rmSync(file())
    expect(await store.staysUnset()).toBe(true)
    expect(moment.passes).toHaveBeenCalledTimes(2)
    // Where there has been none, nobody waits.
    expect([await new TokenStore(folders).staysUnset(), moment.passes.mock.calls.length]).toEqual([true, 2])
  })

  it('derives the key and the hash of the contract', () => {
    expect(tokenKey('yourtoken')).toBe('13e2ff941bbc8692cad141c8d293dda2c4f1c1a3c51b93d54f1a1693e1206107')
    storeToken(folders, 'yourtoken')
    const hash = 'b714a60732e096ccef06e360eefe0f1ba4fa5d16ef7da726612e2026e5523241'
    expect(new TokenStore(folders).authenticate('GET', PATH, { hash })).toEqual({
      account: 'appliance-token',
      role: 'administrator',
      via: 'hash',
    })
  })

  it('SEC-09 lies on disk as its digest, for its owner only', () => {
    storeToken(folders, 'canary-token')
    expect(readFileSync(file(), 'utf8')).toBe(`sha256 ${tokenKey('canary-token')}\n`)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('SEC-09 is compared in constant time, and never with another length', () => {
    storeToken(folders, 'yourtoken')
    const store = new TokenStore(folders)
    spy.compare.mockClear()
    expect(opens(store, { token: 'x'.repeat(5000) })).toBe(false)
    expect(opens(store, { hash: hashOf('other', 'GET', PATH) })).toBe(false)
    expect(spy.compare).toHaveBeenCalledTimes(2)
    expect(opens(store, { hash: 'short' })).toBe(false)
    for (const [given, expected] of spy.compare.mock.calls) expect(given.length).toBe(expected.length)
  })

  it('that somebody dropped in plain works at once and is converted', async () => {
    const store = new TokenStore(folders)
    expect(store.current()).toBeUndefined()
    await nextTurn()
    writeFileSync(file(), 'dropped in\r\nsecond line\n')
    expect(opens(store, { token: 'dropped in' })).toBe(true)
    expect(readFileSync(file(), 'utf8')).toBe(`sha256 ${tokenKey('dropped in')}\n`)
    expect(opens(store, { token: 'dropped in' })).toBe(true)
    await nextTurn()
    writeFileSync(file(), 'another ')
    expect(opens(store, { token: 'another' })).toBe(false)
    expect(opens(store, { token: 'another ' })).toBe(true)
  })

  it('of the same length and time is still seen as another', () => {
    storeToken(folders, 'first')
    const store = new TokenStore(folders)
    expect(opens(store, { token: 'first' })).toBe(true)
    // It is kept which hash was right.
    expect(opens(store, { hash: hashOf('first', 'GET', PATH) })).toBe(true)
    const { atime, mtime } = statSync(file())
    storeToken(folders, 'other')
    utimesSync(file(), atime, mtime)
    expect(opens(store, { token: 'first' })).toBe(false)
    expect(opens(store, { hash: hashOf('first', 'GET', PATH) })).toBe(false)
    expect(opens(store, { hash: hashOf('other', 'GET', PATH) })).toBe(true)
  })

  it('stays usable when its plain file cannot be converted, with a warning that does not name it', () => {
    const warnings: string[] = []
    writeFileSync(file(), 'canary')
    const store = new TokenStore({ ...folders, root: folders.root }, (text) => warnings.push(text))
    expect(opens(store, { token: 'canary' })).toBe(true)
    expect(warnings.join()).not.toContain('canary')
  })

  it('that could not be read for a moment opens again, also where its file stayed the same', () => {
    storeToken(folders, 'yourtoken')
    const warnings: string[] = []
    const store = new TokenStore(folders, (text) => warnings.push(text))
    disk.fails = true
    expect([opens(store, { token: 'yourtoken' }), warnings]).toEqual([false, ['the token file cannot be read: EMFILE']])
    disk.fails = false
    expect(opens(store, { token: 'yourtoken' })).toBe(true)
  })

  it('is known by something that ends with it, and proves nothing', () => {
    const store = new TokenStore(folders)
    expect(store.proof()).toBeUndefined()
    storeToken(folders, 'yourtoken')
    const proof = store.proof()
    expect(proof).toEqual({ account: 'token', version: expect.stringMatching(/^[0-9a-f]{16}$/) })
    expect(tokenKey('yourtoken')).not.toContain(proof?.version)
    expect(store.proof()).toBe(proof)
    storeToken(folders, 'another')
    expect(store.proof()?.version).not.toBe(proof?.version)
    storeToken(folders, 'yourtoken')
    expect(store.proof()).toEqual(proof)
  })

  it('is of the 94 characters of ASCII that can be seen', () => {
    expect(TOKEN_CHARACTERS).toMatch(/^!"#.*[0-9].*[A-Z].*[a-z]\{\|\}~$/)
    expect([TOKEN_CHARACTERS.length, new Set(TOKEN_CHARACTERS).size]).toEqual([94, 94])
  })

  it('whose digest is sent as the token opens nothing', () => {
    storeToken(folders, 'yourtoken')
    const store = new TokenStore(folders)
    expect(opens(store, { token: tokenKey('yourtoken') })).toBe(false)
    expect(opens(store, { token: `sha256 ${tokenKey('yourtoken')}` })).toBe(false)
  })

  it('is the only one of ten thousand that opens', () => {
    storeToken(folders, 'yourtoken')
    const store = new TokenStore(folders)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (token, hash) => {
        expect(opens(store, { token, hash })).toBe(hash === '' && token === 'yourtoken')
      }),
      { numRuns: runs(10_000) },
    )
  })
})

describe('SEC-08 without a token', () => {
  const nothing: Record<string, () => void> = {
    'no file': () => {},
    'an empty file': () => writeFileSync(file(), ''),
    'an empty first line': () => writeFileSync(file(), '\nsecond\n'),
    'only a line end': () => writeFileSync(file(), '\r\n'),
    'a folder in its place': () => mkdirSync(file()),
  }
  for (const [what, make] of Object.entries(nothing)) {
    it(`nobody authenticates: ${what}`, () => {
      make()
      const store = new TokenStore(folders)
      expect(store.current()).toBeUndefined()
      for (const token of ['', 'x', '\n', 'second', 'undefined', 'null']) {
        expect(opens(store, { token })).toBe(false)
        expect(opens(store, { hash: hashOf(token, 'GET', PATH) })).toBe(false)
        expect(opens(store, { token, hash: '' })).toBe(false)
      }
    })
  }
})

describe('SEC-12 first run', () => {
  it('makes a phrase that is the token, readable by its owner only', () => {
    expect(prepareFirstRun(folders, 4)).toBe(setup())
    const phrase = readFileSync(setup(), 'utf8').trim()
    expect(phrase).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(readFileSync(file(), 'utf8').trim()).toBe(phrase)
    expect([statSync(setup()).mode & 0o777, statSync(file()).mode & 0o777]).toEqual([0o600, 0o600])
    const store = new TokenStore(folders)
    expect(store.pending()).toBe(true)
    expect(opens(store, { token: phrase })).toBe(true)
  })
  it('makes another phrase each time', () => {
    const phrases = Array.from({ length: 20 }, () => {
      rmSync(file(), { force: true })
      rmSync(setup(), { force: true })
      prepareFirstRun(folders, 4)
      return readFileSync(setup(), 'utf8')
    })
    expect(new Set(phrases).size).toBe(20)
  })
  it('is over once a token is stored', () => {
    prepareFirstRun(folders, 4)
    const store = new TokenStore(folders)
    storeToken(folders, 'mine')
    expect(store.pending()).toBe(false)
    expect(prepareFirstRun(folders, 4)).toBeUndefined()
  })
  it('is not begun where a token already was', () => {
    storeToken(folders, 'mine')
    expect(prepareFirstRun(folders, 4)).toBeUndefined()
    expect(new TokenStore(folders).pending()).toBe(false)
  })
  it('goes on with the same phrase after a crash between its two writes', () => {
    prepareFirstRun(folders, 4)
    const phrase = readFileSync(setup(), 'utf8')
    rmSync(file())
    prepareFirstRun(folders, 4)
    expect(readFileSync(file(), 'utf8')).toBe(phrase)
  })
  it('is over after a crash between the new token and the end of the phrase', () => {
    prepareFirstRun(folders, 4)
    writeFileSync(file(), `sha256 ${tokenKey('mine')}\n`)
    const store = new TokenStore(folders)
    expect(store.pending()).toBe(false)
    expect(opens(store, { token: 'mine' })).toBe(true)
    expect(opens(store, { token: readFileSync(setup(), 'utf8').trim() })).toBe(false)
  })
})
