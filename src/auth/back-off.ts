// Back-off per address after wrong credentials: five failures are free, then 1, 2, 4 … seconds, at most a minute. Right
// credentials from another address are not affected. Not a limiter package: those are asynchronous, and one await in
// the path of every request costs more than the rest of this check.
import { isIPv6 } from 'node:net'
import * as z from 'zod'
import { readJson } from '../store/atomic.ts'
import { LazyFile } from '../store/lazy-file.ts'
import { CLOCK, type Clock, shiftSince, Written, writtenNow } from './clock.ts'

const FREE = 5
const LONGEST = 60_000
const FORGET = 15 * 60_000
const MOST = 10_000

interface Entry {
  failures: number
  /** Steady milliseconds until which the address waits: correcting the wall clock neither extends nor ends a wait. */
  until: number
}

/** IPv4 as it is, mapped IPv4 unwrapped, IPv6 by its /64: addresses that one caller can have many of count as one. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':') && !address.includes('%')) return address
  const plain = address.split('%', 1)[0] ?? ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1]
  if (mapped) return mapped
  if (!isIPv6(plain) || plain === '::1') return plain
  const [head = '', rest = ''] = plain.toLowerCase().split('::', 2)
  const left = head ? head.split(':') : []
  const zeros = 8 - left.length - (rest ? rest.split(':').length : 0)
  const groups = plain.includes('::') ? [...left, ...Array(Math.max(0, zeros)).fill('0'), ...rest.split(':')] : left
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':')}::/64`
}

const Saved = z.object({ written: Written, entries: z.array(z.tuple([z.string(), z.number(), z.number()])) })

export interface BackOffOptions {
  /** Failures without a wait. */
  free?: number
  /** Milliseconds. */
  longest?: number
}

export class BackOff {
  private readonly entries = new Map<string, Entry>()
  private readonly clock: Clock
  private readonly free: number
  private readonly longest: number
  private readonly saved: LazyFile

  /** `file` keeps the counters across a restart; without it they live in memory. */
  constructor(file?: string, clock: Clock = CLOCK, { free = FREE, longest = LONGEST }: BackOffOptions = {}) {
    this.clock = clock
    this.free = free
    this.longest = longest
    this.saved = new LazyFile(file, () => this.render())
    const found = Saved.safeParse(file ? readJson(file) : undefined).data
    const shift = found ? shiftSince(found.written, clock) : 0
    // After a boot with a wrong clock nobody may be locked out for longer than the longest wait.
    for (const [address, failures, until] of found?.entries ?? [])
      this.entries.set(address, { failures, until: Math.min(until + shift, clock.steady() + longest) })
  }

  /** Seconds that this address has to wait; 0 if it may try. */
  wait(address: string): number {
    return Math.ceil(this.left(address) / 1000)
  }

  /** The same in milliseconds. */
  left(address: string): number {
    if (this.entries.size === 0) return 0
    const entry = this.entries.get(canonicalAddress(address))
    return entry ? Math.max(0, entry.until - this.clock.steady()) : 0
  }

  fail(address: string): void {
    const key = canonicalAddress(address)
    const last = this.entries.get(key)
    const now = this.clock.steady()
    const failures = last && now - last.until < FORGET ? last.failures + 1 : 1
    const pause = failures > this.free ? Math.min(this.longest, 1000 * 2 ** Math.min(failures - this.free - 1, 10)) : 0
    this.entries.delete(key)
    // Ordered by the last failure, so the first is the one to forget.
    for (const [old, { until }] of this.entries) {
      if (now - until < FORGET) break
      this.entries.delete(old)
    }
    if (this.entries.size >= MOST) this.entries.delete(this.entries.keys().next().value ?? '')
    this.entries.set(key, { failures, until: now + pause })
    this.saved.soon()
  }

  succeed(address: string): void {
    if (this.entries.size > 0 && this.entries.delete(canonicalAddress(address))) this.saved.soon()
  }

  /** Writes the counters now. */
  save(): void {
    this.saved.save()
  }

  private render(): string {
    const entries = [...this.entries].map(([key, { failures, until }]) => [key, failures, Math.ceil(until)])
    return `${JSON.stringify({ written: writtenNow(this.clock), entries })}\n`
  }
}
