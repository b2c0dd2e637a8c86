// The appliance's one API token, stored as `sha256 <hex>` in etc/api.token: the legacy HMAC needs exactly that digest,
// not the token. Other programs (SFTP, a vendor's script) may put a plain token there at any time; it works at the next
// request and is then rewritten. A token cannot contain a blank, so the two forms cannot be confused.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { errno } from '../errors.ts'
import { etc, type Folders } from '../folders.ts'
import { readEdited, readText, replaceAtomic } from '../store/atomic.ts'
import { CachedFile } from '../store/cached-file.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { decodeText } from '../store/text.ts'
import type { Proof } from './known-addresses.ts'
import { formsOf } from './opaque-string.ts'
import type { Principal } from './principal.ts'

/** The first line of the file in the stored form. */
export const STORED = /^sha256 ([0-9a-f]{64})$/

/** The 94 characters allowed in a token (ASCII 33 to 126), as the original lists them in its error text. */
export const TOKEN_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')

/** The key of the legacy HMAC: the lower-case hex SHA-256 of the token, as text (facts: jidoteki.md 4). */
export const tokenKey = (token: string | Buffer) => createHash('sha256').update(token).digest('hex')

/**
 * Sets the token durably, and ends a pending first run. The order matters: after a crash in between, the new token is
 * in force.
 */
export function storeToken(folders: Folders, token: string): void {
  checkpoint('setup-started')
  replaceAtomic(etc(folders, 'api.token'), `sha256 ${tokenKey(token)}\n`, 0o600)
  checkpoint('setup-stored')
  endFirstRun(folders)
}

/** The phrase of a first run is useless once another token is in force. */
export function endFirstRun(folders: Folders): void {
  replaceAtomic(etc(folders, 'api.token.setup'), '', 0o600)
  checkpoint('setup-ended')
}

const MOMENT = 2000

export interface Credentials {
  token?: string | undefined
  hash?: string | undefined
}

/** Reads the token file when it has changed, and checks credentials against it. */
export class TokenStore {
  private readonly folders: Folders
  private readonly warn: (text: string) => void
  private readonly key: CachedFile<string | undefined>
  /** The key that corresponds to the first-run phrase; undefined without a phrase. */
  private readonly phraseKey: CachedFile<string | undefined>
  /** METHOD+path → expected hash. The legacy hash has no nonce, so it is constant for each endpoint and token. */
  private readonly hashes = new Map<string, Buffer>()
  private unreadable = false
  /** Whether there has been a token since the start. */
  private seen = false
  private proven: { key: string; proof: Proof } | undefined

  constructor(folders: Folders, warn: (text: string) => void = () => {}) {
    this.folders = folders
    this.warn = warn
    const file = etc(folders, 'api.token')
    this.key = new CachedFile(file, (there) => {
      this.hashes.clear()
      return there ? this.read(file) : undefined
    })
    const setup = etc(folders, 'api.token.setup')
    this.phraseKey = new CachedFile(setup, (there) => {
      const phrase = there ? readPhrase(setup) : undefined
      return phrase ? tokenKey(phrase) : undefined
    })
  }

  /** The current key; undefined if no token is set: then nobody can authenticate. */
  current(): string | undefined {
    const key = this.key.get()
    // A temporary fault (no file descriptor left) must not outlast its cause.
    if (this.unreadable) this.key.forget()
    return key
  }

  /**
   * Whether set-up is open to anyone: only while there is no token file at all. An empty or unreadable file does not
   * open it.
   */
  isUnset(): boolean {
    return lstatSync(etc(this.folders, 'api.token'), { throwIfNoEntry: false }) === undefined
  }

  /**
   * The same for a stranger, who would take over the appliance. A token that has just vanished may be about to return
   * (an image's tool that replaces it with a link, a `mv` from another disk), so it must be missing for MOMENT
   * milliseconds.
   */
  async staysUnset(): Promise<boolean> {
    if (!this.isUnset() || !this.seen) return this.isUnset()
    await pause(MOMENT)
    return this.isUnset()
  }

  /**
   * The proof by which an address is remembered for the token; ends with the token, and cannot be used to authenticate.
   */
  proof(): Proof | undefined {
    const key = this.current()
    if (key === undefined) return undefined
    if (this.proven?.key !== key)
      this.proven = { key, proof: { account: 'token', version: tokenKey(key).slice(0, 16) } }
    return this.proven.proof
  }

  private read(file: string): string | undefined {
    let bytes: Buffer
    this.unreadable = false
    try {
      bytes = readFileSync(file)
    } catch (error) {
      this.unreadable = true
      this.warn(`the token file cannot be read: ${errno(error)}`)
      return undefined
    }
    const line = firstLineOf(bytes, this.warn)
    if (line.length === 0) return undefined
    const stored = STORED.exec(line.toString('latin1'))?.[1]
    if (stored) {
      this.seen = true
      return stored
    }
    const key = tokenKey(line)
    this.seen = true
    // While the first run is pending, the phrase is in api.token.setup in clear for the person at the console anyway.
    // Other tokens are never stored in clear.
    const phrase = readPhrase(etc(this.folders, 'api.token.setup'))
    if (phrase === undefined || tokenKey(phrase) !== key) {
      try {
        const lost = replaceAtomic(file, `sha256 ${key}\n`, 0o600)
        if (lost) this.warn(`the token file was converted, and ${lost}`)
      } catch (error) {
        this.warn(`a plain token file could not be converted: ${errno(error)}`)
      }
    }
    return key
  }

  /** Set-up is pending while api.token.setup still holds the phrase that is the token. */
  pending(): boolean {
    const key = this.phraseKey.get()
    return key !== undefined && key === this.current()
  }

  /** If a hash is given, it alone decides; otherwise the token. `path` is the decoded path without its query. */
  authenticate(method: string, path: string, { token, hash }: Credentials): Principal | undefined {
    const key = this.current()
    if (key === undefined) return undefined
    if (hash) return isHash(hash, this.expected(key, method + path)) ? principal('hash') : undefined
    // A token written by another program may contain accented letters in either Unicode form: try it as typed first.
    if (token)
      return formsOf(token).some((form) => same(Buffer.from(tokenKey(form)), Buffer.from(key)))
        ? principal('token')
        : undefined
    return undefined
  }

  /**
   * What a hash that fails here would be right for: the commonest mistakes of clients. Such a hash proves possession of
   * the token, so it is not a guess. Undefined for any other hash.
   */
  rightElsewhere(method: string, path: string, hash: string): string | undefined {
    const key = this.current()
    if (key === undefined) return undefined
    const slash = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
    const short = path.replace(/^\/api\/v1\/admin/, '')
    const others: [message: string, rightFor: string][] = [
      ...METHODS.filter((other) => other !== method).map((other): [string, string] => [
        other + path,
        `${other}, not for ${method}`,
      ]),
      [method + slash, `this path ${path.endsWith('/') ? 'without its last slash' : 'with a slash behind it'}`],
      [method + short, 'the path without /api/v1/admin in front of it'],
      [method + path.replace(/^\//, ''), 'the path without its first slash'],
      [`${method} ${path}`, 'a text with a blank between method and path'],
      [`${method}${path}\n`, 'a text with a line end behind the path'],
    ]
    // Compare with all of them, whichever matches, so that the time reveals nothing.
    const right = others.filter(([message]) =>
      same(Buffer.from(lowerHex(hash)), Buffer.from(createHmac('sha256', key).update(message).digest('hex'))),
    )
    return right[0]?.[1]
  }

  private expected(key: string, message: string): Buffer {
    const known = this.hashes.get(message)
    if (known) return known
    const hash = Buffer.from(createHmac('sha256', key).update(message).digest('hex'))
    if (this.hashes.size >= 256) this.hashes.clear()
    this.hashes.set(message, hash)
    return hash
  }
}

/**
 * The first line of a token file from any editor. Bytes in an unknown encoding are the token themselves, as in the
 * original.
 */
export function firstLineOf(bytes: Buffer, warn: (text: string) => void = () => {}): Buffer {
  let text = bytes
  try {
    text = Buffer.from(decodeText(bytes))
  } catch (error) {
    warn(`the token file holds ${error instanceof Error ? error.message : 'no text'}: it is taken byte for byte`)
  }
  const end = text.indexOf(10)
  const line = end < 0 ? text : text.subarray(0, end)
  return line.at(-1) === 13 ? line.subarray(0, -1) : line
}

/** The phrase of a first run, which a vendor's script may have written; undefined if there is none. */
export function readPhrase(file: string): string | undefined {
  try {
    return readEdited(file)?.trim() || undefined
  } catch {
    return readText(file)?.trim() || undefined
  }
}

const HASH = /^[0-9A-F]{64}$/i
/** Filled anew for each comparison: a new buffer for each would be the larger part of its cost. */
const given = Buffer.alloc(64)

/** Compares a caller's hash with the expected one, in constant time unless it cannot be a hash at all. */
function isHash(hash: string, expected: Buffer): boolean {
  if (!HASH.test(hash)) return false
  given.write(hash.toLowerCase(), 'latin1')
  return timingSafeEqual(given, expected)
}

/** Some clients write hexadecimal in capitals. Nothing else is case-insensitive. */
const lowerHex = (hash: string) => (HASH.test(hash) ? hash.toLowerCase() : hash)
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
const same = (given: Buffer, expected: Buffer) => given.length === expected.length && timingSafeEqual(given, expected)
const principal = (via: Principal['via']): Principal => ({ account: 'appliance-token', role: 'administrator', via })
