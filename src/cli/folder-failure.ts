// Explains why a folder that the server needs cannot be created, and names the option that moves it.
import { dirname, sep } from 'node:path'
import { errno } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { unwritable } from '../store/ensure-folder.ts'

const OPTIONS: Record<keyof Folders, string> = {
  root: '--root (ROOT= of the installation)',
  sysconf: '--sysconfdir (SYSCONFDIR= of the installation)',
  data: '--datadir (DATADIR= of the installation)',
  state: '--statedir (STATEDIR= of the installation)',
}

/** Undefined for errors that are not about a place to write to. */
export function folderFailure(error: unknown, folders: Folders): string | undefined {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const why = unwritable(cause)
  if (why === undefined || !(cause instanceof Error) || !('path' in cause) || typeof cause.path !== 'string')
    return undefined
  const isMade = 'syscall' in cause && cause.syscall === 'mkdir'
  const path = isMade ? cause.path : dirname(cause.path)
  // Folders may be nested, and creating one creates its parents.
  const within = (folder: string) => `${path}${sep}`.startsWith(`${folder}${sep}`)
  const [name] = (Object.keys(OPTIONS) as (keyof Folders)[])
    .filter((one) => within(folders[one]) || folders[one].startsWith(`${path}${sep}`))
    .sort((a, b) => Number(within(folders[b])) - Number(within(folders[a])) || folders[b].length - folders[a].length)
  if (errno(cause) !== 'EROFS') return `the folder ${path} cannot be ${isMade ? 'made' : 'used'}: ${why}`
  return `the folder ${path} is on a read-only file system${name ? `: set ${OPTIONS[name]} to a folder that can be written` : ''}`
}
