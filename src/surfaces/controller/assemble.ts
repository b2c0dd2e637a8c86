// Puts the controller surface together, only where it is switched on: the first call makes the first account and the tokens' secret.
// The trap: whatever is wrong with those files has to be thrown here, before the port is open.
import { join } from 'node:path'
import type { Boot } from '../../auth/boots.ts'
import type { Clock } from '../../auth/clock.ts'
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import { readSecret, Tokens } from '../../auth/jwt.ts'
import type { KnownAddresses } from '../../auth/known-addresses.ts'
import { MetricsToken } from '../../auth/metrics-token.ts'
import { Passwords } from '../../auth/password.ts'
import { UserStore } from '../../auth/users.ts'
import type { Configuration } from '../../config.ts'
import { createLsblk } from '../../drivers/lsblk.ts'
import type { Tool } from '../../drivers/programs.ts'
import { createZfs } from '../../drivers/zfs.ts'
import { createZpool } from '../../drivers/zpool.ts'
import type { Dependents } from '../../features/datasets/destroy.ts'
import { createIscsi } from '../../features/iscsi/create.ts'
import { UNSERVED } from '../../features/iscsi/view.ts'
import { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import { createShares } from '../../features/shares/shares.ts'
import { Scheduler } from '../../features/snapshots/scheduler.ts'
import { LoginLimits } from '../../features/users/login-limits.ts'
import type { Folders } from '../../folders.ts'
import { openapiDocument } from '../../http/openapi.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import { Answers } from '../../http/pipeline/idempotency.ts'
import { Rendered } from '../../http/reply/rendered.ts'
import type { Surface } from '../../http/surface.ts'
import type { AuditChain } from '../../store/audit/chain.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { ControllerDeps } from './deps.ts'
import { controllerEndpoints, enabledEndpoints } from './endpoints.ts'
import { JobEvents } from './job-events.ts'
import { controllerSurface, isControllerPath } from './surface.ts'
import { Failure } from './words.ts'

export interface Controller {
  surface: Surface
  endpoints: typeof controllerEndpoints
  isOwnPath: typeof isControllerPath
  deps: ControllerDeps
  /** Ends what a killed server left half done. Only for whoever has the port. */
  tidy: () => void
  /** A pool is there that was not: what stands on it may come back. */
  imported: () => void
  /** Ends what has no end of its own. */
  hangUp: () => void
  scheduler: Scheduler
  close: () => void
}

export interface ControllerOptions {
  folders: Folders
  config: Configuration
  version: string
  tasks: Tasks
  audit: AuditLog
  /** The same entries, for whoever searches them. */
  chain: Pick<AuditChain, 'findInTurns'>
  counts: ControllerDeps['counts']
  warn: (text: string, error?: unknown) => void
  /** Starts the storage programs. */
  tool: Tool
  /** The storage programs are not the system's, so its files are not ours to write. */
  trial: boolean
  /** Milliseconds since 1970: what the snapshot policies go by. */
  now: () => number
  /** Those of the console, where it is on. */
  sessions: ConsoleSessions | undefined
  known: KnownAddresses
  clock: Clock
  boot: Boot
}

export function assembleController({
  folders,
  config,
  version,
  tasks,
  audit,
  chain,
  warn,
  counts,
  tool,
  trial,
  now,
  sessions,
  known,
  clock,
  boot,
}: ControllerOptions): Controller {
  const users = new UserStore(folders)
  const oneTime = users.prepare()
  if (oneTime) warn(`the one-time password of "admin" is in ${oneTime}`)
  const tokens = new Tokens(readSecret(folders), users, clock, boot)
  const limits = new LoginLimits(folders, known, clock)
  const maintenance = new MaintenanceMode(folders)
  const answers = new Answers(
    join(folders.state, 'idempotency'),
    (error) => warn('an answer could not be kept for its Idempotency-Key', error),
    clock,
  )
  const jobEvents = new JobEvents({ folders, users, config, sessions, warn })
  const zfs = createZfs(tool)
  const zpool = createZpool(tool)
  const shares = createShares({ tool, zfs, folders, exportsFolder: config.surfaces.controller['exports-folder'] })
  const iscsi = createIscsi({ folders, settings: config.surfaces.controller.iscsi, tool, zfs, trial, warn })
  const dependents: Dependents[] = [shares.sharing, (destroyed) => iscsi.dependents(destroyed)]
  const restoreTargets = () =>
    void iscsi.restore().catch((error) => warn('iSCSI targets could not be brought back', error))
  const scheduler = new Scheduler({
    zfs,
    zpool,
    tasks,
    now,
    audit(event, target, failure) {
      audit.write({ event, target, actor: 'system', account: 'system', address: 'local', failure })
      return audit.saved()
    },
    warn,
  })
  return {
    surface: controllerSurface({
      tokens,
      metrics: new MetricsToken(folders),
      limits,
      answers,
      audit,
      maintenance,
      sessions,
      perMinute: config.surfaces.controller['requests-per-minute'],
    }),
    endpoints: controllerEndpoints,
    isOwnPath: isControllerPath,
    deps: {
      accounts: { users, passwords: new Passwords() },
      tokens,
      limits,
      tasks,
      chain,
      folders,
      jobEvents,
      iscsi,
      maintenance,
      settings: config.surfaces.controller,
      audit,
      zfs,
      dependents,
      shares,
      pools: {
        zpool,
        zfs,
        lsblk: createLsblk(tool),
        tasks,
        dependents,
        files: config.surfaces.controller['file-vdevs'],
      },
      serving: {
        smb: async () => ({ count: (await shares.smb.all()).length, running: await shares.smb.isRunning() }),
        nfs: async () => ({ count: (await shares.nfs.all()).length, running: shares.nfs.isRunning() }),
        iscsi: async () => {
          const targets = await iscsi.list()
          const unserved = targets.flatMap(({ iqn, [UNSERVED]: all }) =>
            all.map((one) => `${iqn} does not serve ${one}`),
          )
          return { count: targets.length, running: targets.some(({ enabled }) => enabled), unserved }
        },
      },
      scheduler,
      now,
      clock,
      counts,
      rendered: new Rendered(),
      openapi: () => describeController(config, version),
    },
    tidy() {
      shares.recover().catch((error) => warn('a share could not be put back as it was', error))
      restoreTargets()
    },
    imported: restoreTargets,
    hangUp() {
      limits.hangUp()
      jobEvents.close()
    },
    scheduler,
    close() {
      scheduler.stop()
      iscsi.close()
      limits.save()
    },
  }
}

/** The OpenAPI document of this surface, as JSON text. */
export function describeController(config: Configuration, version: string): string {
  const document = openapiDocument(enabledEndpoints(config), {
    title: 'Edge Admin: controller surface',
    version,
    description: 'Accounts, pools, datasets, snapshots, shares, exports, targets and jobs of the appliance.',
    config,
    credentials: {},
    bearer: 'The token of POST /api/v1/auth/login',
    idempotent: true,
    refusals: [400, 401, 403, 429],
    failure: Failure,
  })
  return JSON.stringify(document)
}
