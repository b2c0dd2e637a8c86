// Streams one task and its log to each reader, at that reader's own position. The log is read only as fast as the
// reader takes it; what waits for a slow one stays in the file, not in memory.

import { statSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { ApiError } from '../../errors.ts'
import { viewTask } from '../../features/jobs/about.ts'
import { LONGEST_PAGE, readLog } from '../../features/jobs/log.ts'
import type { Folders } from '../../folders.ts'
import { event } from '../../http/reply/readers.ts'
import { isFinal, readTask, type Task, taskFolder } from '../../tasks/task.ts'

const LOOK = 250
/** Bytes that may wait for one reader. */
const BUFFER = 256 * 1024
/** Pages sent in one round; then other readers get their turn. */
const PAGES = 4

interface Follower {
  outgoing: ServerResponse
  id: string
  /** The log offset of the next byte to send. */
  offset: number
  may: () => boolean
  /** The view that was sent last. */
  view: string | undefined
  /** The state of the log when all of it had been sent. */
  sentState: string | undefined
}

export interface TaskLogsOptions {
  folders: Folders
  most: number
  /** Milliseconds. */
  heartbeat: number
  warn: (text: string, error?: unknown) => void
}

export class TaskLogs {
  private readonly options: TaskLogsOptions
  private readonly followers = new Set<Follower>()
  private timers: NodeJS.Timeout[] = []
  private closed = false

  constructor(options: TaskLogsOptions) {
    this.options = options
  }

  /** Throws when there is no room. `may` is called at each check. */
  follow(id: string, offset: number, may: () => boolean): (outgoing: ServerResponse) => void {
    if (this.closed || this.followers.size >= this.options.most)
      throw new ApiError('unavailable', 'Too many readers of events', { retryAfter: 5 })
    return (outgoing) => {
      const follower: Follower = { outgoing, id, offset, may, view: undefined, sentState: undefined }
      this.followers.add(follower)
      outgoing.once('close', () => this.leave(follower))
      outgoing.write('retry: 2000\n\n')
      // The client left, or the server stopped, while the headers were being sent.
      if (this.closed || outgoing.destroyed) return this.end(follower)
      if (this.timers.length === 0)
        this.timers = [setInterval(() => this.lookAll(), LOOK), setInterval(() => this.beat(), this.options.heartbeat)]
      this.look(follower)
    }
  }

  close(): void {
    this.closed = true
    for (const follower of this.followers) this.end(follower)
  }

  private lookAll(): void {
    for (const follower of this.followers) this.look(follower)
  }

  private look(follower: Follower): void {
    try {
      const task = follower.may() ? readTask(this.options.folders, follower.id) : undefined
      if (!task || this.send(follower, task)) this.end(follower)
    } catch (error) {
      // The client reconnects, and continues where it was.
      this.options.warn('a task cannot be read for its readers', error)
      this.end(follower)
    }
  }

  /** Sends what is new; returns whether it was the last. */
  private send(follower: Follower, task: Task): boolean {
    const view = JSON.stringify(viewTask(this.options.folders, task))
    if (view !== follower.view) follower.outgoing.write(event('task', view))
    follower.view = view
    const last = this.sendLog(follower, task) && isFinal(task)
    if (last) follower.outgoing.write(event('end', '{}'))
    return last
  }

  /** Sends the log; returns whether everything available was sent. */
  private sendLog(follower: Follower, task: Task): boolean {
    const { folders } = this.options
    const size = statSync(join(taskFolder(folders, task.id), 'log'), { throwIfNoEntry: false })?.size ?? 0
    // An incomplete line waits until it is complete or the task has ended.
    const now = `${size} ${isFinal(task)}`
    if (follower.sentState === now) return true
    for (let pages = 0; pages < PAGES; pages++) {
      if (follower.outgoing.writableLength > BUFFER) return false
      const { bytes, next } = readLog(folders, task, follower.offset, LONGEST_PAGE)
      if (next <= follower.offset) {
        follower.sentState = now
        return true
      }
      follower.offset = next
      // A page that redaction masks completely has no text, but still moves the offset.
      follower.outgoing.write(event('log', JSON.stringify({ text: bytes.toString(), next }), String(next)))
    }
    return false
  }

  private beat(): void {
    for (const { outgoing } of this.followers) if (outgoing.writableLength <= BUFFER) outgoing.write(': \n\n')
  }

  private end(follower: Follower): void {
    this.leave(follower)
    follower.outgoing.end()
  }

  private leave(follower: Follower): void {
    if (!this.followers.delete(follower) || this.followers.size > 0) return
    for (const timer of this.timers) clearInterval(timer)
    this.timers = []
  }
}
