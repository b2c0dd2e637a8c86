// Storage: pools, datasets, shares, iSCSI and the snapshot policies, on the system's programs. See storage-host.ts for
// when it is loaded.
import type { Configuration } from '../config.ts'
import { createAcl } from '../drivers/acl.ts'
import { createDevices } from '../drivers/device-links.ts'
import { createLeds } from '../drivers/leds.ts'
import { createLsblk } from '../drivers/lsblk.ts'
import type { Tool } from '../drivers/programs.ts'
import { createSmartctl } from '../drivers/smartctl.ts'
import { createSystemAccounts } from '../drivers/system-accounts.ts'
import { createZfs, type Zfs } from '../drivers/zfs.ts'
import { createZpool, type Zpool } from '../drivers/zpool.ts'
import type { DashboardSources } from '../features/dashboard/dashboard.ts'
import type { Dependents } from '../features/destruction/dependents.ts'
import { DiskHealth } from '../features/disks/health.ts'
import type { Disks } from '../features/disks/parts.ts'
import type { DiskTests } from '../features/disks/test-schedule.ts'
import { createIscsi } from '../features/iscsi/create.ts'
import type { Iscsi } from '../features/iscsi/iscsi.ts'
import { UNSERVED } from '../features/iscsi/view.ts'
import { Permissions } from '../features/permissions/permissions.ts'
import { putPropertiesBack } from '../features/pools/half-set.ts'
import type { Pools } from '../features/pools/pools.ts'
import { ShareAccounts } from '../features/share-accounts/accounts.ts'
import { usersOf } from '../features/share-accounts/record.ts'
import { ShareInOne } from '../features/share-in-one/share-in-one.ts'
import { sharedDatasets, sharesNaming } from '../features/shares/naming.ts'
import { createShares, present, type Shares } from '../features/shares/shares.ts'
import type { Chores } from '../features/snapshots/chores.ts'
import { Scheduler } from '../features/snapshots/scheduler.ts'
import type { Folders } from '../folders.ts'
import type { AuditLog } from '../http/pipeline/audit.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { asker, createChores } from './chores.ts'

export interface Storage {
  zfs: Zfs
  zpool: Zpool
  pools: Pools
  disks: Disks
  /** How often disks test themselves. */
  diskTests: DiskTests
  chores: Chores
  shares: Shares
  iscsi: Iscsi
  /** Users and groups of shares. */
  shareAccounts: ShareAccounts
  /** The datasets that are shared or exported. */
  sharedDatasets: () => Promise<string[]>
  tool: Tool
  permissions: Permissions
  /** Filesystem, permissions and share in one change. */
  shareInOne: ShareInOne
  /** The users of datasets and volumes: each feature registers its own. */
  dependents: Dependents[]
  /** What is shared and served now, by service. */
  serving: DashboardSources['serving']
  scheduler: Scheduler
  /** Finishes or undoes share changes that a killed server had begun. */
  recoverShares: () => void
  /** Brings share users and groups into the system and Samba, as after an update of a read-only root. */
  restoreShareAccounts: () => void
  /** Restores saved iSCSI targets after a start, and after a pool was imported. */
  restoreTargets: () => void
  /** Sets back what was half set of a pool that was not there, as soon as it is. */
  restoreProperties: () => void
  close: () => void
}

export interface StorageOptions {
  folders: Folders
  config: Configuration
  tasks: Tasks
  audit: AuditLog
  /** Runs the storage programs. */
  tool: Tool
  /** The storage programs are not the system's, so its files must not be written. */
  trial: boolean
  /** Replaces `/` for /dev and /sys, if the storage programs are not the system's. */
  machine: string
  /** The clock of the snapshot policies, in milliseconds since 1970. */
  now: () => number
  warn: (text: string, error?: unknown) => void
}

/** Milliseconds between two looks for a pool that is to be set back: the system may import it after our start. */
const LOOK = 60_000

export function createStorage({
  folders,
  config,
  tasks,
  audit,
  tool,
  trial,
  machine,
  now,
  warn,
}: StorageOptions): Storage {
  const settings = config.storage
  const zfs = createZfs(tool)
  const zpool = createZpool(tool)
  const [lsblk, devices, smartctl] = [createLsblk(tool), createDevices(machine), createSmartctl(tool)]
  const health = new DiskHealth(smartctl, now)
  const shares = createShares({
    ...{ tool, zfs, folders, tasks, trial, warn, exportsFolder: settings['exports-folder'] },
    privileged: config.privilege !== 'sudo',
    homeUsers: async () => usersOf(await shareAccounts.records()),
  })
  const iscsi = createIscsi({ folders, settings: settings.iscsi, tool, zfs, trial, warn })
  const acl = createAcl(tool)
  const permissions = new Permissions({
    ...{ zfs, acl, folders, tasks, trial, warn },
    system: createSystemAccounts(tool),
    smbShares: () => present(() => shares.smb.all()),
  })
  const auditNow = (event: string, target: string, failure?: string) => {
    audit.write({ event, target, actor: 'system', account: 'system', address: 'local', failure })
    return audit.saved()
  }
  const shareInOne = new ShareInOne({ zfs, acl, shares, permissions, tasks, folders, warn, audit: auditNow })
  const dependents: Dependents[] = [shares.sharing, (destroyed) => iscsi.dependents(destroyed)]
  const enter = (event: string, target: string, failure?: string) =>
    audit.write({ event, target, actor: 'system', account: 'system', address: 'local', ...(failure && { failure }) })
  const shareAccounts: ShareAccounts = new ShareAccounts({
    makeFolders: shares.makeFolders,
    ...{ tool, folders, ids: settings['share-ids'] },
    privileged: config.privilege !== 'sudo',
    sharesNaming: (name, kind) => sharesNaming(shares, name, kind),
    event(target, what, failure) {
      warn(`${target}: ${what}`, failure)
      enter('share-accounts.restore', target, failure === undefined ? undefined : what)
    },
  })
  const pools: Pools = { zpool, zfs, lsblk, devices, tasks, dependents, files: settings['file-vdevs'] }
  const disks: Disks = { zpool, lsblk, devices, smartctl, health, leds: createLeds(tool), tasks }
  let isClosed = false
  let nextLook: NodeJS.Timeout | undefined
  const restoreProperties = async (): Promise<void> => {
    clearTimeout(nextLook)
    const left = await putPropertiesBack(pools, folders.state, (pool) => asker('pools.update', `pools/${pool}`)).catch(
      (error) => {
        warn('properties of a pool could not be put back', error)
        return true
      },
    )
    clearTimeout(nextLook)
    if (left && !isClosed) nextLook = setTimeout(() => void restoreProperties(), LOOK).unref()
  }
  const { chores, tests } = createChores({ pools, disks, folders, now, audit: auditNow, warn })
  const scheduler = new Scheduler({
    zfs,
    zpool,
    tasks,
    now,
    audit: auditNow,
    chores,
    warn,
  })
  return {
    zfs,
    zpool,
    pools,
    disks,
    diskTests: tests,
    chores,
    shares,
    iscsi,
    shareAccounts,
    sharedDatasets: () => sharedDatasets(shares),
    tool,
    permissions,
    shareInOne,
    dependents,
    serving: servingOf(shares, iscsi),
    scheduler,
    recoverShares() {
      // The parts first: what was made in one go is undone by them.
      const recover = async () => {
        for (const part of [shares, permissions, shareInOne])
          await part.recover().catch((error) => warn('a share could not be put back as it was', error))
      }
      void recover()
    },
    restoreShareAccounts() {
      const restore = async () => {
        await shareAccounts.restore().catch((error) => warn('share users and groups could not be brought back', error))
        await shares.makeFolders()
      }
      void restore()
    },
    restoreTargets() {
      iscsi.restore().catch((error) => warn('iSCSI targets could not be brought back', error))
    },
    restoreProperties: () => void restoreProperties(),
    close() {
      isClosed = true
      clearTimeout(nextLook)
      scheduler.stop()
      shares.close()
      iscsi.close()
    },
  }
}

const servingOf = ({ smb, nfs }: Shares, iscsi: Iscsi): Storage['serving'] => ({
  smb: async () => ({ count: (await smb.all()).length, running: await smb.isRunning() }),
  nfs: async () => ({ count: (await nfs.all()).length, running: nfs.isRunning() }),
  iscsi: async () => {
    const targets = await iscsi.list()
    const unserved = targets.flatMap(({ iqn, [UNSERVED]: all }) => all.map((one) => `${iqn} does not serve ${one}`))
    return { count: targets.length, running: targets.some(({ enabled }) => enabled), unserved }
  },
})
