// Limits requests per minute for each caller: an account, or else an address. Addresses are easily made up, so the
// table is bounded, and anonymous callers cannot push accounts out of it.
import { canonicalAddress } from '../../auth/back-off.ts'
import { accountOf, type Principal } from '../../auth/principal.ts'
import { tooMany } from '../../errors.ts'

/** Seconds. */
export const WINDOW = 60
const MOST = 10_000

interface Window {
  /** Monotonic milliseconds: the wall clock may jump by years after a boot. */
  began: number
  requests: number
}

export class RequestLimit {
  private readonly most: number
  private readonly now: () => number
  private readonly accounts = new Map<string, Window>()
  private readonly addresses = new Map<string, Window>()

  constructor(most: number, now: () => number = () => performance.now()) {
    this.most = most
    this.now = now
  }

  /** Counts one request; throws the 429 above the limit. */
  count(address: string, principal: Principal | undefined): void {
    const table = principal ? this.accounts : this.addresses
    const key = accountOf(principal) ?? canonicalAddress(address)
    const window = this.current(table, key)
    window.requests += 1
    if (window.requests <= this.most) return
    const retryAfter = Math.ceil(WINDOW - (this.now() - window.began) / 1000)
    throw tooMany('requests', retryAfter)
  }

  private current(table: Map<string, Window>, key: string): Window {
    const known = table.get(key)
    if (known && this.now() - known.began < WINDOW * 1000) return known
    // The table is ordered by the start of the window, so the first is the oldest.
    table.delete(key)
    if (table.size >= MOST) table.delete(table.keys().next().value ?? '')
    const window = { began: this.now(), requests: 0 }
    table.set(key, window)
    return window
  }

  get size(): number {
    return this.accounts.size + this.addresses.size
  }
}
