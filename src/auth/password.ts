// Passwords at rest: scrypt, its parameters in the stored text. The trap: each hash takes 32 MiB and a core for a tenth of a second, so
// there is a queue with one place per core and an end; `before` is asked again once a place is free, since the answer may have changed.
import { randomBytes, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { ApiError } from '../http/errors.ts'

const N = 2 ** 15
const R = 8
const P = 1
const LENGTH = 32
/** Node's own limit is exactly what N and R need, and so a few bytes too little. */
const MEMORY = 2 * 128 * N * R
const LONGEST_QUEUE = 128

const STORED = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22,})\$([A-Za-z0-9_-]{43})$/
/** Nobody's password: an account that does not exist costs the same time as one that does. */
const NOBODY = render(randomBytes(16), randomBytes(LENGTH))

function render(salt: Buffer, hash: Buffer): string {
  return `scrypt$${N}$${R}$${P}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** For the very first start only: it blocks. */
export function hashPasswordNow(password: string): string {
  const salt = randomBytes(16)
  return render(salt, scryptSync(password, salt, LENGTH, { N, r: R, p: P, maxmem: MEMORY }))
}

export class Passwords {
  private readonly places: number
  private busy = 0
  private readonly waiting: (() => void)[] = []

  constructor(places: number = availableParallelism()) {
    this.places = places
  }

  hash(password: string): Promise<string> {
    return this.inTurn(async () => {
      const salt = randomBytes(16)
      return render(salt, await derive(password, salt, { N, r: R, p: P }))
    })
  }

  /** Whether `password` is the one of `stored`; without `stored` it is not, and takes as long. `before` may throw a refusal. */
  verify(password: string, stored: string | undefined, before: () => void = () => {}): Promise<boolean> {
    return this.inTurn(async () => {
      before()
      const parts = STORED.exec(stored ?? NOBODY)
      if (!parts) throw new Error('a stored password hash is not one')
      const [n, r, p] = parts.slice(1, 4).map(Number)
      const hash = await derive(password, Buffer.from(parts[4]!, 'base64url'), { N: n, r, p })
      const same = timingSafeEqual(hash, Buffer.from(parts[5]!, 'base64url'))
      // To scrypt a password is the same with and without zeros at its end.
      return same && stored !== undefined && !password.includes('\0')
    })
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.busy >= this.places) {
      if (this.waiting.length >= LONGEST_QUEUE)
        throw new ApiError('unavailable', 'Too many logins at once', { retryAfter: 5 })
      // Whoever leaves hands the place over, so that nobody slips in between.
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    } else this.busy += 1
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.busy -= 1
    }
  }
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, LENGTH, { ...options, maxmem: MEMORY }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    )
  })
}
