// Runs the policies at each quarter of an hour: takes the snapshots that are due and prunes the surplus, each as a job. A run that was lost
// or done twice is corrected at the next, from the snapshots themselves.
import type { MarkedSnapshot, Zfs } from '../../drivers/zfs.ts'
import type { PoolRow, Zpool } from '../../drivers/zpool.ts'
import { isFinal, type Task } from '../../tasks/task.ts'
import type { StartOptions, Tasks } from '../../tasks/tasks.ts'
import { failureOf } from '../jobs/view.ts'
import { datasetLock } from '../zfs/lock.ts'
import { periodOf, type SnapshotType } from './periods.ts'
import { listMade, listPolicies } from './policies.ts'
import type { SnapshotPolicy } from './policy.ts'
import { decide, labelOf, type Made, stamp } from './schedule.ts'

export interface SchedulerOptions {
  zfs: Zfs
  zpool: Pick<Zpool, 'list'>
  tasks: Tasks
  /** Milliseconds since 1970. */
  now: () => number
  /** Enters what was done, or why not; what it returns is waited for. */
  audit: (event: string, target: string, failure?: string) => unknown
  warn: (text: string, error?: unknown) => void
  /** What else is due in each quarter of an hour: of a pool after its policies, and of the machine. */
  chores?: { pool: (name: string) => Promise<void>; machine: () => Promise<void> }
  /** Milliseconds; tests have less of it. */
  patience?: number
}

const QUARTER = 900_000
/** Milliseconds that a run waits for one of its jobs: a pool that hangs must not keep the others from their snapshots. */
const PATIENCE = 60_000
/** How often the clock is looked at: it may be set, and a quarter of an hour may be over sooner than its timer. */
const LOOK = 20_000
/** The scheduler waits for its tasks and writes their audit entries; after a kill, the next start writes them. */
const by = (event: string, target: string): StartOptions['by'] => ({
  ...{ name: 'system', address: 'local', waits: () => {} },
  entry: { event, target, actor: 'system', account: 'system', address: 'local' },
})
const TAKE = 'snapshots.create'
const PRUNE = 'snapshots.prune'
const takeTarget = (dataset: string, label: string) => `snapshots/${dataset}@${label}`
const pruneTarget = (dataset: string) => `snapshot-policies/${dataset}`

/** Stands for the machine among the names of pools, which are never empty. */
const MACHINE = ''

/** Whose datasets cannot be looked at, or for whose sake every call would hang. */
const ASLEEP: readonly PoolRow['health'][] = ['FAULTED', 'UNAVAIL', 'SUSPENDED']

export class Scheduler {
  private readonly options: SchedulerOptions
  private timer: NodeJS.Timeout | undefined
  /** One run per pool at a time, so a hung pool delays only itself. */
  private readonly running = new Map<string, Promise<boolean>>()
  /** The quarter of an hour that the pools were last asked for, and those that are not done with it. */
  private quarter = -1
  private due = new Set<string>()
  private known: string[] = []
  private stopped = false

  constructor(options: SchedulerOptions) {
    this.options = options
  }

  /** From now on, first at once: what was missed while nothing ran is due. */
  start(): void {
    this.stopped = false
    this.timer ??= setInterval(() => this.look(), LOOK)
    this.timer.unref()
    this.look()
  }

  /** A policy is new or was changed: it is run now, not at the next quarter. */
  wake(): void {
    this.quarter = -1
    if (this.timer) this.look()
  }

  private look(): void {
    const quarter = Math.floor(this.options.now() / QUARTER)
    if (quarter === this.quarter) {
      this.runDue()
      return
    }
    this.quarter = quarter
    const run = (pools: string[]) => {
      this.due = new Set(this.options.chores ? [...pools, MACHINE] : pools)
      this.runDue()
    }
    this.pools().then(run, (error) => {
      // A machine without ZFS has no policies; what else went wrong is tried again in the next quarter.
      this.options.warn('the snapshot policies could not be run', error)
      run([])
    })
  }

  /** A pool that is under way stays due, and is run again after that: it began before there was a reason to look. */
  private runDue(): void {
    for (const pool of this.due) {
      if (this.stopped || this.running.has(pool)) continue
      this.due.delete(pool)
      this.runOne(pool).then((complete) => {
        if (this.due.has(pool)) this.runDue()
        else if (!complete) this.due.add(pool)
      })
    }
  }

  /** Ends with what it is doing; what is under way as a task goes on. */
  stop(): void {
    this.stopped = true
    clearInterval(this.timer)
    this.timer = undefined
  }

  /** One run over all policies. False when a dataset was busy with another task, and has to be looked at again. */
  async tick(): Promise<boolean> {
    const complete = await Promise.all((await this.pools()).map((pool) => this.runOne(pool)))
    return complete.every(Boolean)
  }

  /** One that hangs may keep `zpool list` from ending as well; then it is those of the last time. */
  private async pools(): Promise<string[]> {
    try {
      const rows = await this.options.zpool.list()
      this.known = rows.filter(({ health }) => !ASLEEP.includes(health)).map(({ name }) => name)
    } catch (error) {
      if (this.known.length === 0) throw error
      this.options.warn('the pools could not be listed', error)
    }
    return this.known
  }

  /** The run of a pool, or the one that is under way. */
  private runOne(pool: string): Promise<boolean> {
    const under = this.running.get(pool)
    if (under) return under
    const run = this.run(pool)
      .catch((error) => {
        // What went wrong is tried again in the next quarter.
        this.options.warn(
          pool === MACHINE ? 'the disks could not be tested' : `the snapshot policies of ${pool} could not be run`,
          error,
        )
        return true
      })
      .finally(() => this.running.delete(pool))
    this.running.set(pool, run)
    return run
  }

  private async run(pool: string): Promise<boolean> {
    const { zfs, chores } = this.options
    if (pool === MACHINE) {
      await chores?.machine()
      return true
    }
    const policies = await listPolicies(zfs, pool)
    const made = await listMade(
      zfs,
      policies.map(({ dataset }) => dataset),
    )
    let complete = true
    for (const policy of policies) {
      if (this.stopped) break
      try {
        complete = (await this.apply(policy, made.get(policy.dataset) ?? [])) && complete
      } catch (error) {
        this.options.warn(`the snapshot policy of ${policy.dataset} could not be run`, error)
      }
    }
    // A chore that did not begin is tried again in the next quarter.
    if (!this.stopped)
      await chores?.pool(pool).catch((error) => this.options.warn(`a scrub or trim of ${pool} was not started`, error))
    return complete
  }

  private async apply(policy: SnapshotPolicy, made: Made[]): Promise<boolean> {
    const { dataset } = policy
    const now = this.options.now()
    const { take, remove: going } = decide(policy, made, now)
    for (const type of take) {
      const task = await this.startTaking(dataset, type, now, going)
      if (!task) return false
      if (!(await this.follow(task, TAKE, takeTarget(dataset, labelOf(type, now))))) return false
    }
    const there = take.length === 0 ? made : ((await listMade(this.options.zfs, [dataset])).get(dataset) ?? [])
    const { remove, keep } = decide({ ...policy, autosnap: false }, there, now)
    if (remove.length === 0) return true
    const kept = keep.filter(({ reason }) => !reason.startsWith('one of'))
    const plan = [
      ...remove.map(({ name }) => `delete ${label(name)}\n`),
      ...kept.map(({ snapshot, reason }) => `keep ${label(snapshot.name)} ${reason}\n`),
    ].join('')
    const task = await this.startPruning(dataset, plan)
    return task !== undefined && this.follow(task, PRUNE, pruneTarget(dataset))
  }

  private startTaking(dataset: string, type: SnapshotType, now: number, going: Made[]): Promise<Task | undefined> {
    const { from, until } = periodOf(type, now)
    // The script takes no snapshot when the period has one already. Those that are about to be removed do not count, so the period begins after them.
    const past = going.filter((one) => one.type === type && one.time < until).map(({ time }) => time + 1000)
    return this.options.tasks.start('snapshot-create', {
      lock: datasetLock(dataset),
      args: [dataset, labelOf(type, now), stamp(Math.max(from, ...past)), stamp(until)],
      by: by(TAKE, takeTarget(dataset, labelOf(type, now))),
    })
  }

  private startPruning(dataset: string, plan: string): Promise<Task | undefined> {
    return this.options.tasks.start('snapshot-prune', {
      lock: datasetLock(dataset),
      args: [dataset],
      inputs: { plan: { text: plan } },
      by: by(PRUNE, pruneTarget(dataset)),
    })
  }

  /** Enters what came of a task, once. False when that takes too long. */
  private async follow({ id }: Task, event: string, target: string): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.options.patience ?? PATIENCE)
      timer.unref()
    })
    const { tasks, audit } = this.options
    let ended = await Promise.race([tasks.wait(id), late]).finally(() => clearTimeout(timer))
    // One that ended in this moment is ours to enter all the same; the end of any other is entered when it comes.
    if (!ended) {
      const now = tasks.leave(id)
      if (now && isFinal(now)) ended = now
    }
    if (!ended) {
      await audit(`${event}.late`, target)
      return false
    }
    const failure = failureOf(ended)
    await audit(failure === undefined ? event : `${event}.failed`, target, failure)
    tasks.attended(id)
    return true
  }
}

const label = (name: MarkedSnapshot['name']) => name.slice(name.indexOf('@') + 1)
