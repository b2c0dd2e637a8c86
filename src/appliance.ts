// The machine without any API: audit log, token, accounts, sessions, tasks, services and storage, made step by step, and what they do when the
// server starts and stops. Surfaces show it; it knows none of them.
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
import type { UserStore } from './auth/users.ts'
import type { Configuration } from './config.ts'
import { createTool } from './drivers/programs.ts'
import { createRun, type Run } from './drivers/run.ts'
import { RC_SERVICE, type ServiceManager, SYSTEMCTL, serviceManager } from './drivers/service-manager.ts'
import { HealthMonitor } from './features/health/health.ts'
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

/** Parts that are made only where a surface that is on asks for them: making them costs time and leaves files. */
export type Need = 'accounts' | 'sessions' | 'storage'

export interface ApplianceOptions {
  folders: Folders
  config: Configuration
  /** Folder of the task scripts. */
  scripts: string
  version: string
  mode?: 'strict' | 'original'
  /** Folder of the storage programs, in place of the system's folders (tests, and trying things out). */
  programs?: string
  /** More of the script environment (tests: programs of their own, faults). */
  environment?: Record<string, string>
  /** The clock that snapshot policies and sessions go by, in milliseconds since 1970. */
  now?: () => number
  /** The machine's clocks, that log-ins and tokens go by. */
  clock?: Clock
  onTaskEnd?: (task: Task) => void
  warn?: (text: string, error?: unknown) => void
}

export interface Appliance {
  folders: Folders
  config: Configuration
  /** `original` compares with the original server: see the README on `--compat`. */
  mode: 'strict' | 'original'
  version: string
  warn: (text: string, error?: unknown) => void
  /** Milliseconds since 1970. */
  now: () => number
  clock: Clock
  boot: Boot
  incoming: Incoming
  audit: AuditLog
  /** The audit log, to search it. */
  chain: AuditTrail['searched']
  backOff: BackOff
  /** The API token. */
  tokens: TokenStore
  setToken: SetToken
  tasks: Tasks
  /** Saves what the server changed by itself, where the image runs from memory. */
  memory: MemoryImage
  /** Where accounts and the API token were proven from. */
  known: KnownAddresses
  services: ServiceManager
  health: HealthMonitor
  license: InstalledLicense
  /** The first line of version.txt: what clients ask for most. */
  installedVersion: CachedFile<string | undefined>
  counts: { requests: RequestCounts; tasks: TaskEndings }
  /** Each undefined where no surface that is on needs it. */
  accounts: Accounts | undefined
  sessions: ConsoleSessions | undefined
  storage: Storage | undefined
  /** Writes an act of the server itself into the audit log. */
  enter: (event: string, resource: string, target: string) => void
  /** Saves what was changed, where the image runs from memory. */
  saveState: () => Promise<void>
  /**
   * Removes uploads that a killed server left behind, mends the end of its audit log and undoes its half-done changes. Only for the server
   * that has the port: another one may be receiving those uploads.
   */
  tidy: () => void
  /** Sets the final status of tasks that died, and removes files that killed programs left. Call it only once the port is open. */
  sweep: () => Promise<void>
  /** Runs the snapshot policies from now on, whichever surfaces are on; it loads storage where none of them needs it. Call it after `sweep`. */
  runPolicies: () => Promise<void>
  /** Answers what is held back, so that the port can be closed. */
  hangUp: () => void
  close: () => void
}

/** The appliance with the parts that a surface asked for. */
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
  const known = rememberAddresses(options, tokens, users)
  const accounts = users && accountsModule?.createAccounts({ folders, users, known, clock, boot })
  // Tests turn this clock; the steady one has to go with it.
  const sessionClock = options.now ? { ...clock, wall: now, steady: now } : clock
  const sessionsModule = needs.has('sessions') ? await import('./appliance/sessions.ts') : undefined
  const sessions = sessionsModule?.openSessions({ folders, config, tokens, users, clock: sessionClock, boot, warn })

  const storage = await hostStorage({
    ...{ folders, config, tasks, now, warn },
    audit: trail.log,
    tool: createTool(options.programs, scripts),
    trial: options.programs !== undefined,
    isNeeded: needs.has('storage'),
  })
  runner.whenEnded('pool-import', storage.imported)

  const run = programRunner(options)
  return {
    ...{ folders, config, mode, version: options.version, warn, now, clock, boot, incoming },
    ...{ backOff, tokens, tasks, memory, known, accounts, sessions },
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

/** Starts the programs of the system that this server may start, and no others. */
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

const firstLineOf = (file: string) => new CachedFile(file, () => readLine(file))
