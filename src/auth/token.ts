// The appliance's one API token, at rest as `sha256 <hex>` in etc/api.token: the legacy HMAC needs exactly that digest, not the token.
// The trap: other hands (SFTP, a vendor's script) drop a plain token there at any time; it works at the next request and is then
// rewritten. A blank cannot be in a token, so the two forms cannot be mistaken for each other.
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

/** The first line of the file as we write it. */
export const STORED = /^sha256 ([0-9a-f]{64})$/

/** The 94 characters of a token (ASCII 33 to 126), as the original lists them in its error text. */
export const TOKEN_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')

/** The key of the legacy HMAC: the lower-case hex SHA-256 of the token, as text (facts: jidoteki.md 4). */
export const tokenKey = (token: string | Buffer) => createHash('sha256').update(token).digest('hex')

/** Sets the token, durably, and ends a pending first run. The order matters: after a crash in between, the new token is in force. */
export function storeToken(folders: Folders, token: string): void {
  checkpoint('setup-started')
  replaceAtomic(etc(folders, 'api.token'), `sha256 ${tokenKey(token)}\n`, 0o600)
  checkpoint('setup-stored')
  endFirstRun(folders)
}

/** The phrase of a first run is of no use any more, once another token is in force. */
export function endFirstRun(folders: Folders): void {
  replaceAtomic(etc(folders, 'api.token.setup'), '', 0o600)
  checkpoint('setup-ended')
}

const MOMENT = 2000

export interface Credentials {
  token?: string | undefined
  hash?: string | undefined
}

/** Reads the token file when it changed, and checks credentials against it. */
export class TokenStore {
  private readonly folders: Folders
  private readonly warn: (text: string) => void
  private readonly key: CachedFile<string | undefined>
  /** The key that the phrase of a first run would have; undefined without a phrase. */
  private readonly phraseKey: CachedFile<string | undefined>
  /** METHOD+path → expected hash. The legacy hash has no nonce, so it is one constant for each endpoint and token. */
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

  /** The key in force; undefined when no token is set: then nobody authenticates. */
  current(): string | undefined {
    const key = this.key.get()
    // A passing fault (no file descriptor left) must not outlive its cause.
    if (this.unreadable) this.key.forget()
    return key
  }

  /** Whether set-up is open to anyone: only while there is no token file at all. One that is empty or unreadable invites nobody. */
  isUnset(): boolean {
    return lstatSync(etc(this.folders, 'api.token'), { throwIfNoEntry: false }) === undefined
  }

  /**
   * The same for a stranger, who gets the appliance: a token that was there a moment ago may be on its way back (an image's tool that puts a link
   * in its place, a `mv` from another disk), so it has to be gone for MOMENT milliseconds.
   */
  async staysUnset(): Promise<boolean> {
    if (!this.isUnset() || !this.seen) return this.isUnset()
    await pause(MOMENT)
    return this.isUnset()
  }

  /** What an address is known by that proved the token; ends with the token, and holds nothing that would prove it. */
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
    // While the first run is pending the phrase lies in api.token.setup in clear for the person at the console anyway. Another token does not.
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

  /** A non-empty hash alone decides; else the token. `path` is the decoded path without its query. */
  authenticate(method: string, path: string, { token, hash }: Credentials): Principal | undefined {
    const key = this.current()
    if (key === undefined) return undefined
    if (hash)
      return same(Buffer.from(lowerHex(hash)), this.expected(key, method + path)) ? principal('hash') : undefined
    // A token that other hands wrote may have letters with accents, in either of their Unicode forms: as it was typed first.
    if (token)
      return formsOf(token).some((form) => same(Buffer.from(tokenKey(form)), Buffer.from(key)))
        ? principal('token')
        : undefined
    return undefined
  }

  /**
   * What a hash that does not pass here would be right for: the commonest mistakes of who makes one. It proves that its maker has the token, so it
   * is no guess. Undefined for any other.
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
    // All of them, whichever is right: how long it takes shall say nothing.
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

/** Of a token file that may come from any editor. Bytes that are in no encoding we read are the token themselves, as in the original. */
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

/** The phrase of a first run, which a vendor's script may have written; undefined where there is none. */
export function readPhrase(file: string): string | undefined {
  try {
    return readEdited(file)?.trim() || undefined
  } catch {
    return readText(file)?.trim() || undefined
  }
}

/** Some write hexadecimal in capitals. Nothing else is the same in another case. */
const lowerHex = (hash: string) => (/^[0-9A-F]{64}$/i.test(hash) ? hash.toLowerCase() : hash)
const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
const same = (given: Buffer, expected: Buffer) => given.length === expected.length && timingSafeEqual(given, expected)
const principal = (via: Principal['via']): Principal => ({ account: 'appliance-token', role: 'administrator', via })
