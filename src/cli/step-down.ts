// Root's commands on the server's files run as the server's user, so that the server can still read them.
import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inboxOf } from '../store/audit/inbox.ts'

/**
 * Switches from root to the server's user, who will own the files created from here on. `parent` is the folder to be
 * changed, and `own` one that only the server creates: under sudo the first belongs to root with the server's group.
 * Files in it that root created before, `names`, are handed over first.
 */
export function becomeServer(parent: string, own: string, names: string[]): void {
  if (process.geteuid?.() !== 0) return
  const owner = statSync(own, { throwIfNoEntry: false }) ?? ownerOfOne(parent, names) ?? statSync(parent)
  if (owner.uid === 0 && owner.gid === 0) return
  const entries = inboxOf(parent)
  for (const name of names) handOver(join(parent, name), owner)
  handOver(entries, owner, 'folder')
  for (const name of namesIn(entries)) handOver(join(entries, name), owner)
  process.setegid?.(owner.gid)
  process.seteuid?.(owner.uid)
}

/** If the server has created nothing yet: the first file owner that is not root. */
const ownerOfOne = (parent: string, names: string[]) =>
  names
    .map((name) => lstatSync(join(parent, name), { throwIfNoEntry: false }))
    .find((info) => info?.isFile() && info.uid !== 0)

interface Owner {
  uid: number
  gid: number
}

/** Only files of root with a single name: the server's user may have placed a link to something else here. */
function handOver(path: string, { uid, gid }: Owner, kind: 'file' | 'folder' = 'file'): void {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return
  }
  try {
    const info = fstatSync(fd)
    const isIt = kind === 'folder' ? info.isDirectory() : info.isFile() && info.nlink === 1
    if (info.uid === 0 && isIt) fchownSync(fd, uid, gid)
  } finally {
    closeSync(fd)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
