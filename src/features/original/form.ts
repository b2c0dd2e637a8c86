// What the files of an appliance have to be for the original's server and scripts (facts: jidoteki.md 1.2, 5). Under
// sudo the folders are shared with a less trusted user, so a file is checked through one open descriptor, never through
// a link, and a file with two names is left alone.
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errno } from '../../errors.ts'
import { etc, type Folders, log } from '../../folders.ts'
import type { Owner } from '../../store/owner.ts'
import { certificatesOf, privateKeysOf } from '../../store/pem.ts'

/** One file that differs from the original's form, and what it has to become. */
export interface Change extends Owner {
  path: string
  content: Buffer
  /** The text for the user. */
  what: string
}

export interface Plan {
  changes: Change[]
  /** Where the original's stunnel looks for the certificate, and where it is; undefined if that exists. */
  link: { path: string; to: string } | undefined
  /** What cannot be brought into the original's form, in words. */
  left: string[]
}

interface There extends Owner {
  content: Buffer
}

/** A regular file with a single name; undefined if there is none. Throws for anything else. */
export function readPlain(path: string): There | undefined {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) return undefined
    if (errno(error) === 'ELOOP') throw new Error(`not a regular file: ${path}`)
    throw error
  }
  try {
    const info = fstatSync(fd)
    if (!info.isFile() || info.nlink > 1) throw new Error(`not a regular file of one name: ${path}`)
    return { uid: info.uid, gid: info.gid, mode: info.mode & 0o7777, content: readFileSync(fd) }
  } finally {
    closeSync(fd)
  }
}

/** For the token, which may be a link: it is compared, and never shown. */
export function readThrough(path: string): Buffer | undefined {
  const info = statSync(path, { throwIfNoEntry: false })
  return info?.isFile() && info.size <= 1 << 20 ? readFileSync(path) : undefined
}

export interface Wanted {
  folders: Folders
  /** In plain. */
  token: Buffer
  /** Whether a pending first run is over, because the token differs from its phrase. */
  endsFirstRun: boolean
  /** The group of the original's server, and the one that reads the key (staff). */
  group: number
  keyGroup: number
  /** Where the link to enterprise.pem belongs; undefined if the root is not this machine's. */
  linkAt: string | undefined
  /** The text of a configuration file for the original, if one has to be created. */
  configuration: string | undefined
}

/** Everything that differs. Nothing is changed. */
export function planOriginal({ folders, token, endsFirstRun, group, keyGroup, linkAt, configuration }: Wanted): Plan {
  const plan: Plan = { changes: [], link: undefined, left: [] }
  const own = (mode: number, gid = group): Owner => ({ uid: 0, gid, mode })
  /** `content` is the required content; without it the content is kept, and a missing file stays missing. */
  const want = (path: string, what: string, owner: Owner, content?: Buffer, isSame = sameBytes) => {
    let there: There | undefined
    try {
      there = readPlain(path)
    } catch (error) {
      // A link is replaced: an image that runs from memory has links to what it keeps on a disk.
      if (content !== undefined && !isLink(path)) throw error
      if (content !== undefined) return void plan.changes.push({ path, what, content, ...owner })
      plan.left.push(error instanceof Error ? error.message : path)
      return
    }
    const next = there && (content === undefined || isSame(there.content, content)) ? there.content : content
    if (next === undefined) return
    const fits = there && there.uid === owner.uid && there.gid === owner.gid && there.mode === owner.mode
    if (!fits || next !== there?.content) plan.changes.push({ path, what, content: next, ...owner })
  }

  want(etc(folders, 'api.token'), 'the token in plain', own(0o660), Buffer.concat([token, Buffer.from('\n')]))
  want(
    etc(folders, 'api.token.setup'),
    endsFirstRun ? 'no phrase: the first run is over' : 'the phrase of the first run',
    own(0o660),
    endsFirstRun ? Buffer.alloc(0) : undefined,
  )
  for (const name of ['app.json', 'network.json', 'storage.json', 'license.asc'])
    want(etc(folders, name), 'its owner', own(0o640))
  // An update may have created them with a restrictive mask.
  for (const name of ['version.txt', 'changelog.txt'])
    if (!isReadableBy(group, etc(folders, name))) want(etc(folders, name), 'its server reads it', own(0o644))
  for (const name of ['network.conf', 'storage.conf']) want(join(folders.sysconf, name), 'its owner', own(0o640))
  for (const name of namesIn(join(folders.root, 'etc')).filter((found) => /^status_[a-z_]+\.(?:txt|json)$/.test(found)))
    want(etc(folders, name), 'its owner', own(0o644))

  wantCertificates(folders, { want, own, keyGroup, group })
  const pem = join(folders.sysconf, 'pki/tls/enterprise.pem')
  if (linkAt !== undefined && (isThere(pem) || plan.changes.some(({ path }) => path === pem)) && !isThere(linkAt))
    plan.link = { path: linkAt, to: pem }

  want(log(folders, 'jidoteki-audit.log'), 'its server appends to it', own(0o660), Buffer.alloc(0), () => true)
  for (const name of namesIn(join(folders.root, 'log')).filter((found) => /^update(?:_[a-z]+)?\.log$/.test(found)))
    want(log(folders, name), 'its owner', own(name === 'update.log' ? 0o664 : 0o640))

  if (configuration !== undefined)
    want(
      join(folders.sysconf, 'jidoteki-admin-api.json'),
      'what edge-admin.json switches on',
      own(0o644, 0),
      Buffer.from(configuration),
    )
  return plan
}

interface Hands {
  want: (path: string, what: string, owner: Owner, content?: Buffer, isSame?: typeof sameBytes) => void
  own: (mode: number, gid?: number) => Owner
  group: number
  keyGroup: number
}

/** stunnel reads key and certificate from one file, which does not exist for a pair that we generated. */
function wantCertificates({ sysconf }: Folders, { want, own, group, keyGroup }: Hands): void {
  const pki = join(sysconf, 'pki/tls')
  const [keyFile, certificateFile] = [join(pki, 'private/enterprise.key'), join(pki, 'certs/enterprise.crt')]
  const key = readPlain(keyFile)
  const certificate = readPlain(certificateFile)
  // An existing group was chosen by somebody, and is kept.
  if (key?.gid === 0) want(keyFile, 'its owner', own(0o640, keyGroup))
  if (certificate?.gid === 0) want(certificateFile, 'its owner', own(0o640, keyGroup))
  if (!key || !certificate) return
  const fits = (there: Buffer, pair: Buffer) =>
    privateKeysOf(there.toString())[0] === privateKeysOf(pair.toString())[0] &&
    certificatesOf(there.toString())[0] === certificatesOf(pair.toString())[0]
  const both = Buffer.concat([key.content, certificate.content])
  want(join(pki, 'enterprise.pem'), 'key and certificate', own(0o640, group), both, fits)
}

const sameBytes = (a: Buffer, b: Buffer) => a.equals(b)
const isReadableBy = (group: number, path: string) => {
  const info = statSync(path, { throwIfNoEntry: false })
  return info === undefined || (info.mode & (info.gid === group ? 0o040 : 0o004)) !== 0
}
const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}
