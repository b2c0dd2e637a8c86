// Builds an update package (facts: jidoteki.md 6): payload → tar.gz → signature → plain outer tar → openssl's
// encryption. A tar header states the size of what follows, so the inner archive is written to a file before the outer
// one begins.
import { createSign, type KeyObject } from 'node:crypto'
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { Transform, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { readLine, syncFolder } from '../../store/atomic.ts'
import { give, heirOf } from '../../store/owner.ts'
import { encrypt } from './cipher.ts'
import { PackageError } from './failure.ts'
import { listPayload, type PayloadEntry } from './payload.ts'
import { checkScript, checkText } from './script.ts'
import { isVersion } from './version.ts'

export interface BuildOptions {
  folder: string
  passphrase: Buffer
  signingKey: KeyObject
  /** Left out: the first line of the folder's version.txt. */
  version?: string | undefined
  out: string
  /** Seconds since 1970; the time of every file in the archive. */
  time: number
}

export interface Built {
  version: string
  bytes: number
  /** False: the appliance will accept the package and do nothing with it. */
  hasScript: boolean
  /** Possible problems on the appliance, one sentence each. */
  doubts: string[]
}

/** Writes `out`, completely or not at all. */
export async function buildPackage(options: BuildOptions): Promise<Built> {
  const { folder, out } = options
  if (!statSync(folder).isDirectory()) throw new PackageError(`${folder}: not a folder`)
  if (!(lstatSync(out, { throwIfNoEntry: false })?.isFile() ?? true)) throw new PackageError(`${out}: not a plain file`)
  const target = join(realpathSync(dirname(out)), basename(out))
  if (target.startsWith(realpathSync(folder) + sep)) throw new PackageError(`${out}: lies in the folder it packs`)
  const entries = listPayload(folder)
  const doubts = checkScript(folder, entries)
  const version = packageVersion(options, entries)
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`)
  const inner = `${temporary}.tar.gz`
  try {
    const signature = await writeInner(inner, options, entries, version)
    await writeOuter(temporary, inner, signature, options)
    takeAfter(temporary, lstatSync(target, { throwIfNoEntry: false }))
    renameSync(temporary, target)
  } finally {
    rmSync(inner, { force: true })
    rmSync(temporary, { force: true })
  }
  syncFolder(dirname(target))
  const hasScript = entries.some((entry) => entry.name === 'update.sh')
  return { version, bytes: statSync(target).size, hasScript, doubts }
}

/** A package that replaces another keeps its owner, group and mode. */
function takeAfter(path: string, before: Stats | undefined): void {
  if (!before) return
  const fd = openSync(path, 'r')
  try {
    give(fd, heirOf(before, 0o644))
  } finally {
    closeSync(fd)
  }
}

function packageVersion({ folder, version }: BuildOptions, entries: PayloadEntry[]): string {
  const entry = entries.find(({ name }) => name === 'version.txt')
  if (entry && entry.type !== 'file') throw new PackageError(`${join(folder, 'version.txt')}: not a plain file`)
  if (entry) checkText(join(folder, 'version.txt'))
  // As the appliance reads it: without byte order mark and line end.
  const written =
    entry &&
    readLine(join(folder, 'version.txt'))
      ?.replace(/^\uFEFF/, '')
      .trim()
  const wanted = version ?? written
  if (wanted === undefined) throw new PackageError('no version: neither --version nor a version.txt')
  if (!isVersion(wanted)) throw new PackageError('the version is not made of letters, digits and . + ~ _ -')
  if (written !== undefined && written !== wanted) {
    throw new PackageError(`${join(folder, 'version.txt')} says another version than ${wanted}`)
  }
  return wanted
}

/** Writes the payload as a tar.gz; returns its signature. */
async function writeInner(file: string, options: BuildOptions, entries: PayloadEntry[], version: string) {
  const sign = createSign('sha256')
  const signing = new Transform({
    transform(chunk, _encoding, done) {
      sign.update(chunk)
      done(null, chunk)
    },
  })
  const archive = pack()
  const output = await newFile(file)
  const filled = fill(archive, async () => {
    if (!entries.some(({ name }) => name === 'version.txt')) {
      const header = { name: './version.txt', mode: 0o644, mtime: new Date(options.time * 1000) }
      await ended((done) => archive.entry(header, `${version}\n`, done))
    }
    for (const entry of entries) await add(archive, entry, options)
  })
  await Promise.all([filled, pipeline(archive, createGzip(), signing, output)])
  return sign.sign(options.signingKey)
}

/** Created synchronously: a file that is still being opened when the build fails would appear after the cleanup. */
async function newFile(file: string): Promise<Writable> {
  return (await open(file, 'wx', 0o600)).createWriteStream({ flush: true })
}

async function add(archive: Pack, entry: PayloadEntry, { folder, time }: BuildOptions): Promise<void> {
  // `./name` and `./folder/`, as `tar -C DIR .` writes them and as packages have always had them.
  const name = `./${entry.name}${entry.type === 'directory' ? '/' : ''}`
  const header = { ...entry, name, uid: 0, gid: 0, mtime: new Date(time * 1000) }
  if (entry.type !== 'file') return ended((done) => archive.entry(header, done))
  const path = join(folder, entry.name)
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    if ((await file.stat()).size !== entry.size) throw new PackageError(`${path}: changed while it was read`)
    await copy(file, entry.size, path, (done) => archive.entry(header, done))
  } finally {
    await file.close()
  }
}

/** Copies exactly `size` bytes of `file` into the entry that `start` begins. */
async function copy(file: FileHandle, size: number, path: string, start: (done: Done) => Writer): Promise<void> {
  let sink: Writer | undefined
  const written = ended((done) => {
    sink = start(done)
  })
  let left = size
  const read = size > 0 ? file.createReadStream({ autoClose: false, end: size - 1 }) : []
  const counted = async function* () {
    for await (const chunk of read as AsyncIterable<Buffer>) {
      left -= chunk.length
      yield chunk
    }
    if (left !== 0) throw new PackageError(`${path}: changed while it was read`)
  }
  const [copied, wrote] = await Promise.allSettled([pipeline(counted, sink as unknown as Writable), written])
  for (const result of [copied, wrote]) if (result.status === 'rejected') throw result.reason
}

type Done = (error?: Error | null) => void
type Writer = ReturnType<Pack['entry']>

const ended = (start: (done: Done) => unknown) =>
  new Promise<void>((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })

/** Adds the entries and closes the archive; an error also ends the stream that reads it. */
async function fill(archive: Pack, add: () => Promise<void>): Promise<void> {
  try {
    await add()
    archive.finalize()
  } catch (error) {
    archive.destroy(error as Error)
    throw error
  }
}

async function writeOuter(file: string, inner: string, signature: Buffer, options: BuildOptions): Promise<void> {
  const { header, cipher } = encrypt(options.passphrase)
  const archive = pack()
  const output = await newFile(file)
  const common = { mode: 0o644, mtime: new Date(options.time * 1000) }
  const filled = fill(archive, async () => {
    const size = statSync(inner).size
    const handle = await open(inner, 'r')
    try {
      await copy(handle, size, inner, (done) =>
        archive.entry({ ...common, name: 'software_package.tar.gz', size }, done),
      )
    } finally {
      await handle.close()
    }
    await ended((done) => archive.entry({ ...common, name: 'software_package.tar.gz.sign' }, signature, done))
  })
  output.write(header)
  await Promise.all([filled, pipeline(archive, records(), cipher, output)])
}

/** Pads the archive to whole records of 20 blocks, as every tar program writes them to a file. */
function records(): Transform {
  let size = 0
  return new Transform({
    transform(chunk, _encoding, done) {
      size += chunk.length
      done(null, chunk)
    },
    flush(done) {
      done(null, Buffer.alloc((10_240 - (size % 10_240)) % 10_240))
    },
  })
}
