// Addresses that proved who they are. Clocks are handed in, so no test sleeps.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KnownAddresses, MOST_OF_ONE } from '../../src/auth/known-addresses.ts'
import { TestClock } from '../harness/clock.ts'

const DAY = 86_400_000
let folder: string
let clock: TestClock
let standing: Map<string, string>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
  standing = new Map([
    ['ann', '1'],
    ['bob', '1'],
  ])
})
afterEach(() => rmSync(folder, { recursive: true }))
const file = () => join(folder, 'known-addresses.json')
const make = () =>
  new KnownAddresses({ file: file(), clock, stands: ({ account, version }) => standing.get(account) === version })
const proof = (account: string, version = '1') => ({ account, version })

describe('known addresses', () => {
  it('knows an IPv4 address exactly, and an IPv6 one by its /64, for the account alone that was proven there', () => {
    const known = make()
    known.note('192.0.2.7', proof('ann'))
    known.note('2001:db8::7', proof('bob'))
    expect(known.isKnownTo('ann', '::ffff:192.0.2.7')).toBe(true)
    expect(known.isKnownTo('bob', '192.0.2.7')).toBe(false)
    expect(known.isKnown('192.0.2.7')).toBe(true)
    expect(known.isKnown('192.0.2.8')).toBe(false)
    expect(known.isKnownTo('bob', '2001:db8::ffff')).toBe(true)
    expect(known.isKnownTo('bob', '2001:db8:0:1::7')).toBe(false)
  })

  it('forgets an account that is gone, switched off, or has been given another password', () => {
    const known = make()
    known.note('192.0.2.7', proof('ann'))
    standing.set('ann', '2')
    expect(known.isKnownTo('ann', '192.0.2.7')).toBe(false)
    expect(known.isKnown('192.0.2.7')).toBe(false)
    known.note('192.0.2.7', proof('ann', '2'))
    expect(known.isKnown('192.0.2.7')).toBe(true)
    standing.delete('ann')
    expect(known.isKnown('192.0.2.7')).toBe(false)
  })

  it('survives a restart, and writes what still stands for nobody else to read', () => {
    const before = make()
    before.note('192.0.2.7', proof('ann'))
    before.note('192.0.2.8', proof('bob'))
    standing.delete('bob')
    before.save()
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(readFileSync(file(), 'utf8')).not.toContain('192.0.2.8')
    expect(make().isKnownTo('ann', '192.0.2.7')).toBe(true)
  })

  it('forgets after ninety days, and a new proof in between begins them anew', () => {
    const known = make()
    known.note('192.0.2.7', proof('ann'))
    clock.pass(89 * DAY)
    expect(known.isKnown('192.0.2.7')).toBe(true)
    known.note('192.0.2.7', proof('ann'))
    clock.pass(89 * DAY)
    expect(known.isKnown('192.0.2.7')).toBe(true)
    clock.pass(DAY)
    expect(known.isKnown('192.0.2.7')).toBe(false)
  })

  it('counts the days across a boot, and forgets nobody because the wall clock jumped or was wrong at the start', () => {
    const known = make()
    known.note('192.0.2.7', proof('ann'))
    clock.jump(20 * 365 * DAY)
    expect(known.isKnown('192.0.2.7')).toBe(true)
    known.save()
    clock.reboot().jump(-30 * 365 * DAY)
    const wrong = make()
    expect(wrong.isKnown('192.0.2.7')).toBe(true)
    clock.jump(30 * 365 * DAY)
    expect(wrong.isKnown('192.0.2.7')).toBe(true)
    clock.reboot().jump(91 * DAY)
    expect(make().isKnown('192.0.2.7')).toBe(false)
  })

  it('keeps so many addresses of one account, the latest, and leaves those of others alone', () => {
    const known = make()
    known.note('198.51.100.1', proof('bob'))
    for (let i = 0; i <= MOST_OF_ONE; i++) {
      clock.pass(1)
      known.note(`192.0.2.${i}`, proof('ann'))
    }
    expect(known.isKnown('192.0.2.0')).toBe(false)
    expect(known.isKnown('192.0.2.1')).toBe(true)
    expect(known.isKnown(`192.0.2.${MOST_OF_ONE}`)).toBe(true)
    expect(known.isKnown('198.51.100.1')).toBe(true)
  })

  it('keeps an address that was proven again rather than one that was not since', () => {
    const known = make()
    for (let i = 0; i < MOST_OF_ONE; i++) known.note(`192.0.2.${i}`, proof('ann'))
    clock.pass(DAY)
    known.note('192.0.2.0', proof('ann'))
    known.note('192.0.2.99', proof('ann'))
    expect(['192.0.2.0', '192.0.2.1', '192.0.2.2'].map((address) => known.isKnown(address))).toEqual([
      true,
      false,
      true,
    ])
  })

  it('counts an address once, however often it is noted, and whatever it proves by then', () => {
    const known = make()
    known.note('198.51.100.1', proof('bob'))
    for (let i = 0; i < 5000; i++) known.note('192.0.2.1', proof('ann', `${i}`))
    expect(known.isKnown('198.51.100.1')).toBe(true)
  })

  it('keeps an address for each account that was proven there', () => {
    const known = make()
    known.note('192.0.2.1', proof('ann'))
    known.note('192.0.2.1', proof('bob'))
    standing.delete('bob')
    expect([known.isKnown('192.0.2.1'), known.isKnownTo('bob', '192.0.2.1')]).toEqual([true, false])
    for (let i = 2; i < 2 + MOST_OF_ONE; i++) known.note(`192.0.2.${i}`, proof('ann'))
    standing.set('bob', '1')
    expect([known.isKnown('192.0.2.1'), known.isKnownTo('ann', '192.0.2.1')]).toEqual([true, false])
  })

  it('makes room among all: first what counts no longer, then what was noted longest ago, and no more than it needs', () => {
    for (let i = 0; i < 128; i++) standing.set(`user-${i}`, '1')
    const known = make()
    const address = (i: number) => `10.0.${i >> 8}.${i & 255}`
    for (let i = 0; i < 4096; i++) {
      clock.pass(1)
      known.note(address(i), proof(`user-${Math.floor(i / MOST_OF_ONE)}`))
    }
    standing.set('user-9', '2')
    for (let i = 0; i < MOST_OF_ONE; i++) known.note(`198.51.100.${i}`, proof('ann'))
    expect(known.isKnown(address(0))).toBe(true)
    known.note('203.0.113.1', proof('bob'))
    expect([known.isKnown(address(0)), known.isKnown(address(1))]).toEqual([false, true])
    // Nothing is kept of what had to go.
    const { addresses, accounts } = known as unknown as Record<'addresses' | 'accounts', Map<string, unknown>>
    expect([addresses.size, accounts.has('user-9')]).toEqual([4096, false])
  })

  it('keeps 4096 in all', () => {
    for (let i = 0; i <= 128; i++) standing.set(`user-${i}`, '1')
    const known = make()
    for (let i = 0; i < 4097; i++) {
      clock.pass(1)
      known.note(`10.0.${i >> 8}.${i & 255}`, proof(`user-${Math.floor(i / MOST_OF_ONE)}`))
    }
    expect(known.isKnown('10.0.0.0')).toBe(false)
    expect(known.isKnown('10.0.0.1')).toBe(true)
    expect(known.isKnown('10.0.16.0')).toBe(true)
  })

  it('writes once for many notes, and again for an address that is seen all the time once an hour', () => {
    const known = make()
    for (let i = 0; i < 20; i++) known.note(`192.0.2.${i}`, proof('ann'))
    known.save()
    rmSync(file())
    clock.pass(3_600_000 - 1)
    known.note('192.0.2.1', proof('ann'))
    known.save()
    expect(statSync(file(), { throwIfNoEntry: false })).toBeUndefined()
    clock.pass(1)
    known.note('192.0.2.1', proof('ann'))
    known.save()
    expect(JSON.parse(readFileSync(file(), 'utf8')).known.at(-1)).toEqual(['192.0.2.1', 'ann', '1', clock.steady()])
  })

  it('starts empty from a file that is garbage', () => {
    for (const text of ['', 'null', '{}', '[1]', '{"written":1,"known":[]}', '{"known":[["a","ann","1",1]]}']) {
      writeFileSync(file(), text)
      expect(make().isKnown('a')).toBe(false)
    }
  })
})
