// The server's half of the script contract (scripts/README.md): start, list, read, follow, cancel, and end what died.
// The trap: a task outlives this process. What is true of it is asked from its files and its kernel lock, never from memory.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError, errno } from '../errors.ts'
import { type Folders, SYSTEM_PATH } from '../folders.ts'
import { readJson, writeAtomic } from '../store/atomic.ts'
import { Breath } from '../store/breath.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { ensureFolder, unwritable } from '../store/ensure-folder.ts'
import { isHeld } from '../store/lock.ts'
import { moveFile } from '../store/move-file.ts'
import { KINDS } from './kinds.ts'
import { type End, logSize, shortened, whyItEnded } from './last-words.ts'
import { dropUnneeded, hasBegun, isSpent, settleNameless } from './leftovers.ts'
import {
  hasPendingAudit,
  type PendingAudit,
  readPendingAudit,
  removePendingAudit,
  savePendingAudit,
} from './pending-audit.ts'
import {
  CONTRACT,
  isFinal,
  isStamped,
  lockFile,
  readTask,
  type Task,
  taskFolder,
  taskIds,
  tasksFolder,
} from './task.ts'

export interface TasksOptions {
  folders: Folders
  /** Folder of the scripts. */
  scripts: string
  privilege: 'sudo' | 'none'
  /** There is the original's bin/wrapper.sh, and the kinds that it knows go through it. */
  wrapped?: boolean
  /** The `EDGE_*` variables of the script contract, besides the folders. */
  environment: Record<string, string>
  /** Seconds after which a task is cancelled. */
  longest: number
  /** Masks what is secret in a line of a log. */
  mask?: (line: string) => string
  /** Hears of each task that came to its end, once while this process lives. */
  onEnd: (task: Task) => void
  /**
   * Hears of an end that its request did not live to see, or did not wait for; resolves when it is entered for good. `again`: a server that
   * was killed may have entered it already.
   */
  onPendingAudit?: (entry: PendingAudit, task: Task, again: boolean) => Promise<void>
  warn: (text: string, error?: unknown) => void
}

export interface StartOptions {
  /** Only one task holds a lock. Default: the kind. */
  lock?: string
  args?: string[]
  /** Files for the script's `input/`: text to write, or the path of a received file to move there. */
  inputs?: Record<string, { text: string } | { file: string }>
  by: Asker
  /** Runs once the lock is ours and before the script starts. */
  prepare?: () => void
  /** It may take days (a scrub): it is not given up after `longest`. */
  endless?: boolean
}

/** Who asked for a task. */
export interface Asker {
  name: string
  address: string
  /** What the audit log is owed when it ends. */
  entry?: PendingAudit
  /** The request waits for the task and enters its end itself, if it lives to see it: it says so with `attended`. */
  waits?: (id: string) => void
}

/** What a task's folder keeps of how it was started. */
interface TaskRequest {
  lock: string
  args: string[]
  endless: boolean
  wrapped: boolean
}

const SUDO = '/usr/bin/sudo'
const KEPT = 100
const POLL = 250
const STAMPED = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})Z-/

/** Resolves with how a program ended, or why it never ran. */
const ended = (child: ChildProcess) =>
  new Promise<End>((resolve) => {
    child.once('error', (error) => resolve({ error }))
    child.once('exit', (code) => resolve({ code }))
  })

export class Tasks {
  private readonly options: TasksOptions
  /** Started by this process and not yet ended: id → the promise of its end. */
  private readonly live = new Map<string, Promise<void>>()
  /** Locks of tasks that were started and may not hold their kernel lock yet. */
  private readonly claimed = new Map<string, string>()
  private readonly ended = new Set<string>()
  /** Started by this process: their ends cannot have been entered by one that was killed. */
  private readonly ours = new Set<string>()
  /** Requests wait for these, and enter their ends themselves. */
  private readonly awaited = new Set<string>()
  /** Since when this process knows a task, in milliseconds of its own: the clock may jump by years after a boot. */
  private readonly seen = new Map<string, number>()
  /** Those that had not ended when they were last looked at. */
  private readonly open = new Set<string>()
  private readonly deaths = new Map<string, Promise<void>>()
  /** By kind, its newest task; '' once that is known to have told its end. */
  private readonly mayBeSilent = new Map<string, string>()
  private watcher: NodeJS.Timeout | undefined

  constructor(options: TasksOptions) {
    this.options = options
    for (const folder of [tasksFolder(options.folders), join(options.folders.state, 'locks')]) {
      ensureFolder(folder)
    }
  }

  /** Whether a task that holds `lock` runs: one of ours, or one that an operator started by hand. */
  isRunning(lock: string): boolean {
    return this.claimed.has(lock) || isHeld(lockFile(this.options.folders, lock)) === true
  }

  /** Whether surely no task holds `lock`: where that cannot be told it is not free. */
  isFree(lock: string): boolean {
    return !this.claimed.has(lock) && isHeld(lockFile(this.options.folders, lock)) === false
  }

  /**
   * Whether a task was started here that has not written `file` yet: what the file says is still about the one before. Costs nothing while
   * no task of this lock runs.
   */
  isUnspoken(lock: string, file: string, arg?: string): boolean {
    const id = this.claimed.get(lock)
    if (id === undefined) return false
    const request = join(taskFolder(this.options.folders, id), 'request.json')
    const started = statSync(request, { throwIfNoEntry: false })?.mtimeMs
    const written = writtenAt(file)
    if (started === undefined || (written !== undefined && written >= started)) return false
    return arg === undefined || (readJson(request) as { args?: string[] }).args?.[0] === arg
  }

  /**
   * The newest task of a kind when it failed without a word to the status file that clients read: its script could not even start (no
   * sudo, no interpreter), and what the file says is still about the one before. Not one that found another at work. Costs nothing after one that
   * went well.
   */
  silentFailure(kind: string, file: string): Task | undefined {
    const known = this.mayBeSilent.get(kind)
    const task = known === undefined ? this.latest(kind) : known && this.get(known)
    const isOver = !task || task.status === 'completed' || task.status === 'cancelled'
    this.mayBeSilent.set(kind, isOver ? '' : task.id)
    if (isOver || (task.status !== 'failed' && task.status !== 'interrupted')) return undefined
    if (task.error?.code === 'BUSY') return undefined
    const started = statSync(join(taskFolder(this.options.folders, task.id), 'request.json'), { throwIfNoEntry: false })
    return (writtenAt(file) ?? 0) < (started?.mtimeMs ?? 0) ? task : undefined
  }

  /** Resolves once the task that was started last under `lock` has let go of it, or after so many seconds: then it may be started again. */
  async released(lock: string, seconds = 2): Promise<void> {
    const id = this.claimed.get(lock)
    if (id)
      await Promise.race([this.live.get(id), new Promise((resolve) => setTimeout(resolve, seconds * 1000).unref())])
  }

  /** Whether a task that this process started holds `lock`, or is about to. */
  isClaimed(lock: string): boolean {
    return this.claimed.has(lock)
  }

  /**
   * Starts `<kind>.sh run`; undefined when its lock is taken. The check and the claim are one synchronous step, so that of any number
   * of parallel requests exactly one gets a task.
   */
  start(kind: string, { lock = kind, args = [], inputs = {}, by, prepare, endless }: StartOptions): Task | undefined {
    if (this.isRunning(lock) || this.hasDead(lock)) return undefined
    const wrapped = this.options.wrapped === true && Boolean(KINDS[kind]?.wrapped)
    this.script(kind, wrapped)
    const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const id = this.newId()
    const folder = taskFolder(this.options.folders, id)
    try {
      ensureFolder(join(folder, 'input'))
      checkpoint('task-folder')
      const asked = { name: by.name, address: by.address }
      writeAtomic(
        join(folder, 'request.json'),
        `${JSON.stringify({ id, kind, lock, args, by: asked, created_at: created, endless, wrapped: wrapped || undefined })}\n`,
      )
      if (by.entry) savePendingAudit(this.options.folders, id, by.entry)
      // Before the files: a kill between them leaves a task that died, and not a private key in a folder that nobody looks at.
      const task: Task = { id, kind, status: 'pending', progress: 0, message: 'waiting', created_at: created }
      writeAtomic(join(folder, 'status.json'), `${JSON.stringify(task)}\n`)
      checkpoint('task-made')
      for (const [name, input] of Object.entries(inputs)) {
        const target = join(folder, 'input', name)
        if ('text' in input) writeAtomic(target, input.text, 0o600)
        else moveFile(input.file, target, 0o600)
      }
      checkpoint('task-given')
      prepare?.()
      checkpoint('task-prepared')
      this.launch(task, { lock, args, wrapped })
      this.mayBeSilent.set(kind, id)
      if (by.waits) {
        this.awaited.add(id)
        by.waits(id)
      }
      return task
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      const why = unwritable(error)
      if (why === undefined) throw error
      if (['ENOSPC', 'EDQUOT'].includes(errno(error) ?? ''))
        throw new ApiError('no-space', 'Not enough free disk space', { cause: error })
      throw new ApiError('unavailable', `The files of the task cannot be written: ${why}`, { cause: error })
    }
  }

  /**
   * Whether a task that held this lock died and has no end yet; it gets one now. Until then what it half made is not put back, and what a
   * later one says in the files that both write would be taken for its own.
   */
  private hasDead(lock: string): boolean {
    const dead = this.list({ limit: 20 }).filter((task) => this.isDead(task) && this.lockOf(task) === lock)
    for (const { id } of dead)
      this.settle(id).catch((error) => this.options.warn('a task could not be given its end', error))
    return dead.length > 0
  }

  /** As `start`. One that has told its end, and is only about to let go of the lock, is waited for: a client acts on what it was told. */
  async startNext(kind: string, options: StartOptions): Promise<Task | undefined> {
    await this.letEnd(options.lock ?? kind)
    return this.start(kind, options)
  }

  /** As `isRunning`, for work that is no task and takes no lock; one that has told its end is waited for as well. */
  async isAtWork(lock: string): Promise<boolean> {
    await this.letEnd(lock)
    return this.isRunning(lock)
  }

  private async letEnd(lock: string): Promise<void> {
    const last = this.get(this.claimed.get(lock) ?? '')
    // Its script still waits for the disk, after it told its end; a slow disk takes seconds.
    if (last && isFinal(last)) await this.released(lock, 30)
  }

  /** Begins with its time and sorts behind all that are there, also when the clock was set back: the latest is found by its id. */
  private newId(): string {
    const stamp = (time: number) => new Date(time).toISOString().replace(/[-:.]/g, '')
    const newest = taskIds(this.options.folders).find((id) => STAMPED.test(id))
    const [, date, hour, minute, second, rest] = newest?.match(STAMPED) ?? []
    const last = Date.parse(`${date?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${hour}:${minute}:${second}.${rest}Z`)
    const time = last >= Date.now() ? last + 1 : Date.now()
    return `${stamp(time)}-${randomBytes(4).toString('hex')}`
  }

  private launch(task: Task, request: Pick<TaskRequest, 'lock' | 'args' | 'wrapped'>): void {
    // Claimed only once it is started, in the same synchronous step: a claim of what never ran would never end.
    const child = this.spawn(task, 'run', request)
    const { lock } = request
    this.claimed.set(lock, task.id)
    this.ours.add(task.id)
    this.open.add(task.id)
    const end = ended(child).then((how) => {
      this.claimed.delete(lock)
      this.failUnbegun(task, how)
      return this.settle(task.id)
    })
    this.live.set(task.id, end)
    end.finally(() => this.live.delete(task.id)).catch((error) => this.options.warn('a task did not end well', error))
    this.watch()
  }

  /**
   * A script that left with a failure before it had said anything of its own has no work to put back, and its `recover` would only meet the
   * same obstacle: what it last wrote is the reason. One that a signal ended may have been anywhere.
   */
  private failUnbegun({ id, kind }: Task, how: End): void {
    if (!how.error && !how.code) return
    const task = this.get(id)
    if (task?.status !== 'pending' || hasBegun(this.options.folders, id)) return
    this.giveEnd(task, 'failed', whyItEnded(taskFolder(this.options.folders, id), this.program(kind), how))
  }

  /** Writes an end in the place of a script that cannot. */
  private giveEnd(task: Task, status: 'failed' | 'interrupted', reason: string): void {
    const { folders, mask = (line) => line, warn } = this.options
    const error = { code: 'E1000', message: shortened(mask(reason)) }
    const completed_at = new Date().toISOString()
    try {
      const text = JSON.stringify({ ...task, status, message: error.message, error, completed_at })
      writeAtomic(join(taskFolder(folders, task.id), 'status.json'), `${text}\n`)
    } catch (cause) {
      warn('the end of a task could not be written down', cause)
    }
  }

  /** What is started for a kind, as people know it. */
  private program(kind: string): string {
    return this.options.privilege === 'sudo' ? SUDO : `${kind}.sh`
  }

  /** The absolute path of a kind's script; throws when it is not installed. */
  private script(kind: string, wrapped: boolean): string {
    const script = join(this.options.scripts, wrapped ? 'wrapper.sh' : `${kind}.sh`)
    if (!existsSync(script)) throw new ApiError('unavailable', 'The script for this is not installed')
    return script
  }

  private spawn(
    { kind, id }: Task,
    action: 'run' | 'recover' | 'cancel',
    { args, wrapped }: Pick<TaskRequest, 'args' | 'wrapped'>,
  ): ChildProcess {
    const { folders, privilege, environment } = this.options
    const script = this.script(kind, wrapped)
    const folder = taskFolder(folders, id)
    const argv = [script, action, folder, ...(wrapped ? [kind] : []), ...args]
    const [program, ...rest] = privilege === 'sudo' ? [SUDO, '-n', '--', ...argv] : argv
    const out = openSync(join(folder, 'log'), 'a', 0o640)
    try {
      return spawn(program!, rest, {
        cwd: '/',
        detached: true,
        stdio: ['ignore', out, out],
        env: {
          PATH: SYSTEM_PATH,
          EDGE_CONTRACT: String(CONTRACT),
          EDGE_ROOT: folders.root,
          EDGE_SYSCONFDIR: folders.sysconf,
          EDGE_DATADIR: folders.data,
          EDGE_STATEDIR: folders.state,
          ...environment,
        },
      })
    } finally {
      closeSync(out)
    }
  }

  get(id: string): Task | undefined {
    return readTask(this.options.folders, id)
  }

  /** Newest first. */
  list({ kind, limit = 50 }: { kind?: string; limit?: number } = {}): Task[] {
    const found: Task[] = []
    for (const id of taskIds(this.options.folders)) {
      const task = this.get(id)
      if (task && (!kind || task.kind === kind)) found.push(task)
      if (found.length >= limit) break
    }
    return found
  }

  /** The same of any kind, with turns for everybody else in between: each is a file to read. */
  async listInTurns(limit: number): Promise<Task[]> {
    const found: Task[] = []
    const breath = new Breath()
    for (const id of taskIds(this.options.folders)) {
      const task = this.get(id)
      if (task) found.push(task)
      if (found.length >= limit) break
      await breath.take()
    }
    return found
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

  /** From now on a request waits for a task; `entry` is what the audit log is owed when it ends, also after a kill of this process. */
  attend(id: string, entry: PendingAudit): void {
    this.awaited.add(id)
    try {
      savePendingAudit(this.options.folders, id, entry)
    } catch (error) {
      // The work has begun: a full disk must not make it look refused.
      this.options.warn('what the audit log is owed cannot be written down', error)
    }
  }

  /** The request has entered the end. */
  attended(id: string): void {
    this.entered(id)
    this.awaited.delete(id)
  }

  private entered(id: string): void {
    try {
      removePendingAudit(this.options.folders, id)
    } catch (error) {
      this.options.warn('an end that was entered may be entered again at the next start', error)
    }
  }

  /** The request waits no longer. The task as it is now: one that has just ended is its own to enter all the same. */
  leave(id: string): Task | undefined {
    const task = this.get(id)
    if (task && !isFinal(task)) this.awaited.delete(id)
    return task
  }

  /** Ends a running task and puts back what it had half made. Undefined when there is no such task. */
  async cancel(id: string): Promise<Task | undefined> {
    // A script that has just been started holds no lock and has left no record of who it is: it could not be found and ended.
    for (let tries = 100; tries > 0 && this.live.has(id) && this.get(id)?.status === 'pending'; tries--)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const task = this.get(id)
    if (task && !isFinal(task)) {
      await this.conclude(task, 'cancel')
      await this.live.get(id)
    }
    return this.get(id)
  }

  /** Ends every task that died while nobody watched: at the start of the server, and whenever a view finds one. */
  async sweep(): Promise<void> {
    this.dropLeftovers()
    const all = this.list({ limit: Number.POSITIVE_INFINITY })
    const open = all.filter((task) => !isFinal(task))
    for (const { id } of open) this.open.add(id)
    await Promise.all(open.map(({ id }) => this.settle(id)))
    for (const { id } of all) if (hasPendingAudit(this.options.folders, id)) await this.settle(id)
    if (open.length > 0) this.watch()
    this.prune()
  }

  /** Secrets first: it goes by the folders that are there, not by what they say. */
  private dropLeftovers(): void {
    for (const id of taskIds(this.options.folders)) {
      try {
        const task = this.get(id)
        if (!task) {
          if (settleNameless(this.options.folders, id))
            this.options.warn(`the remains of a task that never began: ${id}`)
        } else if (isFinal(task)) dropUnneeded(this.options.folders, id)
      } catch (error) {
        this.options.warn(`what is left of a task cannot be removed: ${id}`, error)
      }
    }
  }

  /** Whether a task says that it is under way, and its lock says that it is not. */
  isDead(task: Task): boolean {
    if (isFinal(task) || [...this.claimed.values()].includes(task.id)) return false
    return isHeld(lockFile(this.options.folders, this.lockOf(task))) === false
  }

  /** Gives a task that died its final status, through its own script's `recover`. Does nothing to one that runs or has ended. */
  async settle(id: string): Promise<void> {
    const task = this.get(id)
    if (!task) return
    if (!isFinal(task)) {
      if (!this.isDead(task)) return
      await this.conclude(task, 'recover')
    }
    const last = this.get(id)
    if (last && isFinal(last) && !this.ended.has(id)) {
      this.ended.add(id)
      this.seen.delete(id)
      this.dropInputs(id)
      this.options.onEnd(last)
      await this.enterPendingAudit(last)
      this.prune()
    }
  }

  private dropInputs(id: string): void {
    try {
      dropUnneeded(this.options.folders, id)
    } catch (error) {
      this.options.warn(`the inputs of a task cannot be removed: ${id}`, error)
    }
  }

  private async enterPendingAudit(task: Task): Promise<void> {
    const { folders, onPendingAudit, warn } = this.options
    const entry = this.awaited.has(task.id) ? undefined : readPendingAudit(folders, task.id)
    if (!entry) return
    try {
      await onPendingAudit?.(entry, task, !this.ours.delete(task.id))
    } catch (error) {
      // It stays owed: the next start enters it.
      return warn('the end of a task could not be entered in the audit log', error)
    }
    this.entered(task.id)
  }

  private conclude(task: Task, action: 'recover' | 'cancel'): Promise<void> {
    const known = this.deaths.get(task.id)
    if (known) return known
    const running = this.end(task, action).finally(() => this.deaths.delete(task.id))
    this.deaths.set(task.id, running)
    return running
  }

  private async end(task: Task, action: 'recover' | 'cancel'): Promise<void> {
    const folder = taskFolder(this.options.folders, task.id)
    const from = logSize(folder)
    let reason = 'Script error'
    try {
      const how = await ended(this.spawn(task, action, this.request(task)))
      if (how.error || how.code) reason = whyItEnded(folder, this.program(task.kind), how, from)
    } catch (error) {
      this.options.warn(`the script ${task.kind}.sh cannot ${action}`, error)
    }
    const now = this.get(task.id)
    if (!now || isFinal(now)) return
    // Its recover took the work up again (scripts/pool-scrub.sh), or it cannot be ended, and holds the lock.
    if (isHeld(lockFile(this.options.folders, this.lockOf(task)))) return this.watch()
    // Its script is missing or broken. Then the truth is at least that nothing runs any more.
    this.giveEnd(now, 'interrupted', reason)
  }

  private request(task: Task): TaskRequest {
    const value = readJson(join(taskFolder(this.options.folders, task.id), 'request.json')) as
      | { lock?: unknown; args?: unknown; endless?: unknown; wrapped?: unknown }
      | undefined
    const args = Array.isArray(value?.args) ? value.args.filter((part) => typeof part === 'string') : []
    const lock = typeof value?.lock === 'string' ? value.lock : task.kind
    // Not by the configuration of now: whoever did it knows how to put it right.
    return { lock, args, endless: value?.endless === true, wrapped: value?.wrapped === true }
  }

  lockOf(task: Task): string {
    return this.request(task).lock
  }

  /** Looks after tasks that are not our children (the server was restarted under them), and after those that never end. */
  private watch(): void {
    this.watcher ??= setInterval(() => {
      for (const id of this.open) {
        const task = this.get(id)
        const isOver = !task || isFinal(task)
        if (isOver) this.open.delete(id)
        if (!task) continue
        const seen = this.seen.get(task.id) ?? performance.now()
        if (!isOver) this.seen.set(task.id, seen)
        const late = performance.now() - seen > this.options.longest * 1000 && !this.request(task).endless
        // One that has ended hears of that as well: its script ended it while nobody waited here.
        const act = late && !isOver ? this.cancel(task.id) : this.settle(task.id)
        act.catch((error) => this.options.warn('a task could not be looked after', error))
      }
      if (this.open.size > 0) return
      clearInterval(this.watcher)
      this.watcher = undefined
    }, 1000)
    this.watcher.unref()
  }

  /** Keeps the newest hundred ended tasks of each kind: what is done by a clock must not push out what a person did. */
  private prune(): void {
    const ids = taskIds(this.options.folders)
    if (ids.length <= KEPT) return
    const counts = new Map<string, number>()
    for (const id of ids) {
      const task = this.get(id)
      const kind = task?.kind ?? ''
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      if (count <= KEPT || !(task ? isFinal(task) : isStamped(id)) || !isSpent(this.options.folders, id)) continue
      rmSync(taskFolder(this.options.folders, id), { recursive: true, force: true })
      this.ended.delete(id)
    }
  }

  close(): void {
    clearInterval(this.watcher)
  }
}

/** When somebody wrote it last, in milliseconds since 1970; undefined where there is nothing, or a link that leads nowhere. */
function writtenAt(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.mtimeMs
  } catch (error) {
    if (errno(error) === 'ELOOP') return undefined
    throw error
  }
}
