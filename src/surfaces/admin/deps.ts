// What the admin surface's handlers work with, and the two small things that all of its declarations share.

import type { BackOff } from '../../auth/back-off.ts'
import type { TokenStore } from '../../auth/token.ts'
import type { Configuration } from '../../config.ts'
import type { Run } from '../../drivers/run.ts'
import type { ServiceManager } from '../../drivers/service-manager.ts'
import type { HealthMonitor } from '../../features/health/health.ts'
import type { Folders } from '../../folders.ts'
import type { AuditLog } from '../../http/audit.ts'
import { type Call, endpoint } from '../../http/endpoint.ts'
import type { Remembered } from '../../store/remembered.ts'
import type { Tasks } from '../../tasks/tasks.ts'

export interface AdminDeps {
  folders: Folders
  config: Configuration
  /** `original` compares with the original server: see the README on `--compat`. */
  mode: 'strict' | 'original'
  tokens: TokenStore
  backOff: BackOff
  tasks: Tasks
  run: Run
  services: ServiceManager
  health: HealthMonitor
  audit: AuditLog
  version: string
  /** The first line of version.txt: what clients ask for most. */
  installedVersion: Remembered<string | undefined>
  /** The OpenAPI document, made on the first request. */
  openapi: () => string
  /** Those of every surface that is on, this one's first. */
  documents: () => string[]
  /** First-level paths for /endpoints. */
  paths: () => string[]
  warn: (text: string, error?: unknown) => void
}

export const PREFIX = '/api/v1/admin'
export const define = endpoint<AdminDeps>()

/** Who asks, as tasks keep it. */
export const caller = (call: Call) => ({ name: call.principal?.name ?? 'nobody', address: call.address })
