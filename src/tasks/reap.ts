// Gives every task its end: tasks that died, through their script's `recover`; tasks that a user or the time limit cancels; and the folders of
// old ones. What is true of a task is read from its files and its kernel lock, because it outlives this process.
import { rmSync } from 'node:fs'
import type { Folders } from '../folders.ts'
import { isHeld } from '../store/lock.ts'
import type { Claims } from './claims.ts'
import { logSize, whyItEnded } from './last-words.ts'
import { dropUnneeded, isSpent, settleNameless } from './leftovers.ts'
import { hasPendingAudit, type PendingAudits } from './pending-audit.ts'
import { endOf, type TaskProgram } from './program.ts'
import { listTasks, readRequest } from './read.ts'
import { isFinal, isStamped, lockFile, readTask, type Task, taskFolder, taskIds } from './task.ts'

/** Ended tasks that are kept of each kind. */
const KEPT = 100
/** Milliseconds between two looks at tasks that this process did not start. */
const LOOK = 1000

export interface ReaperOptions {
  folders: Folders
  claims: Claims
  audits: PendingAudits
  program: TaskProgram
  /** Seconds after which a task is cancelled. */
  longest: number
  /** Cancels a task that took too long. */
  cancel: (id: string) => Promise<unknown>
  /** Called for each task that ended, once while this process lives. */
  onEnd: (task: Task) => void
  warn: (text: string, error?: unknown) => void
}

export class Reaper {
  private readonly options: ReaperOptions
  /** `onEnd` was called for these. */
  private readonly ended = new Set<string>()
  /** Since when this process knows a task, in milliseconds of its own: the clock may jump by years after a boot. */
  private readonly seen = new Map<string, number>()
  /** Those that had not ended when they were last looked at. */
  private readonly open = new Set<string>()
  /** By task, its `recover` or `cancel` that runs. */
  private readonly ending = new Map<string, Promise<void>>()
  private watcher: NodeJS.Timeout | undefined

  constructor(options: ReaperOptions) {
    this.options = options
  }

  /** Whether a task's status is "running" while its lock is free. */
  isDead(task: Task): boolean {
    const { folders, claims } = this.options
    if (isFinal(task) || claims.hasTask(task.id)) return false
    return isHeld(lockFile(folders, readRequest(folders, task).lock)) === false
  }

  /**
   * Whether a task that held this lock died and has no end yet; it gets one now. Until its `recover` has put its work back, another task must not
   * start, and what the two write to the same status file could not be told apart.
   */
  hasOrphan(lock: string): boolean {
    const { folders, warn } = this.options
    const dead = listTasks(folders, { limit: 20 }).filter(
      (task) => this.isDead(task) && readRequest(folders, task).lock === lock,
    )
    for (const { id } of dead) this.settle(id).catch((error) => warn('a task could not be given its end', error))
    return dead.length > 0
  }

  /** At the start of the server: ends every task that died while no server ran, and removes what old ones left. */
  async sweep(): Promise<void> {
    const { folders } = this.options
    this.dropLeftovers()
    const all = listTasks(folders, { limit: Number.POSITIVE_INFINITY })
    const open = all.filter((task) => !isFinal(task))
    for (const { id } of open) this.open.add(id)
    await Promise.all(open.map(({ id }) => this.settle(id)))
    for (const { id } of all) if (hasPendingAudit(folders, id)) await this.settle(id)
    if (open.length > 0) this.watch()
    this.prune()
  }

  /** Secrets first: it goes by the folders that are there, not by what their files say. */
  private dropLeftovers(): void {
    const { folders, claims, warn } = this.options
    for (const id of taskIds(folders)) {
      if (claims.hasTask(id)) continue
      try {
        const task = readTask(folders, id)
        if (!task) {
          if (settleNameless(folders, id)) warn(`the remains of a task that never began: ${id}`)
        } else if (isFinal(task)) dropUnneeded(folders, id)
      } catch (error) {
        warn(`what is left of a task cannot be removed: ${id}`, error)
      }
    }
  }

  /** Gives a task that died its final status, through its own script's `recover`. Does nothing to one that runs or has ended. */
  async settle(id: string): Promise<void> {
    const { folders, audits, onEnd, warn } = this.options
    const task = readTask(folders, id)
    if (!task) return
    if (!isFinal(task)) {
      // Its `recover` holds the lock while it works: then it is not dead, and has no end yet either.
      const ending = this.ending.get(id)
      if (!ending && !this.isDead(task)) return
      await (ending ?? this.finish(task, 'recover'))
    }
    const last = readTask(folders, id)
    if (!last || !isFinal(last) || this.ended.has(id)) return
    this.ended.add(id)
    this.seen.delete(id)
    try {
      dropUnneeded(folders, id)
    } catch (error) {
      warn(`the inputs of a task cannot be removed: ${id}`, error)
    }
    onEnd(last)
    await audits.enter(last)
    this.prune()
  }

  /** Runs the script's `recover` or `cancel`, once however many ask. */
  finish(task: Task, action: 'recover' | 'cancel'): Promise<void> {
    const known = this.ending.get(task.id)
    if (known) return known
    const running = this.runEnd(task, action).finally(() => this.ending.delete(task.id))
    this.ending.set(task.id, running)
    return running
  }

  private async runEnd(task: Task, action: 'recover' | 'cancel'): Promise<void> {
    const { folders, program, warn } = this.options
    const folder = taskFolder(folders, task.id)
    const request = readRequest(folders, task)
    const from = logSize(folder)
    let reason = 'Script error'
    try {
      const end = await endOf(program.spawn(task, action, request))
      if (end.error || end.code) reason = whyItEnded(folder, program.nameOf(task.kind), end, from)
    } catch (error) {
      warn(`the script ${task.kind}.sh cannot ${action}`, error)
    }
    const now = readTask(folders, task.id)
    if (!now || isFinal(now)) return
    // Its `recover` continued the work (scripts/pool-scrub.sh), or it cannot be ended, and holds the lock.
    if (isHeld(lockFile(folders, request.lock))) return this.watch()
    // Its script is missing or broken. At least it is true that nothing is running any more.
    program.writeEnd(now, 'interrupted', reason)
  }

  /** Looks after a task until it has ended. */
  keep(id: string): void {
    this.open.add(id)
    this.watch()
  }

  /** Looks after tasks that are not our children (the server was restarted while they ran), and cancels those that take too long. */
  private watch(): void {
    const { folders, longest, cancel, warn } = this.options
    this.watcher ??= setInterval(() => {
      for (const id of this.open) {
        const task = readTask(folders, id)
        const isOver = !task || isFinal(task)
        if (isOver) this.open.delete(id)
        if (!task) continue
        const seen = this.seen.get(task.id) ?? performance.now()
        if (!isOver) this.seen.set(task.id, seen)
        const late = performance.now() - seen > longest * 1000 && !readRequest(folders, task).endless
        // A task that has ended is settled as well: its script ended it while nobody waited here.
        const act = late && !isOver ? cancel(task.id) : this.settle(task.id)
        act.catch((error) => warn('a task could not be looked after', error))
      }
      if (this.open.size > 0) return
      clearInterval(this.watcher)
      this.watcher = undefined
    }, LOOK)
    this.watcher.unref()
  }

  /** Keeps the newest hundred ended tasks of each kind: what the schedule does must not push out what a person did. */
  private prune(): void {
    const { folders } = this.options
    const ids = taskIds(folders)
    if (ids.length <= KEPT) return
    const counts = new Map<string, number>()
    for (const id of ids) {
      const task = readTask(folders, id)
      const kind = task?.kind ?? ''
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      if (count <= KEPT || !(task ? isFinal(task) : isStamped(id)) || !isSpent(folders, id)) continue
      rmSync(taskFolder(folders, id), { recursive: true, force: true })
      this.ended.delete(id)
    }
  }

  close(): void {
    clearInterval(this.watcher)
  }
}
