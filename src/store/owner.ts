// Owner, group and mode of a file that replaces another: the new file gets those of the old one. If the group cannot be
// kept (we are not root), its rights are not given to our own group instead.
import { fchmodSync, fchownSync, fstatSync, readFileSync, type Stats } from 'node:fs'

export interface Owner {
  uid: number
  gid: number
  mode: number
}

/**
 * The rights for the file that replaces `there`. `asked` is the mode of a new file: a mode for the owner only marks a
 * secret, which stays closed to others.
 */
export function heirOf(there: Stats, asked: number): Owner {
  const mode = there.mode & 0o777
  return { uid: there.uid, gid: there.gid, mode: (asked & 0o077) === 0 ? mode & ~0o007 : mode }
}

/**
 * Gives an open file to `owner`, as far as allowed. Returns what could not be kept, as text for a log; undefined if
 * everything was.
 */
export function give(fd: number, { uid, gid, mode }: Owner): string | undefined {
  const { uid: ownUid, gid: ownGid } = fstatSync(fd)
  if (ownUid !== uid || ownGid !== gid) chown(fd, uid, gid)
  const now = fstatSync(fd)
  fchmodSync(fd, now.gid === gid ? mode : mode & ~0o070)
  return now.uid === uid && now.gid === gid
    ? undefined
    : `it belongs to ${now.uid}:${now.gid} now, not to ${uid}:${gid}`
}

/** The owner, or else only the group, or else neither: a file of ours is better than none. */
function chown(fd: number, uid: number, gid: number): void {
  try {
    fchownSync(fd, uid, gid)
  } catch {
    try {
      fchownSync(fd, -1, gid)
    } catch {}
  }
}

/**
 * A new file of root's gets the group that shares its folder (on the original's image that of its server), with the
 * group rights of `mode`.
 */
export function giveToGroup(fd: number, gid: number, more = 0): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid: own, mode } = fstatSync(fd)
  if (gid !== own) give(fd, { uid, gid, mode: (mode & 0o777) | more })
}

/** The ID of a group of this machine. */
export function groupNamed(name: string): number | undefined {
  let text = ''
  try {
    text = readFileSync('/etc/group', 'utf8')
  } catch {
    // Then no name for it is known here.
  }
  for (const line of text.split('\n')) {
    const [found, , gid] = line.split(':')
    if (found === name && /^[0-9]+$/.test(gid ?? '')) return Number(gid)
  }
  return undefined
}
