// The machine without any API: audit log, token, accounts, sessions, tasks, services and storage, made step by step,
// and their actions at start and stop. Surfaces use it; it depends on none of them.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Accounts } from './appliance/accounts.ts'
import { atStart } from './appliance/at-start.ts'
import { type AuditTrail, openAuditTrail } from './appliance/audit-trail.ts'
import type { Storage } from './appliance/storage.ts'
import { hostStorage } from './appliance/storage-host.ts'
import { createTaskRunner } from './appliance/task-runner.ts'
import { cutOffUploads, type Incoming, makeWorkingFolders } from './appliance/working-folders.ts'
import { BackOff } from './auth/back-off.ts'
import { type Boot, countBoots } from './auth/boots.ts'
import { CLOCK, type Clock } from './auth/clock.ts'
import type { ConsoleSessions } from './auth/console-sessions.ts'
import { KnownAddresses } from './auth/known-addresses.ts'
import { TokenStore } from './auth/token.ts'
import type { StoredUser, UserStore } from './auth/users.ts'
import type { Configuration } from './config.ts'
import { createTool } from './drivers/programs.ts'
import { createRun, type Run } from './drivers/run.ts'
import { RC_SERVICE, type ServiceManager, SYSTEMCTL, serviceManager } from './drivers/service-manager.ts'
import { HealthMonitor } from './features/health/health.ts'
import { HttpsSettings, type TlsPort } from './features/https/https.ts'
import { removeLeftovers } from './features/installation/leftovers.ts'
import { InstalledLicense, licenseScript } from './features/license/installed.ts'
import { type MemoryImage, memoryImage } from './features/memory-image.ts'
import { type SetToken, tokenSetter } from './features/setup/setup.ts'
import { etc, type Folders } from './folders.ts'
import type { AuditLog } from './http/pipeline/audit.ts'
import { RequestCounts } from './http/server/counts.ts'
import { readLine } from './store/atomic.ts'
import { CachedFile } from './store/cached-file.ts'
import type { TaskEndings } from './tasks/endings.ts'
import type { Task } from './tasks/task.ts'
import type { Tasks } from './tasks/tasks.ts'

/** Parts that are made only if an enabled surface needs them: making them costs time and leaves files. */
export type Need = 'accounts' | 'sessions' | 'storage'

export interface ApplianceOptions {
  folders: Folders
  config: Configuration
  /** Folder of the task scripts. */
  scripts: string
  version: string
  mode?: 'strict' | 'original'
  /** Folder of the storage programs, instead of the system's folders (for tests and trials). */
  programs?: string
  /** Additions to the script environment (tests: programs of their own, faults). */
  environment?: Record<string, string>
  /** The clock for snapshot policies and sessions, in milliseconds since 1970. */
  now?: () => number
  /** The machine's clocks, for log-ins and tokens. */
  clock?: Clock
  /** Changes the TLS settings of the port while it is open. If left out, no port is open. */
  port?: TlsPort
  onTaskEnd?: (task: Task) => void
  warn?: (text: string, error?: unknown) => void
}

export interface Appliance {
  folders: Folders
  config: Configuration
  /** `original`: compare with the original server; see the README on `--compat`. */
  mode: 'strict' | 'original'
  version: string
  warn: (text: string, error?: unknown) => void
  /** Milliseconds since 1970. */
  now: () => number
  clock: Clock
  boot: Boot
  incoming: Incoming
  audit: AuditLog
  /** The audit log, for searches. */
  chain: AuditTrail['searched']
  backOff: BackOff
  /** The API token. */
  tokens: TokenStore
  setToken: SetToken
  tasks: Tasks
  /** Saves changes made by the server itself, where the image runs from memory. */
  memory: MemoryImage
  /** Addresses from which accounts and the API token were proven. */
  known: KnownAddresses
  services: ServiceManager
  /** The settings of the HTTPS port that can be changed while it is open. */
  https: HttpsSettings
  health: HealthMonitor
  license: InstalledLicense
  /** The first line of version.txt, which clients request most. */
  installedVersion: CachedFile<string | undefined>
  counts: { requests: RequestCounts; tasks: TaskEndings }
  /** Each undefined if no enabled surface needs it. */
  accounts: Accounts | undefined
  sessions: ConsoleSessions | undefined
  storage: (() => Promise<Storage>) | undefined
  /** Enters an act of the server itself in the audit log. */
  enter: (event: string, resource: string, target: string) => void
  /** Saves what was changed, where the image runs from memory. */
  saveState: () => Promise<void>
  /**
   * Removes uploads that a killed server left behind, repairs the end of its audit log and undoes its unfinished
   * changes. Only for the server that has the port: another one may be receiving those uploads.
   */
  tidy: () => void
  /**
   * Sets the final status of tasks that died, and removes the files of killed programs. Call it only once the port is
   * open.
   */
  sweep: () => Promise<void>
  /**
   * Runs the snapshot policies from now on, even with every surface off; loads storage if no surface needed it. Call it
   * after `sweep`.
   */
  runPolicies: () => Promise<void>
  /** Answers held requests, so that the port can be closed. */
  hangUp: () => void
  close: () => void
}

/** The appliance with the parts that a surface needs. */
export type With<N extends Need> = Omit<Appliance, N> & { [K in N]: NonNullable<Appliance[K]> }

const SUDO = '/usr/bin/sudo'

export async function createAppliance(options: ApplianceOptions, needs: ReadonlySet<Need>): Promise<Appliance> {
  const began = Date.now()
  const { folders, config, scripts, mode = 'strict', now = Date.now, clock = CLOCK, warn = () => {} } = options
  const incoming = makeWorkingFolders(folders)
  const leftovers = cutOffUploads(incoming)
  const trail = openAuditTrail({ folders, config, mode, warn })
  const backOff = new BackOff(join(folders.state, 'back-off.json'), options.clock)
  const tokens = new TokenStore(folders, warn)
  const runner = createTaskRunner({ ...options, mode, trail, warn })
  const { tasks } = runner
  const memory = memoryImage({ tasks, prefix: options.environment?.['EDGE_NETROOT'], warn })
  const wrapped = config.wrapper !== undefined
  const boot = countBoots(folders.state, clock)

  const accountsModule = needs.has('accounts') ? await import('./appliance/accounts.ts') : undefined
  const users = accountsModule?.openUsers(folders, warn)
  const https = new HttpsSettings({
    ...{ folders, warn, hsts: config.tls.hsts },
    port: options.port ?? { spoken: () => [], changeTls: async (_choice, store) => void store() },
    hasOtherAdministrator: () => users?.all().some(isOtherAdministrator) ?? false,
  })
  const known = rememberAddresses(options, tokens, users)
  const accounts =
    users &&
    accountsModule?.createAccounts({
      ...{ folders, users, known, clock, boot },
      permitsRoot: () => https.get().permitRootLogin,
    })
  // Tests set this clock; the steady one must follow it.
  const sessionClock = options.now ? { ...clock, wall: now, steady: now } : clock
  const sessionsModule = needs.has('sessions') ? await import('./appliance/sessions.ts') : undefined
  const sessions = sessionsModule?.openSessions({ folders, config, tokens, users, clock: sessionClock, boot, warn })

  const storage = hostStorage({
    ...{ folders, config, tasks, now, warn },
    audit: trail.log,
    tool: createTool(options.programs, scripts),
    trial: options.programs !== undefined,
    machine: options.programs === undefined ? '/' : join(options.programs, 'root'),
    isNeeded: needs.has('storage'),
  })
  runner.whenEnded('pool-import', storage.imported)

  const run = programRunner(options)
  return {
    ...{ folders, config, mode, version: options.version, warn, now, clock, boot, incoming },
    ...{ backOff, tokens, tasks, memory, known, accounts, sessions, https },
    storage: storage.needed,
    audit: trail.log,
    chain: trail.searched,
    setToken: tokenSetter({ folders, tokens, tasks, memory, label: config.label, wrapped }),
    services: servicesOf(options, run, warn),
    health: new HealthMonitor(folders, warn),
    license: new InstalledLicense({ folders, tasks, run, memory, label: config.label, warn }),
    installedVersion: firstLineOf(etc(folders, 'version.txt')),
    counts: { requests: new RequestCounts(), tasks: runner.endings },
    enter: (event, resource, target) =>
      trail.log.write({ event, resource, target, account: 'system', address: 'local' }),
    saveState: () => memory.save(),
    tidy() {
      for (const path of leftovers)
        atStart(
          'an upload that was cut off cannot be removed',
          () => rmSync(path, { recursive: true, force: true }),
          warn,
        )
      trail.start()
      storage.recover()
    },
    async sweep() {
      await tasks.sweep()
      removeLeftovers({ folders, tasks, wrapped, began, warn })
    },
    runPolicies: storage.runPolicies,
    hangUp: () => accounts?.limits.hangUp(),
    close() {
      tasks.close()
      backOff.save()
      known.save()
      storage.close()
      accounts?.limits.save()
      trail.close()
    },
  }
}

/** Starts only the system programs that the configuration allows. */
function programRunner({ folders, config }: ApplianceOptions): Run {
  const initFolder = join(folders.sysconf, 'init.d')
  return createRun(
    (program) =>
      program === SYSTEMCTL ||
      program === RC_SERVICE ||
      program === licenseScript(folders) ||
      program.startsWith(`${initFolder}/`) ||
      (config.privilege === 'sudo' && program === SUDO),
  )
}

function servicesOf({ folders, config, scripts }: ApplianceOptions, run: Run, warn: Appliance['warn']): ServiceManager {
  return serviceManager(
    config['service-manager'],
    join(folders.sysconf, 'init.d'),
    run,
    config.privilege === 'sudo' ? [SUDO, '-n', '--', join(scripts, 'services.sh'), 'status'] : undefined,
    warn,
  )
}

const rememberAddresses = (
  { folders, clock }: ApplianceOptions,
  tokens: TokenStore,
  users: UserStore | undefined,
): KnownAddresses =>
  new KnownAddresses({
    file: join(folders.state, 'known-addresses.json'),
    ...(clock && { clock }),
    stands({ account, version }) {
      if (account === 'token') return tokens.proof()?.version === version
      const user = users?.byId(account)
      return user?.active === true && String(user.generation) === version
    },
  })

const isOtherAdministrator = ({ active, role, username }: StoredUser) =>
  active && role === 'administrator' && username.toLowerCase() !== 'root'

const firstLineOf = (file: string) => new CachedFile(file, () => readLine(file))
