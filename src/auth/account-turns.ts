// Paces guesses at one account from unknown addresses: some are free, further ones take turns so slowly that guessing
// from very many addresses is hopeless. Nobody is locked out: a caller who returns after a refusal is served before
// later arrivals.
import { ApiError, tooMany } from '../errors.ts'
import { type BackOff, canonicalAddress } from './back-off.ts'
import { networkOf } from './fair-queue.ts'

/** Attempts held per account; further ones are refused with 429. */
export const MOST_WAITING = 8
/** Milliseconds after which a waiting caller is refused and asked to come back; the place in the queue is kept. */
const LONGEST_WAIT = 30_000
/** Networks and addresses whose place in the queue is kept until they return. */
const MOST_REMEMBERED = 1024

interface Waiting {
  network: string
  address: string
  /** Arrival time, used if the address has no remembered place. */
  came: number
  go: () => void
  refuse: (error: Error) => void
}

interface Line {
  waiting: Waiting[]
  /** The arrival since which each network, and each address, has been waiting. */
  since: Map<string, number>
  timer: NodeJS.Timeout | undefined
}

export class AccountTurns {
  private readonly attempts: BackOff
  private readonly lines = new Map<string, Line>()
  private arrivals = 0

  /** `attempts` counts and paces the attempts per account. */
  constructor(attempts: BackOff) {
    this.attempts = attempts
  }

  /** Resolves once this attempt may be made, and counts it. Throws the 429 if too many wait. */
  async take(account: string, from: string): Promise<void> {
    const line = this.lines.get(account)
    if (!line && this.attempts.left(account) === 0) return this.attempts.fail(account)
    await this.join(account, line ?? this.begin(account), from)
  }

  /** Refuses all waiting attempts: the server stops. */
  close(): void {
    for (const [account, { waiting, timer }] of this.lines) {
      clearTimeout(timer)
      this.lines.delete(account)
      for (const { refuse } of waiting) refuse(new ApiError('unavailable', 'The server is stopping', { retryAfter: 5 }))
    }
  }

  private begin(account: string): Line {
    const line: Line = { waiting: [], since: new Map(), timer: undefined }
    this.lines.set(account, line)
    this.plan(account, line)
    return line
  }

  private join(account: string, line: Line, from: string): Promise<void> {
    const [network, address] = [`network ${networkOf(from)}`, canonicalAddress(from)]
    this.arrivals += 1
    for (const key of [network, address]) this.remember(line, key)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        line.waiting = line.waiting.filter((one) => one !== mine)
        reject(this.comeBack(account))
      }, LONGEST_WAIT)
      const mine: Waiting = {
        ...{ network, address, came: this.arrivals },
        go: () => {
          clearTimeout(late)
          resolve()
        },
        refuse: (error) => {
          clearTimeout(late)
          reject(error)
        },
      }
      line.waiting.push(mine)
      if (line.waiting.length > MOST_WAITING) this.pushOut(line).refuse(this.comeBack(account))
    })
  }

  /** Drops the entry that has not returned for longest, to make room. */
  private remember({ since }: Line, key: string): void {
    const place = since.get(key) ?? this.arrivals
    since.delete(key)
    if (since.size >= MOST_REMEMBERED) since.delete(since.keys().next().value ?? '')
    since.set(key, place)
  }

  private comeBack(account: string): Error {
    return tooMany('failed logins', Math.max(1, this.attempts.wait(account)))
  }

  /** The longest waiting first, by network and then by address. */
  private inOrder({ waiting, since }: Line): Waiting[] {
    const rank = (key: string, { came }: Waiting) => since.get(key) ?? came
    return waiting.sort((a, b) => rank(a.network, a) - rank(b.network, b) || rank(a.address, a) - rank(b.address, b))
  }

  /** The latest arrival of the network with the most waiting. */
  private pushOut(line: Line): Waiting {
    const order = this.inOrder(line)
    const count = (of: Waiting) => order.filter(({ network }) => network === of.network).length
    const last = order.reduce((found, one) => (count(one) >= count(found) ? one : found))
    order.splice(order.indexOf(last), 1)
    return last
  }

  private plan(account: string, line: Line): void {
    line.timer = setTimeout(
      () => {
        // Timers may fire slightly early.
        if (this.attempts.left(account) > 0) return this.plan(account, line)
        const next = this.inOrder(line).shift()
        if (next) {
          this.attempts.fail(account)
          line.since.set(next.network, ++this.arrivals)
          line.since.delete(next.address)
          next.go()
        }
        if (line.waiting.length > 0) this.plan(account, line)
        else this.lines.delete(account)
      },
      Math.ceil(this.attempts.left(account)),
    )
  }
}
