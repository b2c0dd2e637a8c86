// The table of pages: name in the address, title, group, least role, and what has to be enabled for it.
import type { Entry } from './page-list.ts'
import { Account } from './pages/account.tsx'
import { ApiToken } from './pages/api-token.tsx'
import { Audit } from './pages/audit.tsx'
import { Backup } from './pages/backup.tsx'
import { Certificates } from './pages/certificates.tsx'
import { Datasets } from './pages/datasets.tsx'
import { Disks } from './pages/disks.tsx'
import { IscsiTargets } from './pages/iscsi.tsx'
import { License } from './pages/license.tsx'
import { Maintenance } from './pages/maintenance.tsx'
import { Network } from './pages/network.tsx'
import { NfsExports } from './pages/nfs.tsx'
import { Overview } from './pages/overview.tsx'
import { PersistentStorage } from './pages/persistent-storage.tsx'
import { Policies } from './pages/policies.tsx'
import { Pools } from './pages/pools.tsx'
import { Reboot } from './pages/reboot.tsx'
import { ShareUsers } from './pages/share-users.tsx'
import { SmbShares } from './pages/smb.tsx'
import { Snapshots } from './pages/snapshots.tsx'
import { Support } from './pages/support.tsx'
import { Tasks } from './pages/tasks.tsx'
import { Update } from './pages/update.tsx'
import { Users } from './pages/users.tsx'

export const PAGES: Entry[] = [
  { name: 'overview', title: 'Overview', group: 'Appliance', Content: Overview },
  { name: 'update', title: 'Update', group: 'Appliance', Content: Update },
  { name: 'backup', title: 'Backup and restore', group: 'Appliance', Content: Backup, endpoint: 'backup' },
  { name: 'tasks', title: 'Tasks', group: 'Appliance', Content: Tasks },
  { name: 'support', title: 'Support', group: 'Appliance', Content: Support },
  { name: 'network', title: 'Network', group: 'System', Content: Network, role: 'administrator', endpoint: 'settings' },
  { name: 'certificates', title: 'Certificates', group: 'System', Content: Certificates, endpoint: 'certs' },
  { name: 'license', title: 'License', group: 'System', Content: License, endpoint: 'license' },
  {
    name: 'persistent-storage',
    title: 'Persistent storage',
    group: 'System',
    Content: PersistentStorage,
    role: 'administrator',
    endpoint: 'storage',
  },
  { name: 'api-token', title: 'API token', group: 'System', Content: ApiToken, role: 'administrator' },
  {
    name: 'maintenance',
    title: 'Maintenance mode',
    group: 'System',
    Content: Maintenance,
    role: 'administrator',
    controller: true,
  },
  { name: 'audit', title: 'Audit log', group: 'System', Content: Audit, role: 'administrator', controller: true },
  { name: 'reboot', title: 'Reboot', group: 'System', Content: Reboot, role: 'administrator' },
  { name: 'users', title: 'Users', group: 'Accounts', Content: Users, controller: true },
  { name: 'account', title: 'Account', group: 'Accounts', Content: Account },
  { name: 'pools', title: 'Pools', group: 'Storage', Content: Pools, controller: true },
  { name: 'disks', title: 'Disks', group: 'Storage', Content: Disks, controller: true },
  { name: 'datasets', title: 'Datasets', group: 'Storage', Content: Datasets, controller: true },
  { name: 'snapshots', title: 'Snapshots', group: 'Storage', Content: Snapshots, controller: true },
  { name: 'policies', title: 'Snapshot policies', group: 'Storage', Content: Policies, controller: true },
  { name: 'smb', title: 'SMB shares', group: 'Sharing', Content: SmbShares, controller: true },
  { name: 'share-users', title: 'Share users', group: 'Sharing', Content: ShareUsers, controller: true },
  { name: 'nfs', title: 'NFS exports', group: 'Sharing', Content: NfsExports, controller: true },
  { name: 'iscsi', title: 'iSCSI targets', group: 'Sharing', Content: IscsiTargets, controller: true },
]
