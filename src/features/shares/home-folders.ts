// A share whose users each see a folder of their own: Samba opens PATH/%u, and this makes the folders of the share users. A hazard: who
// may write beside them could put a link there under another's name, so only root may write in PATH and in the folders above it
// that are in the dataset, and no link is followed.
import { mkdirSync, type Stats } from 'node:fs'
import { close, namesIn, openSubfolder, setMode, setOwner, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { errno, failedPrecondition } from '../../errors.ts'
import { syncFolder } from '../../store/atomic.ts'
import { inPlace } from './place.ts'

export interface HomeUser {
  id: number
  gid: number
  name: string
}

export interface HomesOptions {
  zfs: Zfs
  /** The share users. */
  users: () => Promise<readonly HomeUser[]>
  /** The storage programs are not the system's: nothing is mounted. */
  trial: boolean
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
  /** The folders that are somebody else’s, each of which is said once. */
  private readonly said = new Set<string>()

  constructor(options: HomesOptions) {
    this.options = options
  }

  /** Makes the folders that are missing. */
  async make(dataset: string, path: string | undefined): Promise<void> {
    const { zfs, users, trial, warn } = this.options
    const all = await users()
    const check = (stats: Stats, isLast: boolean) => {
      if (othersMayWrite(stats) || (isLast && (stats.mode & 0o001) === 0))
        throw failedPrecondition(
          'A folder of home folders, and each above it in the dataset, belongs to root, and only root may write in it: mode 755',
          { details: { object: dataset } },
        )
    }
    await inPlace(
      zfs,
      { dataset, path, trial, check, failure: 'The home folders cannot be made' },
      async (top, place) => {
        const outcomes = all.map((user) => makeOne(top, user))
        if (outcomes.includes('made')) syncFolder(`/proc/self/fd/${top}`)
        for (const [i, { name }] of all.entries()) {
          const words = `${place.path}: the home folder of ${name} belongs to another user, or is no folder`
          if (outcomes[i] !== 'taken') this.said.delete(words)
          else if (!this.said.has(words)) warn(words)
          if (outcomes[i] === 'taken') this.said.add(words)
        }
      },
    )
  }
}

/** The bits of the group are those of a list's mask: without them, no entry of a list may write. */
export const othersMayWrite = ({ uid, mode }: { uid: number; mode: number }): boolean =>
  uid !== 0 || (mode & 0o022) !== 0

/** One that a server made which was killed before it gave it away is made now. */
function makeOne(top: number, user: HomeUser): 'there' | 'made' | 'taken' {
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
    if (errno(error) === 'ENOTDIR' || errno(error) === 'ELOOP') return 'taken'
    throw error
  }
  try {
    const { uid } = statOf(folder)
    if (uid === user.id) return 'there'
    if (uid !== 0 || !isEmpty(folder)) return 'taken'
    setMode(folder, 0o700)
    setOwner(folder, user.id, user.gid)
    return 'made'
  } finally {
    close(folder)
  }
}

function isEmpty(folder: number): boolean {
  for (const _name of namesIn(folder)) return false
  return true
}
