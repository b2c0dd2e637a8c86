// Reads update packages as a stream, without a temporary file: verifies the signature, lists the content. The signature
// follows the archive that it signs, so a reader that needs both reads the file twice, the signature first.
import { createVerify, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { Header } from 'tar-stream'
import { decrypt, HEADER_BYTES } from './cipher.ts'
import { notDecrypted, notExtracted, notVerified, PackageError } from './failure.ts'
import { readOuterTar, type Visit } from './outer.ts'

export interface PackageSource {
  file: string
  passphrase: Buffer
  legacyMd5?: boolean | undefined
}

export interface PackageFile {
  name: string
  size: number
  /** Octal, as `chmod` takes it. */
  mode: string
}

export interface Contents {
  /** The first line of version.txt; null if there is none. */
  version: string | null
  files: PackageFile[]
  /** The total size of the files. */
  bytes: number
}

const MAX_ENTRIES = 200_000
const MAX_BYTES = 16 * 1024 ** 3

/** Throws E1005 unless the package decrypts and its signature is valid. The inner archive is not opened. */
export async function verifySignature(source: PackageSource, publicKey: KeyObject): Promise<void> {
  const verify = createVerify('sha256')
  const signature = await readOuter(source, async (archive) => {
    for await (const chunk of archive) verify.update(chunk)
  })
  if (!verify.verify(publicKey, signature)) throw notVerified()
}

/** The content of a package. Throws E1005 if the appliance would not unpack it. */
export async function listContents(source: PackageSource): Promise<Contents> {
  const contents: Contents = { version: null, files: [], bytes: 0 }
  await readOuter(source, (archive) => readInner(archive, contents))
  return contents
}

/** Passes the inner archive to `inner` while it is decrypted; returns the signature. */
async function readOuter(source: PackageSource, inner: (archive: Readable) => Promise<void>): Promise<Buffer> {
  const { file, passphrase, legacyMd5 } = source
  const decipher = decrypt(file, passphrase, legacyMd5)
  let signature: Buffer = Buffer.alloc(0)
  const visit: Visit = async (kind, body) => {
    if (kind === 'data') await inner(Readable.from(body, { objectMode: false }))
    else signature = await startOf(body, Number.POSITIVE_INFINITY)
  }
  try {
    const encrypted = createReadStream(file, { start: HEADER_BYTES })
    await pipeline(encrypted, decipher, (chunks: AsyncIterable<Buffer>) => readOuterTar(chunks, visit))
  } catch (error) {
    // Our refusals, and disk errors, which are not the package's fault. The rest comes from the cipher: a wrong end.
    if (error instanceof PackageError || (error instanceof Error && 'syscall' in error)) throw error
    throw notDecrypted(error)
  }
  return signature
}

async function readInner(archive: Readable, contents: Contents): Promise<void> {
  const names = new Set<string>()
  try {
    await eachEntry(archive, async (header, body) => {
      const name = checkedName(header)
      if (names.has(name) || names.size >= MAX_ENTRIES) throw notExtracted()
      names.add(name)
      contents.bytes += header.size
      if (contents.bytes > MAX_BYTES) throw notExtracted()
      // A folder has no content, and tar-stream would wait forever for the bytes that a header claims.
      if (header.type === 'directory' && header.size > 0) throw notExtracted()
      const start = await startOf(body, 4096)
      if (name === 'version.txt' && header.type === 'file') contents.version = firstLine(start)
      if (header.type !== 'directory') {
        contents.files.push({ name, size: header.size, mode: (header.mode & 0o7777).toString(8).padStart(4, '0') })
      }
    })
  } catch (error) {
    throw error instanceof PackageError ? error : notExtracted(error)
  }
}

/** Plain files, folders and links, under names that stay where they are unpacked. */
function checkedName(header: Header): string {
  const parts = header.name.split('/').filter((part) => part !== '' && part !== '.')
  const plain = ['file', 'directory', 'symlink', 'link'].includes(header.type)
  if (!plain || header.name.startsWith('/') || header.name.includes('\0') || parts.includes('..')) throw notExtracted()
  return parts.join('/')
}

/** Visits the entries of a tar.gz in order. */
async function eachEntry(archive: Readable, visit: (header: Header, body: AsyncIterable<Buffer>) => Promise<void>) {
  const { extract } = await import('tar-stream')
  const entries = extract()
  const reading = (async () => {
    for await (const entry of entries) await visit(entry.header, entry as AsyncIterable<Buffer>)
  })()
  const feeding = pipeline(archive, createGunzip(), entries as unknown as Writable)
  // Whichever fails first ends the other; the reader knows the cause better.
  const [read, fed] = await Promise.allSettled([reading, feeding])
  if (read.status === 'rejected') throw read.reason
  if (fed.status === 'rejected') throw fed.reason
}

/** As the appliance's script reads version.txt. */
const firstLine = (bytes: Buffer) =>
  (bytes.toString('latin1').split('\n', 1)[0] ?? '').replace(/[^ -~]/g, '').slice(0, 255)

/** Reads everything and keeps at least the first `size` bytes, and little more. */
async function startOf(body: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let kept = 0
  for await (const chunk of body) {
    if (kept < size) chunks.push(chunk)
    kept += chunk.length
  }
  return Buffer.concat(chunks)
}
