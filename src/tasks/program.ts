// Starts the script of a task, as this process or through sudo, and writes an end for a task whose script cannot write one.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError, NO_SPACE } from '../errors.ts'
import { type Folders, SYSTEM_PATH } from '../folders.ts'
import { writeAtomic } from '../store/atomic.ts'
import { filesMayHaveChanged } from '../store/cached-file.ts'
import { KINDS } from './kinds.ts'
import { type End, shortened } from './last-words.ts'
import type { TaskRequest } from './read.ts'
import { CONTRACT, type Task, taskFolder } from './task.ts'

/** Bytes that a script needs for what it writes down. */
const ROOM = 65_536
const SUDO = '/usr/bin/sudo'

export interface ProgramOptions {
  folders: Folders
  /** Folder of the scripts. */
  scripts: string
  privilege: 'sudo' | 'none'
  /** The original's bin/wrapper.sh is there, and does the kinds that it knows. */
  wrapped?: boolean
  /** The `EDGE_*` variables of the script contract, besides the folders. */
  environment: Record<string, string>
  /** Masks what is secret in a line of a log. */
  mask?: (line: string) => string
  warn: (text: string, error?: unknown) => void
}

/** A script that was started. */
export type Running = ChildProcess

/** Resolves with how a program ended, or why it never ran. */
export const endOf = (child: Running) =>
  new Promise<End>((resolve) => {
    child.once('error', (error) => resolve({ error }))
    child.once('exit', (code) => {
      // Whoever waits for its end reads what it wrote, perhaps in a turn that had looked at the file before.
      filesMayHaveChanged()
      resolve({ code })
    })
  })

export class TaskProgram {
  private readonly options: ProgramOptions

  constructor(options: ProgramOptions) {
    this.options = options
  }

  /** What is started for a kind, as messages name it. */
  nameOf(kind: string): string {
    return this.options.privilege === 'sudo' ? SUDO : `${kind}.sh`
  }

  /** Whether the original's wrapper does this kind. */
  isWrapped(kind: string): boolean {
    return this.options.wrapped === true && Boolean(KINDS[kind]?.wrapped)
  }

  /** The absolute path of a kind's script. Throws when it is not installed. */
  scriptOf(kind: string, wrapped: boolean): string {
    const script = join(this.options.scripts, wrapped ? 'wrapper.sh' : `${kind}.sh`)
    if (!existsSync(script)) throw new ApiError('unavailable', 'The script for this is not installed')
    return script
  }

  /** The script runs detached, with its output in the task's log: it goes on when this process ends. */
  spawn(
    { kind, id }: Task,
    action: 'run' | 'recover' | 'cancel',
    { args, wrapped }: Pick<TaskRequest, 'args' | 'wrapped'>,
  ): Running {
    const { folders, privilege, environment } = this.options
    const script = this.scriptOf(kind, wrapped)
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

  /** Writes the final status of a task whose script cannot. */
  writeEnd(task: Task, status: 'failed' | 'interrupted', reason: string): void {
    const { folders, mask = (line) => line, warn } = this.options
    // On a full disk it could not even say why. The codes of an update are the original's.
    const error =
      task.kind === 'update' || hasRoom(taskFolder(folders, task.id))
        ? { code: 'E1000', message: shortened(mask(reason)) }
        : { code: 'NO_SPACE', message: NO_SPACE }
    const completed_at = new Date().toISOString()
    try {
      const text = JSON.stringify({ ...task, status, message: error.message, error, completed_at })
      writeAtomic(join(taskFolder(folders, task.id), 'status.json'), `${text}\n`)
    } catch (cause) {
      warn('the end of a task could not be written down', cause)
    }
  }
}

function hasRoom(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize >= ROOM
}
