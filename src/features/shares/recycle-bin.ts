// The folder `.recycle` of a share, in which Samba's module makes one for each user. A hazard: made by Samba, it has the
// default ACL of the share, which its folders then have as well, whatever their mode: others could list the names of
// deleted files. So it is made beforehand, of root and without such a list.
import { mkdirSync } from 'node:fs'
import type { Acl, Rights } from '../../drivers/acl.ts'
import { close, nameForOthers, namesIn, openSubfolder, setMode, setOwner, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, failedPrecondition } from '../../errors.ts'
import { syncFolder } from '../../store/atomic.ts'
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

export class RecycleBins {
  private readonly options: BinsOptions

  constructor(options: BinsOptions) {
    this.options = options
  }

  /** Makes it, or takes over the one that Samba has made. */
  async make(dataset: string, path: string | undefined): Promise<void> {
    const { zfs, trial, warn } = this.options
    const lists = await this.hasLists(dataset)
    const made = inPlace(
      zfs,
      { dataset, path, trial, failure: 'The recycle bin cannot be made' },
      async (top, place) => {
        let bin: number | undefined
        try {
          bin = openBin(top, dataset)
          // Only root can look into one that is new or taken over, until its lists are gone.
          if (statOf(bin).uid !== 0) setOwner(bin, 0, 0)
          await this.limit(bin, dataset, { lists, rights: [7, 7, 7], sticky: true })
          for (const name of namesIn(bin)) await this.limitOne(bin, name, dataset, lists)
          syncFolder(`/proc/self/fd/${top}`)
        } catch (error) {
          if (!/^(?:EACCES|EPERM|EROFS)$/.test(errno(error) ?? '')) throw error
          warn(`${place.path}: the recycle bin is left to Samba, since the server cannot make it`, error)
        } finally {
          if (bin !== undefined) close(bin)
        }
      },
    )
    await made.catch((error) => {
      // Of a demonstration, the mount points need not be there.
      const isAbsent = trial && error instanceof ApiError && errno(error.cause) === 'ENOENT'
      if (!isAbsent) throw error
    })
  }

  private async hasLists(dataset: string): Promise<boolean> {
    const { zfs, acl } = this.options
    const acltype = (await zfs.get(dataset))?.get('acltype')?.value ?? ''
    return /^posix(?:acl)?$/.test(acltype) && acl.isInstalled()
  }

  /** The folder of a user, which Samba made with the lists of an earlier bin. */
  private async limitOne(bin: number, name: string, dataset: string, lists: boolean): Promise<void> {
    let folder: number
    try {
      folder = openSubfolder(bin, name)
    } catch (error) {
      if (/^(?:ENOENT|ENOTDIR|ELOOP)$/.test(errno(error) ?? '')) return
      throw error
    }
    try {
      await this.limit(folder, dataset, { lists, rights: [7, 0, 0], sticky: false })
    } finally {
      close(folder)
    }
  }

  private async limit(
    folder: number,
    dataset: string,
    {
      lists,
      rights: [user, group, other],
      sticky,
    }: { lists: boolean; rights: [Rights, Rights, Rights]; sticky: boolean },
  ): Promise<void> {
    if (lists) {
      const name = nameForOthers(folder)
      const access = { user, group, other, mask: undefined, named: [] }
      const reason = (await this.options.acl.write([name], { access, default: undefined })).get(name)
      if (reason !== undefined)
        throw new ApiError('command-failed', `The recycle bin cannot be made: ${reason}`, {
          details: { object: dataset },
        })
    }
    const mode = (sticky ? 0o1000 : 0) | (user << 6) | (group << 3) | other
    if ((statOf(folder).mode & 0o7777) !== mode) setMode(folder, mode)
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
