// Files of the console page: small, kept in memory once requested, and read again when they change. A name comes from a
// declaration, never from a request.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ApiError } from '../../errors.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { readPlain } from './files.ts'
import type { Reply } from './reply.ts'

interface Asset {
  bytes: Buffer
  /** The digest, which serves as the version. */
  version: string
}

export class Assets {
  private readonly find: () => string
  private readonly missing: string
  private readonly known = new Map<string, CachedFile<Asset | undefined>>()
  private folder: string | undefined

  /** `find` returns the folder, at the first use; `missing` is the error message for a file that does not exist. */
  constructor(find: () => string, missing: string) {
    this.find = find
    this.missing = missing
  }

  /** The file, or the compressed copy beside it if there is one and the client accepts it. */
  reply(name: string, type: string, gzip: boolean): Reply {
    const compressed = gzip ? this.get(`${name}.gz`) : undefined
    const asset = compressed ?? this.get(name)
    if (!asset) throw new ApiError('unavailable', this.missing)
    const headers: Record<string, string> = {
      'Content-Type': type,
      // The original names its front page so.
      'Content-Disposition': `inline; filename="${name}"`,
      // Revalidated each time, and sent only when changed: after an update no browser shows the old page.
      'Cache-Control': 'no-cache',
      Vary: 'Accept-Encoding',
    }
    if (compressed) headers['Content-Encoding'] = 'gzip'
    return { status: 200, headers, body: asset.bytes, bytes: true, version: asset.version }
  }

  private get(name: string): Asset | undefined {
    const known = this.known.get(name)
    if (known) return known.get()
    this.folder ??= this.find()
    const { folder } = this
    const asset = new CachedFile(join(folder, name), (there) => {
      const bytes = there ? readPlain(folder, name) : undefined
      return bytes && { bytes, version: createHash('sha256').update(bytes).digest('base64url') }
    })
    this.known.set(name, asset)
    return asset.get()
  }
}
