// A token that reads /metrics and nothing else, for a scraper, which cannot renew a JWT every day. It is valid until it
// is replaced or removed. Only its digest is stored.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { etc, type Folders } from '../folders.ts'
import { readLine, replaceAtomic, syncFolder } from '../store/atomic.ts'
import { CachedFile } from '../store/cached-file.ts'
import type { Principal } from './principal.ts'
import { tokenKey } from './token.ts'

const BEARER = /^Bearer +([A-Za-z0-9_-]{43})$/i
const STORED = /^sha256 ([0-9a-f]{64})$/

const fileOf = (folders: Folders) => etc(folders, 'metrics.token')

/** Makes a new token, which replaces the previous one. */
export function makeMetricsToken(folders: Folders): string {
  const token = randomBytes(32).toString('base64url')
  replaceAtomic(fileOf(folders), `sha256 ${tokenKey(token)}\n`, 0o600)
  return token
}

export function removeMetricsToken(folders: Folders): void {
  rmSync(fileOf(folders), { force: true })
  syncFolder(dirname(fileOf(folders)))
}

export class MetricsToken {
  private readonly key: CachedFile<string | undefined>

  constructor(folders: Folders) {
    const file = fileOf(folders)
    this.key = new CachedFile(file, (there) => (there ? STORED.exec(readLine(file) ?? '')?.[1] : undefined))
  }

  /** The caller that an Authorization header proves, for requests for /metrics. */
  authenticate(header: string): Principal | undefined {
    const token = BEARER.exec(header)?.[1]
    const key = token === undefined ? undefined : this.key.get()
    if (token === undefined || key === undefined) return undefined
    return timingSafeEqual(Buffer.from(tokenKey(token)), Buffer.from(key))
      ? { account: 'metrics-token', role: 'viewer', via: 'metrics' }
      : undefined
  }
}
