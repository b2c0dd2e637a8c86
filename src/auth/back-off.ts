// Back-off after failed credentials, per address: five are free, then 1, 2, 4 … seconds, at most a minute. A right credential from
// another address is never touched. Our own 60 lines instead of a limiter package: those are asynchronous, and this check is in the
// path of every request, where one await costs more than the rest of it.
import { isIPv6 } from 'node:net'
import { readJson, writeAtomic } from '../store/atomic.ts'

const FREE = 5
const LONGEST = 60_000
const FORGET = 15 * 60_000
const MOST = 10_000

interface Entry {
  failures: number
  /** Milliseconds since 1970 until which the address waits. */
  until: number
}

/** IPv4 as it is, mapped IPv4 unwrapped, IPv6 by its /64: what one caller can have many of counts as one. */
export function canonicalAddress(address: string): string {
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

export class BackOff {
  private readonly entries = new Map<string, Entry>()
  private readonly file: string | undefined
  private readonly now: () => number
  private readonly free: number
  private readonly longest: number
  private timer: NodeJS.Timeout | undefined
  private changed = false

  /** `file` keeps the counters through a restart; without it they live in memory. */
  constructor(
    file?: string,
    now: () => number = Date.now,
    { free = FREE, longest = LONGEST }: { free?: number; longest?: number } = {},
  ) {
    this.file = file
    this.now = now
    this.free = free
    this.longest = longest
    const saved = file ? readJson(file) : undefined
    if (!Array.isArray(saved)) return
    for (const entry of saved) {
      const [address, failures, until] = Array.isArray(entry) ? entry : []
      if (typeof address === 'string' && typeof failures === 'number' && typeof until === 'number') {
        // A clock that was set back must not lock anybody out for longer than the longest wait.
        this.entries.set(address, { failures, until: Math.min(until, now() + longest) })
      }
    }
  }

  /** Seconds that this address still has to wait; 0 when it may try. */
  wait(address: string): number {
    if (this.entries.size === 0) return 0
    const entry = this.entries.get(canonicalAddress(address))
    if (!entry) return 0
    // A clock that is set back meanwhile (the first time signal after a boot) must not stretch a wait into years.
    entry.until = Math.min(entry.until, this.now() + this.longest)
    return Math.max(0, Math.ceil((entry.until - this.now()) / 1000))
  }

  fail(address: string): void {
    const key = canonicalAddress(address)
    const last = this.entries.get(key)
    const failures = last && this.now() - last.until < FORGET ? last.failures + 1 : 1
    const pause = failures > this.free ? Math.min(this.longest, 1000 * 2 ** Math.min(failures - this.free - 1, 10)) : 0
    this.entries.delete(key)
    if (this.entries.size >= MOST) this.entries.delete(this.entries.keys().next().value ?? '')
    this.entries.set(key, { failures, until: this.now() + pause })
    this.saveSoon()
  }

  succeed(address: string): void {
    if (this.entries.size > 0 && this.entries.delete(canonicalAddress(address))) this.saveSoon()
  }

  private saveSoon(): void {
    this.changed = true
    if (!this.file || this.timer) return
    this.timer = setTimeout(() => this.save(), 100)
    this.timer.unref()
  }

  /** Writes the counters now. A disk that is full costs their survival, not the service. */
  save(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    // A server that could not start (the port is taken) must not overwrite what the running one counted.
    if (!this.file || !this.changed) return
    this.changed = false
    try {
      writeAtomic(
        this.file,
        JSON.stringify([...this.entries].map(([key, { failures, until }]) => [key, failures, until])),
        0o600,
      )
    } catch {
      // Counted again in memory; the next failure tries to save again.
    }
  }
}
