// The first page of the console: the state of the appliance in one response. Every open page asks for it repeatedly, so
// its cost must not grow with the appliance's uptime.
import { setTimeout as pause } from 'node:timers/promises'
import { type ServiceManager, ServicesUnknown } from '../../drivers/service-manager.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import { isDamaged, type PoolStatus } from '../../drivers/zpool-status.ts'
import type { Folders } from '../../folders.ts'
import { parseJson } from '../../store/atomic.ts'
import type { ServedCertificate } from '../certs/served.ts'
import type { Finding } from '../check/finding.ts'
import { type DashboardSources, readStorageNow } from '../dashboard/dashboard.ts'
import type { DiskHealth } from '../disks/health.ts'
import type { Health, HealthMonitor } from '../health/health.ts'
import { listServices } from '../services/services.ts'
import type { Chores } from '../snapshots/chores.ts'
import { attention, type DiskFacts, type TaskFacts } from './attention.ts'
import { diskUse, type UseHistory } from './history.ts'

export interface OverviewSources {
  folders: Folders
  version: () => string | undefined
  health: HealthMonitor
  history: UseHistory
  services: ServiceManager
  /** Undefined where the controller is off. */
  storage: (Omit<DashboardSources, 'tasks'> & { zpool: Pick<Zpool, 'list' | 'statuses'> } & DiskSources) | undefined
  certificate: () => ServedCertificate | undefined
  oneTime: () => boolean
  /** Every task, the newest first. */
  tasks: () => Promise<TaskFacts[]>
  /** Problems of the appliance itself; empty for roles that cannot fix them. */
  findings: () => readonly Finding[]
  now: () => number
}

/** What is known of disks and schedules; nothing is asked for it. */
interface DiskSources {
  disks: { health: Pick<DiskHealth, 'all'> }
  chores: Pick<Chores, 'missedScrubs'>
}

const SHOWN = 10
/** Milliseconds: a file system that hangs must not take the page with it. */
const PATIENCE = 2000

export async function readOverview(sources: OverviewSources) {
  const { folders, history, certificate, oneTime, now } = sources
  const [health, listed, tasks, storage, damaged, disk] = await Promise.all([
    readHealth(sources.health),
    // The rest of the page is told all the same.
    listServices(folders, sources.services).catch(undefinedWhereUnknown),
    sources.tasks(),
    sources.storage && readStorageNow(sources.storage),
    // What keeps it from being asked is said of the list of pools already.
    sources.storage?.zpool.statuses().then(damagedOf, () => new Set<string>()),
    Promise.race([diskUse(folders.data).catch(() => undefined), pause(PATIENCE, undefined, { ref: false })]),
  ])
  const services = listed?.flatMap(Object.entries).map(([name, state]) => ({ name, running: state === 'running' }))
  const pools = (storage?.pools ?? []).map(({ name, health, size, allocated, free, root }) => ({
    name,
    health,
    size,
    allocated,
    free,
    ...(damaged?.has(name) && { damaged: true }),
    ...(root && { usable: root.used + root.available, usable_free: root.available }),
  }))
  const { problems = [], unserved = [] } = storage ?? {}
  const asked = { now: now(), pools, disk, certificate: certificate(), tasks, oneTime: oneTime() }
  return {
    version: sources.version() ?? null,
    health,
    history: history.all(),
    services: services ?? [],
    tasks: tasks.slice(0, SHOWN),
    pools,
    storage: storage ? { storage: storage.storage, services: storage.services } : null,
    attention: attention({
      ...asked,
      disks: (sources.storage?.disks.health.all() ?? []).map(factsOf),
      missedScrubs: sources.storage?.chores.missedScrubs() ?? [],
      problems,
      unserved,
      services,
      findings: sources.findings(),
    }),
  }
}

const factsOf = ({ disk: { id, kernel, serial }, health }: ReturnType<DiskHealth['all']>[number]): DiskFacts => ({
  id,
  name: serial === undefined ? kernel : `${kernel} (${serial})`,
  failing: health.state === 'failing',
  problems: health.problems,
  hot: health.isHot ? health.report?.temperature : undefined,
})

function undefinedWhereUnknown(error: unknown): undefined {
  if (!(error instanceof ServicesUnknown)) throw error
}

const damagedOf = (pools: PoolStatus[]) => new Set(pools.filter(isDamaged).map(({ name }) => name))

/** The vendor's own words where they have the documented shape. */
async function readHealth(monitor: HealthMonitor): Promise<Health> {
  const told = parseJson(await monitor.read()) as Partial<Health> | undefined | null
  const isWhole = [told?.disk, told?.memory, told?.cpu].every((part) => typeof part === 'object' && part !== null)
  return isWhole ? (told as Health) : monitor.own()
}
