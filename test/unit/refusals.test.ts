// Refusals that are gathered: nothing that a stranger does makes the log grow with it, and nothing of it is silently lost.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuditLog } from '../../src/http/pipeline/audit.ts'
import type { AuditEntry } from '../../src/http/pipeline/audit-entry.ts'
import type { Entry } from '../../src/store/audit/record.ts'
import { SampleLog } from './audit-log.ts'

const MINUTE = 60_000
let folder: string
let chain: SampleLog
let log: AuditLog
const open = (size: number) => new AuditLog(join(folder, 'lines.log'), () => {}, chain.chain, { size })
beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:30Z') })
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  chain = new SampleLog({ segment: 64 << 10, size: 1 << 20 })
  log = open(16 << 20)
})
afterEach(() => {
  vi.useRealTimers()
  chain.remove()
  rmSync(folder, { recursive: true })
})

const refusal = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ event: 'auth.unauthorized', target: 'api/v1/pools', address: '192.0.2.1', failure: '401', actor: 'nobody' },
  ...more,
})
const change = (name: string): AuditEntry => ({
  ...{ event: 'users.create', target: `users/${name}`, address: '192.0.2.9', account: 'user-1', name: 'alice' },
})
const all = (): Entry[] => chain.all().filter(({ actor }) => actor !== 'system')
const lines = () => readFileSync(join(folder, 'lines.log'), 'utf8').trimEnd().split('\n')
/** How many refusals the log tells of, one by one and together. */
const told = () =>
  all()
    .filter(({ result }) => result === 'failure')
    .reduce((sum, { message = '' }) => sum + Number(/(\d+) (?:more in|refusals of)/.exec(message)?.[1] ?? 1), 0)

describe('refusals of a stranger', () => {
  it('are entered one by one while they are few', () => {
    for (let i = 0; i < 5; i++) log.write(refusal())
    expect(all().map(({ actor, message, ip }) => [actor, message, ip])).toEqual(
      Array.from({ length: 5 }, () => ['nobody', '401', '192.0.2.1']),
    )
  })

  it('are counted together at the end of the minute, by address, reason and claimed name', () => {
    for (let i = 0; i < 1000; i++) log.write(refusal())
    for (let i = 0; i < 100; i++) log.write(refusal({ event: 'auth.login.failed', name: 'alice' }))
    const before = all().length
    expect(before).toBeLessThanOrEqual(60)
    vi.advanceTimersByTime(MINUTE)
    const gathered = all().slice(before)
    expect(gathered.map(({ action, name, ip, message }) => [action, name, ip, message])).toEqual([
      ['auth.unauthorized', undefined, '192.0.2.1', '401: 980 more in the minute from 2026-01-01T00:00:30.000Z'],
      ['auth.login', 'alice', '192.0.2.1', '401: 80 more in the minute from 2026-01-01T00:00:30.000Z'],
    ])
    expect(told()).toBe(1100)
    expect(lines()).toHaveLength(all().length)
    // And nothing more comes of it.
    vi.advanceTimersByTime(10 * MINUTE)
    expect(all()).toHaveLength(before + 2)
  })

  it('of one IPv6 network are one caller’s', () => {
    for (let i = 0; i < 300; i++) log.write(refusal({ address: `2001:db8:1:2::${i.toString(16)}` }))
    log.close()
    expect(
      chain
        .open()
        .find({ limit: 1000 })
        .find(({ message }) => message?.includes('more'))?.ip,
    ).toBe('2001:db8:1:2::/64')
  })

  it('from any number of addresses cost a bounded number of entries, and no memory', () => {
    for (let i = 0; i < 50_000; i++) log.write(refusal({ address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }))
    vi.advanceTimersByTime(MINUTE)
    expect(all().length).toBeLessThan(100)
    expect(told()).toBe(50_000)
    const strangers = (log as unknown as { strangers: { kinds: Map<string, unknown> } }).strangers
    log.write(refusal())
    expect(strangers.kinds.size).toBe(1)
  })

  it('are counted for two hundred kinds each for itself, and for no more', () => {
    for (let i = 0; i < 201; i++) log.write(refusal({ address: `10.0.0.${i}` }))
    for (let i = 0; i < 50; i++) for (const last of [199, 200]) log.write(refusal({ address: `10.0.0.${last}` }))
    vi.advanceTimersByTime(MINUTE)
    const gathered = (ip: string) => all().filter((entry) => entry.ip === ip && entry.message?.includes('more in'))
    expect([gathered('10.0.0.199').length, gathered('10.0.0.200').length]).toEqual([1, 0])
    expect(told()).toBe(301)
  })

  it('never push out the entry of a change, however many come for a day', () => {
    log.write(change('first'))
    for (let minute = 0; minute < 60 * 24; minute++) {
      for (let i = 0; i < 40; i++) log.write(refusal({ address: `10.0.${minute & 255}.${i}`, agent: '"'.repeat(256) }))
      vi.advanceTimersByTime(MINUTE)
    }
    // What has used up the budget is a line an hour.
    expect(all().length).toBeLessThan(1000)
    log.close()
    chain.chain = chain.open()
    expect(told()).toBe(60 * 24 * 40)
    expect(all()[0]).toMatchObject({ action: 'users.create', resource: 'users/first' })
  })

  it('are entered before the log is closed', () => {
    for (let i = 0; i < 100; i++) log.write(refusal())
    log.close()
    chain.chain = chain.open()
    expect(told()).toBe(100)
    expect(chain.verify().bad).toBeUndefined()
  })
})

describe('refusals of somebody known', () => {
  const denied = (account: string) =>
    refusal({ account, name: account, refusal: true, event: 'auth.forbidden', failure: '403' })
  it('are an entry each, with a bound for whoever makes thousands', () => {
    for (let i = 0; i < 200; i++) log.write(denied('user-1'))
    expect(all()).toHaveLength(200)
    for (let i = 0; i < 9800; i++) log.write(denied('user-1'))
    for (let i = 0; i < 5; i++) log.write(denied('user-2'))
    vi.advanceTimersByTime(MINUTE)
    expect(all().length).toBeLessThan(320)
    expect(all().at(-1)).toMatchObject({ actor: 'user-1', name: 'user-1', ip: '192.0.2.1' })
    expect(told()).toBe(10_005)
  })

  it('are not what failed when it was done: that is always an entry of its own', () => {
    for (let i = 0; i < 2000; i++) log.write({ ...change(`u${i}`), failure: '502 zfs failed' })
    expect(all().length).toBe(2000)
  })
})
