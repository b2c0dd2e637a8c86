// Sudo mode: everything that decides what root does has to belong to root. These are the checks of check_owners in
// scripts/lib.sh, but all at once and in advance. A test keeps the two equal.
import { type Dirent, readdirSync, type Stats } from 'node:fs'
import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errno } from '../../errors.ts'
import { uploads } from '../../folders.ts'
import { error, type Finding, ok, unseen } from './finding.ts'
import type { Place } from './place.ts'

/** In etc/: files that decide what root runs, trusts and hands out. */
export const ROOTS_OWN = [
  ...['updates.key', 'updates.pub', 'version.txt', 'product.txt', 'debug.txt', 'backup.txt', 'logs.txt', 'license.pub'],
]

export const foldersOfRoot = ({ folders, scripts }: Pick<Place, 'folders' | 'scripts'>) => {
  const { root, sysconf, state } = folders
  const inRoot = ['', 'etc', 'bin', 'log', 'tmp'].map((name) => join(root, name))
  return [scripts, ...inRoot, uploads(folders), sysconf, state, join(state, 'locks'), join(state, 'work')]
}

export async function lookAtOwners(place: Place): Promise<Finding[]> {
  const { configured, folders, scripts } = place
  if (configured.settings.privilege !== 'sudo') return []
  const mend = `${join(scripts, 'owners.sh')} USER, as root (check first who put it there; install again what still does not belong to root)`
  const found: Finding[] = []
  const looked = new Set<string>()
  const must = (path: string) =>
    error('owners.not-root', path, 'it must belong to root and be writable by nobody else, or no task runs', mend)
  for (const folder of foldersOfRoot(place)) {
    const real = await realpath(folder).catch((cause) => (errno(cause) === 'EACCES' ? undefined : ''))
    if (real === undefined) found.push(unseen('owners', folder))
    else if (real === '') found.push(error('owners.missing', folder, 'there is no such folder, so no task runs', mend))
    else
      for (const path of [...above(folder), ...above(real)]) {
        if (looked.has(path)) continue
        looked.add(path)
        const info = await stat(path).catch(() => undefined)
        if (info && isOpen(info)) found.push(must(path))
      }
  }
  const files = [
    ...ROOTS_OWN.map((name) => join(folders.root, 'etc', name)),
    ...filesIn(scripts),
    ...hooksIn(folders.root),
  ]
  for (const file of files) {
    const info = await lstat(file).catch(() => undefined)
    if (info && !isRootsOwn(info)) found.push(must(file))
  }
  return found.length > 0 ? found : [ok('owners.ok', folders.root, 'what root goes by belongs to root')]
}

const above = (path: string): string[] => (path === '/' ? ['/'] : [path, ...above(dirname(path))])

/** In a sticky folder nobody else can rename or remove root's files. */
const isOpen = (info: Stats) =>
  info.uid !== 0 || ((info.mode & 0o022) !== 0 && !(info.isDirectory() && (info.mode & 0o1000) !== 0))

/** With a second name, somebody else might be able to write it. */
const isRootsOwn = (info: Stats) => info.isFile() && info.uid === 0 && (info.mode & 0o022) === 0 && info.nlink === 1

function filesIn(folder: string, wanted = (entry: Dirent) => entry.isFile()): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(wanted)
      .map(({ name }) => join(folder, name))
  } catch {
    return []
  }
}
const hooksIn = (root: string) => filesIn(join(root, 'bin'), ({ name }) => name.endsWith('.sh'))
