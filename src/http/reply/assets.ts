// What a browser loads: small files of ours, in memory once they were asked for, read again when they changed. The trap: a name comes from a
// declaration, never from a request.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ApiError } from '../../errors.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { readPlain } from './files.ts'
import type { Reply } from './reply.ts'

interface Asset {
  bytes: Buffer
  /** The digest: another one is another version. */
  version: string
}

export class Assets {
  private readonly find: () => string
  private readonly missing: string
  private readonly known = new Map<string, CachedFile<Asset | undefined>>()
  private folder: string | undefined

  /** `find` names the folder, at the first use; `missing` is what whoever asks is told when a file is not there. */
  constructor(find: () => string, missing: string) {
    this.find = find
    this.missing = missing
  }

  /** The file, or the compressed one beside it where the client takes it and there is one. */
  reply(name: string, type: string, gzip: boolean): Reply {
    const compressed = gzip ? this.get(`${name}.gz`) : undefined
    const asset = compressed ?? this.get(name)
    if (!asset) throw new ApiError('unavailable', this.missing)
    const headers: Record<string, string> = {
      'Content-Type': type,
      // As the original names its front page.
      'Content-Disposition': `inline; filename="${name}"`,
      // Asked for each time, and sent only when it changed: after an update nobody sees the old page.
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
