// Both ways of sharing a dataset, through the system's programs, and which shares stand in the way of its destruction. Without Samba or an
// NFS server nothing is shared that way, and nothing stands in the way.
import { createAcl } from '../../drivers/acl.ts'
import { createNfs } from '../../drivers/nfs.ts'
import { type NfsClient, readNfsClients } from '../../drivers/nfs-clients.ts'
import type { Tool } from '../../drivers/programs.ts'
import { CommandError } from '../../drivers/run.ts'
import { createSamba } from '../../drivers/samba.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Dependents } from '../destruction/dependents.ts'
import { datasetLock } from '../zfs/lock.ts'
import { isInside } from '../zfs/names.ts'
import { HomeFolders, type HomesOptions } from './home-folders.ts'
import { NfsExports } from './nfs.ts'
import { mountedBelow } from './place.ts'
import { RecycleBins } from './recycle-bin.ts'
import { ShareFolders, type ShareFoldersOptions } from './share-folders.ts'
import { SmbShares } from './smb.ts'
import { SmbSessions } from './smb-sessions.ts'

export interface SharesOptions {
  tool: Tool
  zfs: Zfs
  folders: Folders
  tasks: Pick<Tasks, 'isAtWork'>
  /** /etc/exports.d */
  exportsFolder: string
  /** Who gets home folders. */
  homeUsers: HomesOptions['users']
  trial: HomesOptions['trial']
  /** The server is root. */
  privileged: boolean
  warn: HomesOptions['warn']
  pause?: ShareFoldersOptions['pause']
}

export interface Shares {
  smb: SmbShares
  sessions: SmbSessions
  nfs: NfsExports
  nfsClients: () => NfsClient[]
  /** Makes the home folders and recycle bins that are missing; what cannot be made is a warning, and tried again. */
  makeFolders: () => Promise<void>
  close: () => void
  /** The shares and exports that open something of these datasets, the first of which holds the others. */
  sharing: Dependents
  /** Puts back what a server that was killed left half done. */
  recover: () => Promise<void>
}

export function createShares({
  tool,
  zfs,
  folders,
  tasks,
  exportsFolder,
  homeUsers,
  trial,
  privileged,
  warn,
  pause,
}: SharesOptions): Shares {
  const samba = createSamba(tool)
  const shareFolders: ShareFolders = new ShareFolders({
    homes: new HomeFolders({ zfs, users: homeUsers, trial, warn }),
    bins: new RecycleBins({ zfs, acl: createAcl(tool), trial, warn }),
    shares: () => present(() => smb.all()),
    isAtWork: (dataset) => tasks.isAtWork(datasetLock(dataset)),
    ...{ privileged, warn, pause },
  })
  const smb: SmbShares = new SmbShares({ samba, zfs, folders, shareFolders })
  const nfs = new NfsExports(createNfs(tool), zfs, { folders, folder: exportsFolder })
  return {
    smb,
    sessions: new SmbSessions(tool, samba),
    nfs,
    nfsClients: () => readNfsClients(),
    makeFolders: () => shareFolders.makeAll(),
    close: () => shareFolders.close(),
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
