// The pages: where each is, who may see it, what it needs to be switched on.
import type { Content } from './frame.tsx'
import { Datasets } from './pages/datasets.tsx'
import { IscsiTargets } from './pages/iscsi.tsx'
import { NfsExports } from './pages/nfs.tsx'
import { Overview } from './pages/overview.tsx'
import { Policies } from './pages/policies.tsx'
import { Pools } from './pages/pools.tsx'
import { SmbShares } from './pages/smb.tsx'
import { Snapshots } from './pages/snapshots.tsx'
import { Tasks } from './pages/tasks.tsx'
import { Update } from './pages/update.tsx'
import { hasController, hasEndpoint, may, type Role } from './session.ts'

export const GROUPS = ['Appliance', 'Storage', 'Sharing', 'System', 'People'] as const
type Group = (typeof GROUPS)[number]

interface Entry {
  name: string
  title: string
  group: Group
  Content: Content
  /** Least role; viewer when left out. */
  role?: Role
  /** Only where this optional endpoint of the admin surface is on. */
  endpoint?: string
  /** Only for accounts, where the storage controller is on. */
  controller?: true
}

const PAGES: Entry[] = [
  { name: 'overview', title: 'Overview', group: 'Appliance', Content: Overview },
  { name: 'update', title: 'Update', group: 'Appliance', Content: Update },
  { name: 'tasks', title: 'Tasks', group: 'Appliance', Content: Tasks },
  { name: 'pools', title: 'Pools', group: 'Storage', Content: Pools, controller: true },
  { name: 'datasets', title: 'Datasets', group: 'Storage', Content: Datasets, controller: true },
  { name: 'snapshots', title: 'Snapshots', group: 'Storage', Content: Snapshots, controller: true },
  { name: 'policies', title: 'Snapshot policies', group: 'Storage', Content: Policies, controller: true },
  { name: 'smb', title: 'SMB shares', group: 'Sharing', Content: SmbShares, controller: true },
  { name: 'nfs', title: 'NFS exports', group: 'Sharing', Content: NfsExports, controller: true },
  { name: 'iscsi', title: 'iSCSI targets', group: 'Sharing', Content: IscsiTargets, controller: true },
]

const isVisible = ({ role = 'viewer', endpoint, controller }: Entry) =>
  may(role) && (endpoint === undefined || hasEndpoint(endpoint)) && (!controller || hasController())

export const pageOf = (name: string) => PAGES.find((entry) => entry.name === name && isVisible(entry))
export const visible = (group: Group) => PAGES.filter((entry) => entry.group === group && isVisible(entry))
