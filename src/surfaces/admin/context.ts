// What the admin surface's handlers work with, and two helpers that its declarations share.

import type { BackOff } from '../../auth/back-off.ts'
import { accountOf, nameOf } from '../../auth/principal.ts'
import type { TokenStore } from '../../auth/token.ts'
import type { Configuration } from '../../config.ts'
import type { ServiceManager } from '../../drivers/service-manager.ts'
import type { HealthMonitor } from '../../features/health/health.ts'
import type { InstalledLicense } from '../../features/license/installed.ts'
import type { MemoryImage } from '../../features/memory-image.ts'
import type { SetToken } from '../../features/setup/setup.ts'
import type { Folders } from '../../folders.ts'
import { type Call, endpoint } from '../../http/endpoint.ts'
import { type AuditLog, resourceOf } from '../../http/pipeline/audit.ts'
import type { Rendered } from '../../http/reply/rendered.ts'
import type { CachedFile } from '../../store/cached-file.ts'
import type { PendingAudit } from '../../tasks/pending-audit.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'

export interface AdminDeps {
  folders: Folders
  config: Configuration
  /** `original`: compare with the original server; see the README on `--compat`. */
  mode: 'strict' | 'original'
  tokens: TokenStore
  setToken: SetToken
  backOff: BackOff
  tasks: Tasks
  license: InstalledLicense
  /** Saves changes made by the server itself, where the image runs from memory. */
  memory: MemoryImage
  services: ServiceManager
  health: HealthMonitor
  audit: AuditLog
  version: string
  /** The first line of version.txt, which clients request most. */
  installedVersion: CachedFile<string | undefined>
  /** The OpenAPI document, made on the first request. */
  openapi: () => Promise<string>
  /** The documents of every enabled surface, this one's first. */
  documents: () => Promise<string[]>
  /** Cache of rendered public pages. */
  rendered: Rendered
  /** First-level paths for /endpoints. */
  paths: () => string[]
  warn: (text: string, error?: unknown) => void
}

export const PREFIX = '/api/v1/admin'
export const define = endpoint<AdminDeps>()

interface Begun {
  /** The action of the endpoint. */
  action: string
  /** The target in the original's line. */
  target: string
  path: string
}

/** The caller of a task that is answered with 202: its end is entered in the audit log later. */
export const begins = (call: Call, begun: Begun): Asker => ({
  ...call.by,
  entry: owed(call, { ...begun, event: `${begun.action}.success` }),
})

/**
 * The caller of a task that the request waits for: the request's entry covers its end, unless the server dies first.
 */
export const waits = (call: Call, tasks: Tasks, begun: Begun): Asker => ({
  ...call.by,
  entry: owed(call, { ...begun, event: begun.action }),
  waits: (id) => call.audit(begun.action, begun.target, undefined, () => tasks.attended(id)),
})

const owed = (
  { principal, address, requestId }: Call,
  { event, target, path }: Omit<Begun, 'action'> & { event: string },
): PendingAudit => ({
  ...{ event, target, resource: resourceOf(path), actor: nameOf(principal) ?? 'nobody' },
  ...{ account: accountOf(principal), address, request: requestId },
})
