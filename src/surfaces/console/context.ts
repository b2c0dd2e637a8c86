// What the console's handlers work with. Without accounts (if no enabled surface needs them) only the API token signs
// in.
import type { Accounts } from '../../appliance/accounts.ts'
import type { Storage } from '../../appliance/storage.ts'
import type { BackOff } from '../../auth/back-off.ts'
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import type { TokenStore } from '../../auth/token.ts'
import { type Configuration, phraseWords } from '../../config.ts'
import type { ServiceManager } from '../../drivers/service-manager.ts'
import type { Finding } from '../../features/check/finding.ts'
import type { UseHistory } from '../../features/console-overview/history.ts'
import type { HealthMonitor } from '../../features/health/health.ts'
import type { FirstRunNeeds } from '../../features/setup/first-run.ts'
import type { SetToken } from '../../features/setup/setup.ts'
import type { Folders } from '../../folders.ts'
import { endpoint } from '../../http/endpoint.ts'
import type { Assets } from '../../http/reply/assets.ts'
import type { CachedFile } from '../../store/cached-file.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { TaskEvents } from './task-events.ts'
import type { TaskLogs } from './task-logs.ts'

export interface ConsoleDeps {
  folders: Folders
  config: Configuration
  /** `original`: no back-off. */
  mode: 'strict' | 'original'
  version: string
  tokens: TokenStore
  setToken: SetToken
  backOff: BackOff
  sessions: ConsoleSessions
  tasks: Tasks
  /** Both belong to the appliance, and are undefined if no enabled surface needs them. */
  accounts: Accounts | undefined
  storage: Pick<Storage, 'zpool' | 'zfs' | 'serving' | 'disks' | 'chores'> | undefined
  health: HealthMonitor
  history: UseHistory
  services: ServiceManager
  /** The first line of version.txt. */
  installedVersion: CachedFile<string | undefined>
  /** The certificate in use, as PEM; undefined without TLS. */
  certificate: () => string | undefined
  /** Problems found by the last check of the appliance. */
  findings: () => readonly Finding[]
  /** Milliseconds since 1970. */
  now: () => number
  taskEvents: TaskEvents
  taskLogs: TaskLogs
  /** The built page. */
  page: Assets
}

export const PREFIX = '/console'
export const TAG = 'Console'
export const define = endpoint<ConsoleDeps>()

export const firstRunNeeds = ({ config, tokens, setToken, accounts }: ConsoleDeps): FirstRunNeeds => ({
  tokens,
  setToken,
  phrases: phraseWords(config) > 0,
  accounts,
})
