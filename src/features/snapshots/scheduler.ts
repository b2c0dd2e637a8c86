// Runs the policies at each quarter of an hour: takes what is due, prunes what is too much, each as a job. The trap: nothing is remembered
// between two runs but that one was done; a lost or doubled run is made good by looking at the snapshots themselves.
import type { MarkedSnapshot, Zfs } from '../../drivers/zfs.ts'
import type { Task } from '../../tasks/task.ts'
import type { StartOptions, Tasks } from '../../tasks/tasks.ts'
import { datasetLock } from '../zfs/lock.ts'
import { periodOf, type SnapshotType } from './periods.ts'
import { listMade, listPolicies } from './policies.ts'
import type { SnapshotPolicy } from './policy.ts'
import { decide, labelOf, type Made, stamp } from './schedule.ts'

export interface SchedulerOptions {
  zfs: Zfs
  tasks: Tasks
  /** Milliseconds since 1970. */
  now: () => number
  /** Enters what was done. */
  audit: (event: string, target: string) => void
  warn: (text: string, error?: unknown) => void
  /** Milliseconds; tests have less of it. */
  patience?: number
}

const QUARTER = 900_000
/** Milliseconds that a run waits for one of its jobs: a pool that hangs must not keep the others from their snapshots. */
const PATIENCE = 60_000
/** How often the clock is looked at: it may be set, and a quarter of an hour may be over sooner than its timer. */
const LOOK = 20_000
const by: StartOptions['by'] = { name: 'system', address: 'local' }

export class Scheduler {
  private readonly options: SchedulerOptions
  private timer: NodeJS.Timeout | undefined
  private running: Promise<boolean> | undefined
  /** The quarter of an hour that is done with. */
  private done = -1
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
    this.done = -1
    if (this.timer) this.look()
  }

  private look(): void {
    const quarter = Math.floor(this.options.now() / QUARTER)
    if (quarter === this.done || this.running) return
    this.done = quarter
    this.tick()
      .then((complete) => {
        if (!complete) this.done = -1
      })
      // A machine without ZFS has no policies; what else went wrong is tried again in the next quarter.
      .catch((error) => this.options.warn('the snapshot policies could not be run', error))
  }

  /** Ends with what it is doing; what is under way as a task goes on. */
  stop(): void {
    this.stopped = true
    clearInterval(this.timer)
    this.timer = undefined
  }

  /** One run over all policies. False when a dataset was busy with another task, and has to be looked at again. */
  tick(): Promise<boolean> {
    this.running ??= this.run().finally(() => {
      this.running = undefined
    })
    return this.running
  }

  private async run(): Promise<boolean> {
    const { zfs } = this.options
    const policies = await listPolicies(zfs)
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
    return complete
  }

  private async apply(policy: SnapshotPolicy, made: Made[]): Promise<boolean> {
    const { dataset } = policy
    const now = this.options.now()
    const { take } = decide(policy, made, now)
    for (const type of take) {
      const task = this.startTaking(dataset, type, now)
      if (!task) return false
      const target = `snapshots/${dataset}@${labelOf(type, now)}`
      if (!(await this.follow(task, 'snapshots.create', target))) return false
    }
    const there = take.length === 0 ? made : ((await listMade(this.options.zfs, [dataset])).get(dataset) ?? [])
    const { remove, keep } = decide({ ...policy, autosnap: false }, there, now)
    if (remove.length === 0) return true
    const kept = keep.filter(({ reason }) => !reason.startsWith('one of'))
    const plan = [
      ...remove.map(({ name }) => `delete ${label(name)}\n`),
      ...kept.map(({ snapshot, reason }) => `keep ${label(snapshot.name)} ${reason}\n`),
    ].join('')
    const task = this.startPruning(dataset, plan)
    return task !== undefined && this.follow(task, 'snapshots.prune', `snapshot-policies/${dataset}`)
  }

  private startTaking(dataset: string, type: SnapshotType, now: number): Task | undefined {
    const { from, until } = periodOf(type, now)
    return this.options.tasks.start('snapshot-create', {
      lock: datasetLock(dataset),
      args: [dataset, labelOf(type, now), stamp(from), stamp(until)],
      by,
    })
  }

  private startPruning(dataset: string, plan: string): Task | undefined {
    return this.options.tasks.start('snapshot-prune', {
      lock: datasetLock(dataset),
      args: [dataset],
      inputs: { plan: { text: plan } },
      by,
    })
  }

  /** Enters what came of a task, once. False when that takes too long. */
  private async follow({ id }: Task, event: string, target: string): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.options.patience ?? PATIENCE)
      timer.unref()
    })
    const ended = await Promise.race([this.options.tasks.wait(id), late]).finally(() => clearTimeout(timer))
    const result = ended === undefined ? '.late' : ended.status === 'completed' ? '' : '.failed'
    this.options.audit(`${event}${result}`, target)
    return ended !== undefined
  }
}

const label = (name: MarkedSnapshot['name']) => name.slice(name.indexOf('@') + 1)
