// The folder `.recycle` of a share, in which Samba's module makes one for each user. A hazard: made by Samba, it has the
// default ACL of the share, by which its folders are open to others. So it is made beforehand, of root and without a list.
import { mkdirSync } from 'node:fs'
import type { Acl } from '../../drivers/acl.ts'
import { close, nameForOthers, namesIn, openSubfolder, setMode, setOwner, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, failedPrecondition } from '../../errors.ts'
import { syncFolder } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { inPlace } from './place.ts'

export interface BinsOptions {
  zfs: Zfs
  acl: Acl
  /** The storage programs are not the system's: nothing is mounted. */
  trial: boolean
  warn: (text: string, error?: unknown) => void
}

/** In the folder of the share; `recycle:repository` names it, with a folder for each user. */
export const BIN = '.recycle'

const OPEN = 0o1777
const ACCESS = { user: 7, group: 7, other: 7, mask: undefined, named: [] }

export class RecycleBins {
  private readonly options: BinsOptions

  constructor(options: BinsOptions) {
    this.options = options
  }

  /** Makes it, or takes over the one that Samba has made. */
  async make(dataset: string, path: string | undefined): Promise<void> {
    const { zfs, trial, warn } = this.options
    const leave = (why: unknown) =>
      warn(`${dataset}: the recycle bin is left to Samba, since the server cannot make it`, why)
    if (process.getuid?.() !== 0) return trial ? undefined : leave('only root can')
    const acltype = (await zfs.get(dataset))?.get('acltype')?.value ?? ''
    const place = { dataset, path, trial, failure: 'The recycle bin cannot be made' }
    const made = inPlace(zfs, place, async (top) => {
      const bin = openBin(top, dataset)
      try {
        const { uid, mode } = statOf(bin)
        if (uid === 0 && (mode & 0o7777) === OPEN) return
        await this.takeOver(bin, dataset, /^posix(?:acl)?$/.test(acltype))
        syncFolder(`/proc/self/fd/${top}`)
      } finally {
        close(bin)
      }
    })
    await made.catch((error) => {
      // Of a demonstration, the mount points need not be there.
      const isAbsent = trial && error instanceof ApiError && errno(error.cause) === 'ENOENT'
      if (isAbsent) return
      if (!(error instanceof ApiError) || errno(error.cause) !== 'EROFS') throw error
      leave(error)
    })
  }

  /** Only root can look into it until it is done: one that a killed server has left is not open, and is done again. */
  private async takeOver(bin: number, dataset: string, hasLists: boolean): Promise<void> {
    const { acl, warn } = this.options
    setMode(bin, 0o1700)
    setOwner(bin, 0, 0)
    checkpoint('recycle-bin-made')
    for (const name of namesIn(bin)) {
      try {
        closeOne(bin, name)
      } catch (error) {
        if (errno(error) === undefined) throw error
        warn(`${dataset}: a folder in the recycle bin cannot be closed to others`, error)
      }
    }
    const name = nameForOthers(bin)
    if (hasLists && !acl.isInstalled())
      warn(`${dataset}: without setfacl (package acl) the folders in the recycle bin may be open to others`)
    else if (hasLists) {
      const reason = (await acl.write([name], { access: ACCESS, default: undefined })).get(name)
      if (reason !== undefined)
        throw new ApiError('command-failed', `The recycle bin cannot be made: ${reason}`, {
          details: { object: dataset },
        })
    }
    checkpoint('recycle-bin-closed')
    setMode(bin, OPEN)
  }
}

/** The folder of a user, which Samba made with the list of an earlier bin. The bits of the group are those of its mask. */
function closeOne(bin: number, name: string): void {
  let folder: number
  try {
    folder = openSubfolder(bin, name)
  } catch (error) {
    if (/^(?:ENOENT|ENOTDIR|ELOOP)$/.test(errno(error) ?? '')) return
    throw error
  }
  try {
    if ((statOf(folder).mode & 0o077) !== 0) setMode(folder, 0o700)
  } finally {
    close(folder)
  }
}

function openBin(top: number, dataset: string): number {
  try {
    mkdirSync(`/proc/self/fd/${top}/${BIN}`, 0o700)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error
  }
  try {
    return openSubfolder(top, BIN)
  } catch (cause) {
    if (errno(cause) !== 'ENOTDIR' && errno(cause) !== 'ELOOP') throw cause
    throw failedPrecondition(`There is something with the name ${BIN} in the share that is no folder`, {
      details: { object: dataset },
      cause,
    })
  }
}
