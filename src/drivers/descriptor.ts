// Files and folders by descriptor instead of by name, for trees in which others may rename and link at any time. A
// descriptor of O_PATH opens nothing for reading or writing, so a pipe does not block and a device is not touched, and
// `/proc/self/fd/N` names exactly what was opened: no link is followed after that.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  opendirSync,
  openSync,
  readFileSync,
  type Stats,
  statfsSync,
} from 'node:fs'

/** The same number on every architecture that Node supports; Node does not export it. */
const O_PATH = 0o10000000
const LOOK = O_PATH | constants.O_NOFOLLOW
const FOLDER = LOOK | constants.O_DIRECTORY

const inFolder = (folder: number, name: string) => Buffer.from(`/proc/self/fd/${folder}/${name}`, 'latin1')

/** A folder by its path, of which only the last part must not be a link. */
export const openFolder = (path: string): number => openSync(path, FOLDER)

/** An entry of an open folder. A name is in Latin-1, one character for each byte, because it need not be UTF-8. */
export const openEntry = (folder: number, name: string): number => openSync(inFolder(folder, name), LOOK)
export const openSubfolder = (folder: number, name: string): number => openSync(inFolder(folder, name), FOLDER)
/** The folder above; only a comparison of its number shows that it is the same one as before. */
export const openParent = (folder: number): number => openSync(`/proc/self/fd/${folder}/..`, FOLDER)

/** The same file or folder once more, for longer; not for links. */
export const openAgain = (descriptor: number): number => openSync(`/proc/self/fd/${descriptor}`, O_PATH)

/** The names in an open folder, one at a time: it may hold millions. */
export function namesIn(folder: number): Iterable<string> {
  const listing = opendirSync(`/proc/self/fd/${folder}`, { encoding: 'latin1', bufferSize: 1024 })
  return (function* () {
    try {
      for (let entry = listing.readSync(); entry; entry = listing.readSync()) yield entry.name
    } finally {
      listing.closeSync()
    }
  })()
}

export const statOf = (descriptor: number): Stats => fstatSync(descriptor)
/** Changes owner and group, of a link its own. The kernel takes the set-user-id and set-group-id bits from a file. */
export const setOwner = (descriptor: number, uid: number, gid: number): void =>
  chownSync(`/proc/self/fd/${descriptor}`, uid, gid)
export const setMode = (descriptor: number, mode: number): void => chmodSync(`/proc/self/fd/${descriptor}`, mode)
export const close = (descriptor: number): void => closeSync(descriptor)

/** Another process finds what we have open under this name. */
export const nameForOthers = (descriptor: number): string => `/proc/${process.pid}/fd/${descriptor}`

/** The mount that it was reached through: what is mounted below has another number, also a bind mount of the same dataset. */
export function mountNumber(descriptor: number): number {
  const [, number] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? []
  if (number === undefined) throw new Error('the kernel does not say through which mount a folder was reached')
  return Number(number)
}

/** What is mounted there, as proc(5) lists mounts: `tank/data` of a dataset. Undefined for a part of a file system. */
export function mountedSource(
  mount: number,
  text = readFileSync('/proc/self/mountinfo', 'utf8'),
): { type: string; source: string } | undefined {
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [number, , , root] = before.split(' ')
    const [type = '', source = ''] = after.split(' ')
    if (Number(number) === mount && number !== '')
      return root === '/' ? { type, source: source.replace(/\\040/g, ' ') } : undefined
  }
  return undefined
}

/** Throws where something else than the dataset is mounted at the folder: a folder above may be a share, and be exchanged. */
export function openMounted(folder: string, dataset: string | undefined): number {
  const descriptor = openFolder(folder)
  if (dataset === undefined) return descriptor
  const mounted = mountedSource(mountNumber(descriptor))
  if (mounted?.type === 'zfs' && mounted.source === dataset) return descriptor
  close(descriptor)
  throw new Error('the dataset is not mounted at its mount point')
}

/** How many files and folders the file system holds, about: on ZFS those of the dataset. */
export function filesUsed(descriptor: number): number {
  const { files, ffree } = statfsSync(`/proc/self/fd/${descriptor}`)
  return Math.max(0, files - ffree)
}
