// A share whose users each see a folder of their own: Samba opens PATH/%u, and this makes the folders of the share users. A hazard: who
// may write beside them could put a link there under another's name, so only root may write in PATH, and no link is followed.
import { mkdirSync } from 'node:fs'
import { close, namesIn, openFolder, openSubfolder, setMode, setOwner, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, failedPrecondition } from '../../errors.ts'
import { syncFolder } from '../../store/atomic.ts'
import { placeOf } from './place.ts'

export interface HomeUser {
  id: number
  gid: number
  name: string
}

export interface HomesOptions {
  zfs: Zfs
  /** The share users. */
  users: () => Promise<readonly HomeUser[]>
  warn: (text: string, error?: unknown) => void
}

/** Behind the path of such a share: the user of the connection, as the system has it. */
const OWN = '/%u'
export const isOfHomes = (path: string | undefined): boolean => path?.endsWith(OWN) ?? false
export const withoutOwn = (path: string): string => (isOfHomes(path) ? path.slice(0, -OWN.length) : path)
export const withOwn = (path: string): string => withoutOwn(path) + OWN

/** Samba writes `_` for what a shell could misread. A share user's name has `'` of these, and never `/` or a dot in front. */
const folderOf = ({ name }: HomeUser) => name.replaceAll(/[$`"';%]/g, '_')

export class HomeFolders {
  private readonly options: HomesOptions

  constructor(options: HomesOptions) {
    this.options = options
  }

  /** Makes the folders that are missing, before their share is there or changed. */
  async make(dataset: string, path: string | undefined): Promise<void> {
    const { zfs, users, warn } = this.options
    // What is made while the dataset is not mounted is out of sight at its next mount.
    const place = await placeOf(zfs, dataset, path)
    const all = await users()
    let top: number | undefined
    try {
      top = openFolder(place.path)
      const { uid, mode } = statOf(top)
      if (uid !== 0 || (mode & 0o022) !== 0 || (mode & 0o001) === 0)
        throw failedPrecondition('A folder of home folders belongs to root, and only root may write in it: mode 755', {
          details: { object: dataset },
        })
      for (const user of all)
        if (!makeOne(top, user))
          warn(`${place.path}: the home folder of ${user.name} belongs to another user, or is no folder`)
      syncFolder(place.path)
    } catch (error) {
      if (error instanceof ApiError) throw error
      const full = errno(error) === 'ENOSPC' || errno(error) === 'EDQUOT'
      throw new ApiError(full ? 'no-space' : 'command-failed', 'The home folders cannot be made', {
        cause: error,
        details: { object: dataset },
      })
    } finally {
      if (top !== undefined) close(top)
    }
  }
}

/** Whether the user has the folder: it is there, made now, or made by a server that was killed before it gave it away. */
function makeOne(top: number, user: HomeUser): boolean {
  const name = Buffer.from(folderOf(user)).toString('latin1')
  try {
    mkdirSync(Buffer.from(`/proc/self/fd/${top}/${name}`, 'latin1'), 0o700)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
  }
  let folder: number
  try {
    folder = openSubfolder(top, name)
  } catch (error) {
    if (errno(error) === 'ENOTDIR' || errno(error) === 'ELOOP') return false
    throw error
  }
  try {
    const { uid } = statOf(folder)
    if (uid === user.id) return true
    if (uid !== 0 || !isEmpty(folder)) return false
    setMode(folder, 0o700)
    setOwner(folder, user.id, user.gid)
    return true
  } finally {
    close(folder)
  }
}

function isEmpty(folder: number): boolean {
  for (const _name of namesIn(folder)) return false
  return true
}
