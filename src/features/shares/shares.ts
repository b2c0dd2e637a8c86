// Both ways of sharing a dataset, through the system's programs, and which shares stand in the way of its destruction. Without Samba or an
// NFS server nothing is shared that way, and nothing stands in the way.
import { createNfs } from '../../drivers/nfs.ts'
import { type NfsClient, readNfsClients } from '../../drivers/nfs-clients.ts'
import type { Tool } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import { createSamba } from '../../drivers/samba.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import type { Dependents } from '../destruction/dependents.ts'
import { isInside } from '../zfs/names.ts'
import { HomeFolders, type HomesOptions } from './home-folders.ts'
import { NfsExports } from './nfs.ts'
import { mountedBelow } from './place.ts'
import { SmbShares } from './smb.ts'
import { SmbSessions } from './smb-sessions.ts'

export interface SharesOptions {
  tool: Tool
  zfs: Zfs
  folders: Folders
  /** /etc/exports.d */
  exportsFolder: string
  /** Who gets home folders. */
  homeUsers: HomesOptions['users']
  trial: HomesOptions['trial']
  warn: HomesOptions['warn']
}

export interface Shares {
  smb: SmbShares
  sessions: SmbSessions
  nfs: NfsExports
  nfsClients: () => NfsClient[]
  /** Makes the home folders that are missing; what cannot be made is a warning. */
  makeHomes: () => Promise<void>
  /** The shares and exports that open something of these datasets, the first of which holds the others. */
  sharing: Dependents
  /** Puts back what a server that was killed left half done. */
  recover: () => Promise<void>
}

export function createShares({ tool, zfs, folders, exportsFolder, homeUsers, trial, warn }: SharesOptions): Shares {
  const samba = createSamba(tool)
  const homes = new HomeFolders({ zfs, users: homeUsers, trial, warn })
  const smb = new SmbShares({ samba, zfs, folders, homes })
  const nfs = new NfsExports(createNfs(tool), zfs, { folders, folder: exportsFolder })
  return {
    smb,
    sessions: new SmbSessions(tool, samba),
    nfs,
    nfsClients: () => readNfsClients(),
    async makeHomes() {
      try {
        if ((await homeUsers()).length === 0) return
        for (const { home_folders, managed, dataset = '', path, name } of await present(() => smb.all()))
          if (home_folders && managed)
            await homes
              .make(dataset, path)
              .catch((error) => warn(`the home folders of ${name} could not be made`, error))
      } catch (error) {
        warn('the home folders could not be looked at', error)
      }
    },
    async recover() {
      await Promise.all([smb.recover(), nfs.recover()])
    },
    async sharing(datasets) {
      const going = new Set(datasets)
      const folders = await mountedBelow(zfs, datasets[0] ?? '')
      // By its path as well: a dataset that was renamed by hand is shared on under its old name, and a child may be mounted anywhere.
      const opens = ({ dataset, path }: { dataset?: string; path?: string }) =>
        (dataset !== undefined && going.has(dataset)) ||
        (path !== undefined && folders.some((folder) => isInside(path, folder)))
      const [shares, exports] = await Promise.all([present(() => smb.all()), present(() => nfs.all())])
      return [
        ...shares
          .filter(opens)
          .map(({ id, name }) => ({ object: `shares/smb/${id}`, reason: `is the SMB share ${name}` })),
        ...exports
          .filter(opens)
          .map(({ id, path }) => ({ object: `exports/nfs/${id}`, reason: `is the NFS export of ${path}` })),
      ]
    },
  }
}

/** Without the programs, nothing is shared that way. */
export async function present<T>(list: () => Promise<T[]>): Promise<T[]> {
  try {
    return await list()
  } catch (error) {
    if (error instanceof ApiError && error.cause instanceof CommandError && error.cause.reason === 'missing') return []
    throw error
  }
}
