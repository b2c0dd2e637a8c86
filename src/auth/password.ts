// Password hashes: scrypt, with its parameters in the stored text. Each hash takes 8 or 32 MiB and a core for a tenth
// of a second, and strangers can request any number: so hashes run one at a time, and the queue is bounded. `before` is
// called again when its turn comes, since its answer may have changed.
import { randomBytes, type ScryptOptions, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../errors.ts'
import { FairQueue } from './fair-queue.ts'
import { formsOf, opaque } from './opaque-string.ts'

/**
 * Five passes over 8 MiB cost a guesser more time than one over 32, and this machine a quarter of the memory (`128 * N
 * * R` bytes). But glibc keeps freed memory for each of Node's four threads, unless `scripts/edge-admin` has set a
 * threshold or the block is larger than 32 MiB: 64 MB that were never returned (mallopt(3), M_MMAP_THRESHOLD).
 */
const [N, P] = process.env['MALLOC_MMAP_THRESHOLD_'] ? [2 ** 13, 5] : [2 ** 15, 1]
const R = 8
const LENGTH = 32
/** Also enough for hashes of an older version, which took 32 MiB. */
const MEMORY = 2 ** 26
/** Queue places for strangers, and those reserved for addresses that were proven before. */
const STRANGERS = 128
const KEPT = 64

const STORED = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22,})\$([A-Za-z0-9_-]{43})$/
/** A hash that matches no password: an account that does not exist takes the same time as one that does. */
const UNMATCHABLE = render(randomBytes(16), randomBytes(LENGTH))

function render(salt: Buffer, hash: Buffer): string {
  return `scrypt$${N}$${R}$${P}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** For the very first start only, because it blocks. */
export function hashPasswordNow(password: string): string {
  const salt = randomBytes(16)
  return render(salt, scryptSync(opaque(password), salt, LENGTH, { N, r: R, p: P, maxmem: MEMORY }))
}

/** The caller that a hash is made for; callers take turns by address. */
export interface From {
  address: string
  /** Whether an account was proven from there before. */
  known: boolean
}

const STRANGER: From = { address: '', known: false }

interface Waiting {
  go: () => void
  refuse: (error: Error) => void
}

export class Passwords {
  private readonly places: number
  private readonly derive: typeof derive
  private busy = 0
  private readonly strangers = new FairQueue<Waiting>(STRANGERS)
  private readonly known = new FairQueue<Waiting>(KEPT)
  private lastWasKnown = false

  /** `work` replaces the hash itself in tests. */
  constructor(places = 1, work: typeof derive = derive) {
    this.places = places
    this.derive = work
  }

  hash(password: string, from: From = STRANGER): Promise<string> {
    return this.inTurn(from, async () => {
      const salt = randomBytes(16)
      return render(salt, await this.derive(opaque(password), salt, { N, r: R, p: P }))
    })
  }

  /**
   * Whether `password` matches `stored`; without `stored` it never does, but takes as long as for `like`. `before` may
   * throw a refusal. A password with accents is also tried in its other Unicode forms: each waits for a turn like the
   * first, and `before` is called again.
   */
  async verify(
    password: string,
    stored: string | undefined,
    before: () => void = () => {},
    from: From = STRANGER,
    like = UNMATCHABLE,
  ): Promise<boolean> {
    const parts = STORED.exec(stored ?? UNMATCHABLE)
    const cost = STORED.exec(stored ?? like)
    if (!parts || !cost) throw new Error('a stored password hash is not one')
    const [n, r, p] = cost.slice(1, 4).map(Number)
    const [salt, expected] = [Buffer.from(parts[4]!, 'base64url'), Buffer.from(parts[5]!, 'base64url')]
    // scrypt ignores trailing zero bytes, and all unpaired surrogates encode alike.
    const possible = stored !== undefined && !/[\0\p{Surrogate}]/u.test(password)
    for (const form of formsOf(password)) {
      const same = await this.inTurn(from, async () => {
        before()
        return timingSafeEqual(await this.derive(form, salt, { N: n, r, p }), expected)
      })
      if (same) return possible
    }
    return false
  }

  private async inTurn<T>({ address, known }: From, work: () => Promise<T>): Promise<T> {
    if (this.busy >= this.places) {
      // A finished hash hands its place over directly, so that no newcomer takes it.
      await new Promise<void>((go, refuse) => {
        const gone = (known ? this.known : this.strangers).add(address, { go, refuse })
        gone?.refuse(new ApiError('unavailable', 'Too many logins at once', { retryAfter: 5 }))
      })
    } else this.busy += 1
    try {
      return await work()
    } finally {
      const next = this.next()
      if (next) next.go()
      else this.busy -= 1
    }
  }

  /** Alternates between known callers and strangers: neither can block the other. */
  private next(): Waiting | undefined {
    const [first, second] = this.lastWasKnown ? [this.strangers, this.known] : [this.known, this.strangers]
    const from = first.size > 0 ? first : second
    this.lastWasKnown = from === this.known
    return from.next()
  }
}

function derive(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, LENGTH, { ...options, maxmem: MEMORY }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    )
  })
}
