// Whose a file is and who may read it, when another file takes its place: the new one gets the owner, the group and the mode of the old one.
// The trap: rights of a group are for that group only. Where it cannot be kept (we are not root), they are not given to ours instead.
import { fchmodSync, fchownSync, fstatSync, readFileSync, type Stats } from 'node:fs'

export interface Owner {
  uid: number
  gid: number
  mode: number
}

/** What takes the place of `there` gets. `asked` is the mode of a new file: one for its owner only is a secret, which stays shut to others. */
export function heirOf(there: Stats, asked: number): Owner {
  const mode = there.mode & 0o777
  return { uid: there.uid, gid: there.gid, mode: (asked & 0o077) === 0 ? mode & ~0o007 : mode }
}

/** Gives an open file to `owner`, as far as we may. Returns what could not be kept, in words for a log; undefined when all was. */
export function give(fd: number, { uid, gid, mode }: Owner): string | undefined {
  const { uid: ownUid, gid: ownGid } = fstatSync(fd)
  if (ownUid !== uid || ownGid !== gid) chown(fd, uid, gid)
  const now = fstatSync(fd)
  fchmodSync(fd, now.gid === gid ? mode : mode & ~0o070)
  return now.uid === uid && now.gid === gid
    ? undefined
    : `it belongs to ${now.uid}:${now.gid} now, not to ${uid}:${gid}`
}

/** The owner, or else the group alone, or else nothing: a file that is ours serves better than none. */
function chown(fd: number, uid: number, gid: number): void {
  try {
    fchownSync(fd, uid, gid)
  } catch {
    try {
      fchownSync(fd, -1, gid)
    } catch {}
  }
}

/** A new file of root's goes to the group that shares its folder (on the original's image that of its server), with what `mode` gives to a group. */
export function giveToGroup(fd: number, gid: number, more = 0): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid: own, mode } = fstatSync(fd)
  if (gid !== own) give(fd, { uid, gid, mode: (mode & 0o777) | more })
}

/** The number of one of this machine's groups. */
export function groupNamed(name: string): number | undefined {
  let text = ''
  try {
    text = readFileSync('/etc/group', 'utf8')
  } catch {
    // Then nobody here knows it by its name.
  }
  for (const line of text.split('\n')) {
    const [found, , gid] = line.split(':')
    if (found === name && /^[0-9]+$/.test(gid ?? '')) return Number(gid)
  }
  return undefined
}
