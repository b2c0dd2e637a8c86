// The server's half of the script contract (scripts/README.md): start, list, wait, cancel. A task outlives this process, so what is true of it is
// read from its files and its kernel lock.
import { rmSync } from 'node:fs'
import { ApiError, isFull, noSpace } from '../errors.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { ensureFolder, unwritable } from '../store/ensure-folder.ts'
import { Claims } from './claims.ts'
import { type End, whyItEnded } from './last-words.ts'
import { hasBegun } from './leftovers.ts'
import { type AuditOptions, type PendingAudit, PendingAudits } from './pending-audit.ts'
import { endOf, type ProgramOptions, type Running, TaskProgram } from './program.ts'
import { type Listed, listTasks, listTasksInTurns, readRequest } from './read.ts'
import { Reaper } from './reap.ts'
import { type Input, makeTask, newTaskId } from './start.ts'
import { StatusFiles } from './status-file.ts'
import { isFinal, locksFolder, readTask, type Task, taskFolder, tasksFolder } from './task.ts'

export interface TasksOptions extends ProgramOptions, AuditOptions {
  /** Seconds after which a task is cancelled. */
  longest: number
  /** Called for each task that ended, once while this process lives. */
  onEnd: (task: Task) => void
}

export interface StartOptions {
  /** Only one task holds a lock. Default: the kind. */
  lock?: string
  args?: string[]
  /** Files for the script's `input/`. */
  inputs?: Record<string, Input>
  by: Asker
  /** Runs once the lock is ours and before the script starts. */
  prepare?: () => void | Promise<void>
  /** It may take days (a scrub), and is not cancelled after `longest`. */
  endless?: boolean
}

/** Who asked for a task. */
export interface Asker {
  name: string
  address: string
  /** The audit entry to be written when the task ends. */
  entry?: PendingAudit
  /** The request waits for the task and writes the entry itself, if it lives to: then it calls `attended`. */
  waits?: (id: string) => void
}

/** Milliseconds between two looks at a task that this process did not start. */
const POLL = 250

export class Tasks {
  private readonly options: TasksOptions
  /** Started by this process and not yet ended: id → the promise of its end. */
  private readonly live = new Map<string, Promise<void>>()
  /** Being started by this process: their scripts do not run yet. */
  private readonly starting = new Map<string, Promise<unknown>>()
  private readonly claims: Claims
  private readonly program: TaskProgram
  private readonly audits: PendingAudits
  private readonly reaper: Reaper
  private readonly statusFiles: StatusFiles

  constructor(options: TasksOptions) {
    const { folders } = options
    this.options = options
    this.claims = new Claims(folders)
    this.program = new TaskProgram(options)
    this.audits = new PendingAudits(options)
    this.statusFiles = new StatusFiles(folders, this.claims)
    const cancel = (id: string) => this.cancel(id)
    this.reaper = new Reaper({ ...options, cancel, claims: this.claims, audits: this.audits, program: this.program })
    for (const folder of [tasksFolder(folders), locksFolder(folders)]) ensureFolder(folder)
  }

  /**
   * Starts `<kind>.sh run`; undefined when its lock is taken. The claim is made in the same synchronous step as the check, so that of any number
   * of parallel requests exactly one gets a task. The event loop goes on while the task's files reach the disk.
   */
  async start(
    kind: string,
    { lock = kind, args = [], inputs = {}, by, prepare, endless }: StartOptions,
  ): Promise<Task | undefined> {
    if (this.claims.has(lock) || this.reaper.hasOrphan(lock)) return undefined
    const { folders } = this.options
    const wrapped = this.program.isWrapped(kind)
    this.program.scriptOf(kind, wrapped)
    const id = newTaskId(folders, this.starting.keys())
    const task: Task = { id, kind, status: 'pending', progress: 0, message: 'waiting', created_at: secondNow() }
    const start = async () => {
      if (await this.claims.isHeldElsewhere(lock)) return undefined
      const asked = { name: by.name, address: by.address }
      await makeTask(folders, task, { request: { lock, args, endless, wrapped }, by: asked, entry: by.entry, inputs })
      await prepare?.()
      checkpoint('task-prepared')
      this.launched(task, lock, this.program.spawn(task, 'run', { args, wrapped }), by)
      return task
    }
    this.claims.claim(lock, id)
    const starting = start()
    this.starting.set(id, starting)
    try {
      const started = await starting
      if (!started) this.claims.release(lock)
      return started
    } catch (error) {
      this.claims.release(lock)
      rmSync(taskFolder(folders, id), { recursive: true, force: true })
      throw refusal(error)
    } finally {
      this.starting.delete(id)
    }
  }

  /** In the same step as the spawn: the events of the child are not missed, and no claim is left of what never ran. */
  private launched(task: Task, lock: string, child: Running, by: Asker): void {
    const { id, kind } = task
    this.audits.started(id)
    this.statusFiles.started(kind, id)
    if (by.waits) {
      this.audits.awaits(id)
      by.waits(id)
    }
    this.reaper.keep(id)
    const end = endOf(child).then((how) => {
      this.claims.release(lock)
      this.failUnbegun(task, how)
      return this.settle(id)
    })
    this.live.set(id, end)
    end.finally(() => this.live.delete(id)).catch((error) => this.options.warn('a task did not end well', error))
  }

  /**
   * A script that left with a failure before it had said anything of its own has no work to put back, and its `recover` would only meet the
   * same obstacle: what it last wrote is the reason. One that a signal ended may have been anywhere.
   */
  private failUnbegun({ id, kind }: Task, how: End): void {
    if (!how.error && !how.code) return
    const { folders } = this.options
    const task = this.get(id)
    if (task?.status !== 'pending' || hasBegun(folders, id)) return
    this.program.writeEnd(task, 'failed', whyItEnded(taskFolder(folders, id), this.program.nameOf(kind), how))
  }

  /** As `start`. If the previous task has written its end but still holds its lock, waits for it: clients start the next one as soon as they see the end. */
  async startNext(kind: string, options: StartOptions): Promise<Task | undefined> {
    await this.letEnd(options.lock ?? kind)
    return this.start(kind, options)
  }

  /** As `isRunning`, for work that is no task and takes no lock. Waits as `startNext` does. */
  async isAtWork(lock: string): Promise<boolean> {
    await this.letEnd(lock)
    return this.isRunning(lock)
  }

  private async letEnd(lock: string): Promise<void> {
    const last = this.get(this.claims.idOf(lock) ?? '')
    // After it wrote its end its script still waits for the disk; a slow disk takes seconds.
    if (last && isFinal(last)) await this.released(lock, 30)
  }

  /** Resolves once the task that was started last under `lock` has let go of it, or after so many seconds: then it may be started again. */
  async released(lock: string, seconds = 2): Promise<void> {
    const id = this.claims.idOf(lock)
    if (id)
      await Promise.race([this.live.get(id), new Promise((resolve) => setTimeout(resolve, seconds * 1000).unref())])
  }

  get(id: string): Task | undefined {
    return readTask(this.options.folders, id)
  }

  /** Newest first. */
  list(listed?: Listed): Task[] {
    return listTasks(this.options.folders, listed)
  }

  listInTurns(limit: number): Promise<Task[]> {
    return listTasksInTurns(this.options.folders, limit)
  }

  latest(kind: string): Task | undefined {
    return this.list({ kind, limit: 1 })[0]
  }

  /** Waits until the task ended. */
  async wait(id: string): Promise<Task | undefined> {
    await this.live.get(id)
    await this.settle(id)
    for (let task = this.get(id); task && !isFinal(task); task = this.get(id)) {
      await new Promise((resolve) => setTimeout(resolve, POLL))
      await this.settle(id)
    }
    return this.get(id)
  }

  /** Ends a running task; its script puts back what it changed. Undefined when there is no such task. */
  async cancel(id: string): Promise<Task | undefined> {
    await this.starting.get(id)?.catch(() => {})
    // A script that has just been started holds no lock and has left no record of who it is: it could not be found and ended.
    for (let tries = 100; tries > 0 && this.live.has(id) && this.get(id)?.status === 'pending'; tries--)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const task = this.get(id)
    if (task && !isFinal(task)) {
      await this.reaper.finish(task, 'cancel')
      await this.live.get(id)
    }
    return this.get(id)
  }

  /** Whether a task holds `lock`: one of ours, or one that an operator started by hand. */
  isRunning(lock: string): boolean {
    return this.claims.isRunning(lock)
  }

  /** Whether certainly no task holds `lock`. False where that cannot be told. */
  isFree(lock: string): boolean {
    return this.claims.isFree(lock)
  }

  /** Whether a task that this process started holds `lock`, or is about to. */
  isClaimed(lock: string): boolean {
    return this.claims.has(lock)
  }

  lockOf(task: Task): string {
    return readRequest(this.options.folders, task).lock
  }

  /** See StatusFiles.isStale. */
  statusIsStale(lock: string, file: string, arg?: string): boolean {
    return this.statusFiles.isStale(lock, file, arg)
  }

  /** See StatusFiles.unreportedFailure. */
  unreportedFailure(kind: string, file: string): Task | undefined {
    return this.statusFiles.unreportedFailure(kind, file)
  }

  /** A request begins to wait for a task that runs. `entry` is written when the task ends if the request does not live to write it. */
  attend(id: string, entry: PendingAudit): void {
    this.audits.attend(id, entry)
  }

  /** The request has written the audit entry. */
  attended(id: string): void {
    this.audits.attended(id)
  }

  /** The request stops waiting. Returns the task as it is now: if it has just ended, the request still writes its entry. */
  leave(id: string): Task | undefined {
    return this.audits.leave(id)
  }

  /** See Reaper. */
  isDead(task: Task): boolean {
    return this.reaper.isDead(task)
  }

  settle(id: string): Promise<void> {
    return this.reaper.settle(id)
  }

  sweep(): Promise<void> {
    return this.reaper.sweep()
  }

  close(): void {
    this.reaper.close()
  }
}

/** What the caller of `start` is told of files that cannot be written; any other error as it is. */
function refusal(error: unknown): unknown {
  const why = unwritable(error)
  if (why === undefined) return error
  if (isFull(error)) return noSpace(error)
  return new ApiError('unavailable', `The files of the task cannot be written: ${why}`, { cause: error })
}

const secondNow = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z')
