// SEC-10: waiting after failed credentials. Time is handed in, so no test sleeps.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BackOff, canonicalAddress } from '../../src/auth/back-off.ts'
import { TestClock } from '../harness/clock.ts'

let folder: string
let clock: TestClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
})
afterEach(() => rmSync(folder, { recursive: true }))
const file = () => join(folder, 'back-off.json')
const make = (name?: string) => new BackOff(name, clock)
const fail = (backOff: BackOff, times: number, address = '192.0.2.1') => {
  for (let i = 0; i < times; i++) backOff.fail(address)
}

describe('SEC-10 back-off', () => {
  it('lets five failures go free, and then doubles the wait up to a minute', () => {
    const backOff = make()
    const waits = Array.from({ length: 13 }, () => {
      backOff.fail('192.0.2.1')
      return backOff.wait('192.0.2.1')
    })
    expect(waits).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60])
  })
  it('ends when the time is over', () => {
    const backOff = make()
    fail(backOff, 7)
    clock.pass(1999)
    expect(backOff.wait('192.0.2.1')).toBe(1)
    clock.pass(1)
    expect(backOff.wait('192.0.2.1')).toBe(0)
  })
  it('forgets an address after a quarter of an hour of peace', () => {
    const backOff = make()
    fail(backOff, 12)
    clock.pass(60_000 + 15 * 60_000)
    backOff.fail('192.0.2.1')
    expect(backOff.wait('192.0.2.1')).toBe(0)
  })
  it('touches no other address', () => {
    const backOff = make()
    fail(backOff, 20)
    expect(backOff.wait('192.0.2.2')).toBe(0)
  })
  it('forgets the failures of an address that proved itself', () => {
    const backOff = make()
    fail(backOff, 20)
    backOff.succeed('192.0.2.1')
    expect(backOff.wait('192.0.2.1')).toBe(0)
    backOff.fail('192.0.2.1')
    expect(backOff.wait('192.0.2.1')).toBe(0)
  })
  it('survives a restart', () => {
    const before = make(file())
    fail(before, 9)
    before.save()
    const after = make(file())
    expect(after.wait('192.0.2.1')).toBe(8)
    after.fail('192.0.2.1')
    expect(after.wait('192.0.2.1')).toBe(16)
  })
  it('is saved by itself, readable by nobody else', async () => {
    fail(make(file()), 1)
    const deadline = Date.now() + 10_000
    while (!statSync(file(), { throwIfNoEntry: false }) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(JSON.parse(readFileSync(file(), 'utf8')).entries).toEqual([['192.0.2.1', 1, clock.steady()]])
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })
  it('starts empty from a file that is garbage', () => {
    for (const text of ['', 'null', '{}', '[1,2]', '[["a","b","c"]]', '[[]]', '{"written":{},"entries":[["a",9,9]]}']) {
      writeFileSync(file(), text)
      expect(make(file()).wait('a')).toBe(0)
    }
  })
  it('neither stretches nor ends a wait when the wall clock jumps', () => {
    const backOff = make()
    fail(backOff, 12)
    for (const years of [20, -40]) {
      clock.jump(years * 365 * 86_400_000)
      expect(backOff.wait('192.0.2.1')).toBe(60)
    }
    clock.pass(60_000)
    expect(backOff.wait('192.0.2.1')).toBe(0)
  })
  it('goes on after a restart, whatever the wall clock did, and after a boot for a minute at most', () => {
    const before = make(file())
    fail(before, 12)
    before.save()
    clock.pass(10_000).jump(20 * 365 * 86_400_000)
    expect(make(file()).wait('192.0.2.1')).toBe(50)
    clock.reboot().jump(-40 * 365 * 86_400_000)
    expect(make(file()).wait('192.0.2.1')).toBe(60)
  })
  it('goes on when its file cannot be written', () => {
    const backOff = make(join(folder, 'no/such/folder.json'))
    fail(backOff, 6)
    backOff.save()
    expect(backOff.wait('192.0.2.1')).toBe(1)
  })
  it('keeps nothing of those that it has forgotten', () => {
    const backOff = make(file())
    fail(backOff, 6, '192.0.2.7')
    for (let i = 0; i < 100; i++) backOff.fail(`10.0.0.${i}`)
    clock.pass(15 * 60_000)
    backOff.fail('203.0.113.1')
    backOff.save()
    const kept = () => JSON.parse(readFileSync(file(), 'utf8')).entries.map(([address]: [string]) => address)
    // The first waited for a second, and counts from the end of it.
    expect(kept()).toHaveLength(102)
    clock.pass(1000)
    backOff.fail('203.0.113.1')
    backOff.save()
    expect(kept()).toEqual(['203.0.113.1'])
  })
  it('remembers ten thousand addresses and drops the oldest', () => {
    const backOff = make()
    fail(backOff, 6, '198.51.100.1')
    for (let i = 0; i < 9_999; i++) backOff.fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(backOff.wait('198.51.100.1')).toBe(1)
    backOff.fail('203.0.113.1')
    expect(backOff.wait('198.51.100.1')).toBe(0)
  })
  it('drops who failed once and not again before who goes on', () => {
    const backOff = make()
    fail(backOff, 6, '198.51.100.1')
    fail(backOff, 6, '198.51.100.2')
    fail(backOff, 1, '198.51.100.1')
    for (let i = 0; i < 9_999; i++) backOff.fail(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect([backOff.wait('198.51.100.1'), backOff.wait('198.51.100.2')]).toEqual([2, 0])
  })
})

describe('SEC-28 an address', () => {
  const same: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::1', '::1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:0db8::ffff:1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['local', 'local'],
  ]
  for (const [given, canonical] of same) {
    it(`counts as one caller: ${given}`, () => expect(canonicalAddress(given)).toBe(canonical))
  }
  it('of a mapped IPv4 peer waits with the plain one', () => {
    const backOff = make()
    fail(backOff, 6, '::ffff:192.0.2.1')
    expect(backOff.wait('192.0.2.1')).toBe(1)
  })
})
