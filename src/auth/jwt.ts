// Bearer tokens: JWT with HS256 only, signed with the appliance's secret. A signature proves only that the server
// issued the token; whether it is still valid (the account's generation, a logout) is checked at each request. Its age
// is measured by the steady clock during the boot that issued it, and by the wall clock afterwards.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sign, verify } from 'hono/jwt'
import * as z from 'zod'
import { errno } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { writeAtomic } from '../store/atomic.ts'
import { type Boot, newTokenId, readTokenId } from './boots.ts'
import { CLOCK, type Clock } from './clock.ts'
import { inForce } from './in-force.ts'
import type { Principal, Session } from './principal.ts'
import type { StoredUser, UserStore } from './users.ts'

export const ISSUER = 'edge-admin'
export const AUDIENCE = 'edge-admin/controller'
export const LIFETIME = 86_400
const SECRET_BYTES = 32

/** The scheme in any case (RFC 9110, 11.1), and one token of three parts. */
const BEARER = /^[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{43})$/

const Claims = z.object({
  iss: z.literal(ISSUER),
  aud: z.literal(AUDIENCE),
  sub: z.string(),
  jti: z.string().min(1),
  gen: z.int(),
  iat: z.int(),
  exp: z.int(),
})
type Claims = z.infer<typeof Claims>

export const secretFile = (folders: Folders) => join(folders.state, 'jwt.secret')

/** The secret, made on first use. Throws if the file does not contain exactly 32 bytes: a short key is insecure. */
export function readSecret(folders: Folders): Buffer {
  const file = secretFile(folders)
  let secret: Buffer
  try {
    secret = readFileSync(file)
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
    secret = randomBytes(SECRET_BYTES)
    writeAtomic(file, secret, 0o600)
  }
  if (secret.length !== SECRET_BYTES) throw new Error(`${file}: expected ${SECRET_BYTES} bytes`)
  return secret
}

export class Tokens {
  private readonly key: ReturnType<typeof importKey>
  private readonly users: UserStore
  private readonly clock: Clock
  private readonly boot: Boot

  constructor(secret: Buffer, users: UserStore, clock: Clock = CLOCK, boot: Boot = NO_BOOT) {
    this.key = importKey(secret)
    this.users = users
    this.clock = clock
    this.boot = boot
  }

  async issue({ id, generation }: StoredUser): Promise<string> {
    const iat = Math.floor(this.clock.wall() / 1000)
    const jti = newTokenId(this.boot, this.clock)
    const claims: Claims = {
      iss: ISSUER,
      aud: AUDIENCE,
      sub: id,
      jti,
      gen: generation,
      iat,
      exp: iat + LIFETIME,
    }
    return sign(claims, await this.key, 'HS256')
  }

  /** The caller that an Authorization header proves; undefined for anything but a valid token. */
  async authenticate(header: string | undefined): Promise<Principal | undefined> {
    const token = BEARER.exec(header ?? '')?.[1]
    if (!token || !isCanonical(token)) return undefined
    let payload: unknown
    try {
      payload = await verify(token, await this.key, {
        ...{ alg: 'HS256', typ: 'JWT', iss: ISSUER, aud: AUDIENCE },
        ...{ exp: false, iat: false },
      })
    } catch {
      return undefined
    }
    const claims = Claims.safeParse(payload).data
    const left = claims ? this.left(claims) : 0
    if (!claims || left <= 0) return undefined
    const { sub: id, gen: generation, jti, exp: expires } = claims
    const session: Session = { id: jti, expires, until: this.clock.steady() + left * 1000 }
    const user = inForce({ account: { id, generation }, session }, this.users.all())
    return user && { account: { id, name: user.username, generation }, role: user.role, via: 'jwt', session }
  }

  /** Seconds until a token expires. */
  private left({ iat, exp, jti }: Claims): number {
    const issuedAs = readTokenId(jti)
    if (issuedAs?.boot === this.boot.name) {
      const age = Math.floor(this.clock.steady() / 1000) - issuedAs.issued[1]
      return age < 0 ? 0 : exp - iat - age
    }
    const now = Math.floor(this.clock.wall() / 1000)
    return now < iat ? 0 : exp - now
  }
}

/** For tokens issued outside of a server. */
const NO_BOOT: Boot = { number: 0, name: '0-00000000' }

/** Base64 has unused bits at its end: only one spelling of a token is accepted. */
const isCanonical = (token: string) =>
  token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)

const importKey = (secret: Buffer) =>
  globalThis.crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
