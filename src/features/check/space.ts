// Checks disk space, and whether persistent folders are on a disk. df's "available" counts, without the blocks reserved
// for root.
import { readFile, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { uploads } from '../../folders.ts'
import { error, type Finding, note, ok, warning } from './finding.ts'
import type { Place } from './place.ts'

const MIB = 1 << 20
/** With less not even a status can be written; and with so little most work fails. */
const NOTHING = 1 * MIB
const LITTLE = 64 * MIB
/** TMPFS_MAGIC and RAMFS_MAGIC (statfs(2)). */
const IN_MEMORY = [0x01021994, 0x858458f6]

/** statfs(2): file systems without owners and modes, and those whose locks are on another machine. */
const WITHOUT_OWNERS: Readonly<Record<number, string>> = { 19780: 'FAT', 538032816: 'exFAT', 1397118030: 'NTFS' }
const REMOTE: Readonly<Record<number, string>> = { 26985: 'NFS', 4283649346: 'CIFS', 4266872130: 'SMB' }

/** Why a type of file system is unsuitable for a folder; the data may be on a remote one. */
export function unfit(type: number, isData: boolean): string | undefined {
  const poor = WITHOUT_OWNERS[type]
  if (poor) return `it lies on ${poor}, which knows no owners, modes and links`
  const remote = isData ? undefined : REMOTE[type]
  return remote && `it lies on ${remote}, where locks and changes depend on another machine`
}

export async function lookAtSpace(place: Place): Promise<Finding[]> {
  const { folders } = place
  const paths = [
    join(folders.root, 'etc'),
    join(folders.root, 'log'),
    uploads(folders),
    folders.sysconf,
    folders.data,
    folders.state,
  ]
  const seen = new Set<number>()
  const found: Finding[] = []
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined)
    if (!info?.isDirectory()) continue
    const { type, bsize, bavail, files, ffree } = await statfs(path)
    const fault = unfit(type, path === folders.data)
    if (fault)
      found.push(
        warning('space.wrong-kind', path, fault, 'Move it to a file system of Linux on a disk of this machine.'),
      )
    if (IN_MEMORY.includes(type) && path !== uploads(folders) && path !== join(folders.root, 'log'))
      found.push(await inMemory(place, path))
    // One finding per file system, however many folders are on it.
    if (seen.has(info.dev)) continue
    seen.add(info.dev)
    found.push(room(path, bavail * bsize), ...(files > 0 && ffree === 0 ? [noInodes(path)] : []))
  }
  return [...found, ...(await dataOnRoot(place))]
}

function room(path: string, free: number): Finding {
  const mend = 'Remove what is not needed there: old backups, logs, snapshots.'
  const text = `${Math.floor(free / MIB)} MiB are free on its file system`
  if (free < NOTHING) return error('space.none', path, text, mend)
  return free < LITTLE ? warning('space.little', path, text, mend) : ok('space.ok', path, text)
}

const noInodes = (path: string) =>
  error(
    'space.no-inodes',
    path,
    'its file system can hold no more files',
    'Remove files there; many small ones fill it as well.',
  )

async function inMemory({ system }: Place, path: string): Promise<Finding> {
  const tool = await stat(join(system, 'usr/bin/symlinktool.sh')).catch(() => undefined)
  return tool
    ? ok('space.persisted', path, 'it lies in memory, and symlinktool.sh keeps it')
    : note(
        'space.in-memory',
        path,
        'it lies in memory and is lost at a restart',
        'Move it to a disk, unless your image keeps it by other means.',
      )
}

/** A restore that fills the data folder must not fill the system's disk. */
async function dataOnRoot({ folders, system }: Place): Promise<Finding[]> {
  const [data, top] = await Promise.all([stat(folders.data), stat(system)].map((one) => one.catch(() => undefined)))
  if (!data || !top || data.dev !== top.dev || !(await readFile('/proc/mounts', 'utf8').catch(() => ''))) return []
  return [
    note(
      'space.data-on-system',
      folders.data,
      'it lies on the file system of the system itself',
      'Mount a disk of its own there, so that data cannot fill the system.',
    ),
  ]
}
