// Every endpoint of the controller surface: the table behind routing, the OpenAPI document and the generated tests.
import type { Configuration } from '../../config.ts'
import { listAuditLogs } from './audit.ts'
import { authEndpoints } from './auth.ts'
import { dashboardEndpoints } from './dashboard.ts'
import { datasetsEndpoints } from './datasets.ts'
import { disksEndpoints } from './disks.ts'
import { nfsEndpoints } from './exports-nfs.ts'
import { iscsiEndpoints } from './iscsi.ts'
import { jobEventsEndpoints } from './job-events.ts'
import { jobsEndpoints } from './jobs.ts'
import { maintenanceEndpoints } from './maintenance.ts'
import { metricsEndpoints } from './metrics.ts'
import { nfsClientsEndpoints } from './nfs-clients.ts'
import { permissionsEndpoints } from './permissions.ts'
import { poolDevicesEndpoints } from './pool-devices.ts'
import { poolUpkeepEndpoints } from './pool-upkeep.ts'
import { poolsEndpoints } from './pools.ts'
import { quotasEndpoints } from './quotas.ts'
import { schedulesEndpoints } from './schedules.ts'
import { shareGroupsEndpoints } from './share-groups.ts'
import { createShare } from './share-in-one.ts'
import { shareUsersEndpoints } from './share-users.ts'
import { smbEndpoints } from './shares-smb.ts'
import { smbSessionsEndpoints } from './smb-sessions.ts'
import { snapshotPoliciesEndpoints } from './snapshot-policies.ts'
import { snapshotsEndpoints } from './snapshots.ts'
import { systemEndpoints } from './system.ts'
import { usersEndpoints } from './users.ts'
import { zvolsEndpoints } from './zvols.ts'

export const controllerEndpoints = [
  ...authEndpoints,
  ...usersEndpoints,
  ...disksEndpoints,
  ...schedulesEndpoints,
  ...poolsEndpoints,
  ...poolDevicesEndpoints,
  ...poolUpkeepEndpoints,
  ...datasetsEndpoints,
  ...permissionsEndpoints,
  ...zvolsEndpoints,
  ...snapshotsEndpoints,
  createShare,
  ...smbEndpoints,
  ...smbSessionsEndpoints,
  ...nfsEndpoints,
  ...nfsClientsEndpoints,
  ...shareUsersEndpoints,
  ...shareGroupsEndpoints,
  ...quotasEndpoints,
  ...iscsiEndpoints,
  ...snapshotPoliciesEndpoints,
  ...jobsEndpoints,
  listAuditLogs,
  ...jobEventsEndpoints,
  ...systemEndpoints,
  ...dashboardEndpoints,
  ...metricsEndpoints,
  ...maintenanceEndpoints,
]

/** The endpoints of this configuration: a path may be declared twice, with two permissions. */
export const enabledEndpoints = (config: Configuration) =>
  controllerEndpoints.filter(({ enabled }) => enabled?.(config) ?? true)
