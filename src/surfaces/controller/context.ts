// What the controller's handlers work with. Tokens authenticate callers, Accounts change them; both use one UserStore.
import type { Clock } from '../../auth/clock.ts'
import type { Tokens } from '../../auth/jwt.ts'
import type { Configuration } from '../../config.ts'
import type { Tool } from '../../drivers/programs.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import type { DashboardSources } from '../../features/dashboard/dashboard.ts'
import type { Dependents } from '../../features/destruction/dependents.ts'
import type { Disks } from '../../features/disks/parts.ts'
import type { DiskTests } from '../../features/disks/test-schedule.ts'
import type { Iscsi } from '../../features/iscsi/iscsi.ts'
import type { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import type { Permissions } from '../../features/permissions/permissions.ts'
import type { Pools } from '../../features/pools/pools.ts'
import type { ShareAccounts } from '../../features/share-accounts/accounts.ts'
import type { ShareInOne } from '../../features/share-in-one/share-in-one.ts'
import type { Shares } from '../../features/shares/shares.ts'
import type { Scheduler } from '../../features/snapshots/scheduler.ts'
import type { RuledAccounts } from '../../features/users/accounts.ts'
import type { LoginLimits } from '../../features/users/login-limits.ts'
import type { Folders } from '../../folders.ts'
import { endpoint } from '../../http/endpoint.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import type { Rendered } from '../../http/reply/rendered.ts'
import type { RequestCounts } from '../../http/server/counts.ts'
import type { AuditChain } from '../../store/audit/chain.ts'
import type { TaskEndings } from '../../tasks/endings.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { JobEvents } from './job-stream.ts'

export interface ControllerDeps {
  accounts: RuledAccounts
  tokens: Tokens
  limits: LoginLimits
  tasks: Tasks
  /** The audit log, for searches; entries are made by `call.audit`. */
  chain: Pick<AuditChain, 'findInTurns'>
  folders: Folders
  jobEvents: JobEvents
  iscsi: Iscsi
  maintenance: MaintenanceMode
  settings: Configuration['surfaces']['controller'] & Pick<Configuration['storage'], 'confirm-destroy'>
  audit: AuditLog
  zfs: Zfs
  pools: Pools
  disks: Disks
  diskTests: DiskTests
  shares: Shares
  shareAccounts: ShareAccounts
  sharedDatasets: () => Promise<string[]>
  tool: Tool
  permissions: Permissions
  shareInOne: ShareInOne
  /** The users of datasets and volumes: each feature registers its own. */
  dependents: Dependents[]
  /** The counts on the dashboard, by service. */
  serving: DashboardSources['serving']
  scheduler: Scheduler
  /** Milliseconds since 1970. */
  now: () => number
  clock: Clock
  counts: { requests: RequestCounts; tasks: TaskEndings }
  /** Cache of rendered public pages. */
  rendered: Rendered
  /** The OpenAPI document, made on the first request. */
  openapi: () => Promise<string>
}

export const PREFIX = '/api/v1'
/** Two endpoints that the surface itself knows: the id of the log-in, and the path that a scraper's token opens. */
export const LOGIN = 'login'
export const METRICS = '/metrics'
export const define = endpoint<ControllerDeps>()
