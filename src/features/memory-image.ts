// An image that runs from memory forgets at its next boot what was changed, unless its own tool saves it on a disk.
// Scripts call the tool at their end (scripts/memory-image.sh); this is for what the server changes by itself. The tool
// needs root, so a task runs it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { CommandError, createRun } from '../drivers/run.ts'
import { installation, SYSTEM_PATH } from '../folders.ts'
import { GroupCommit } from '../store/group-commit.ts'
import type { Tasks } from '../tasks/tasks.ts'

/** Whether there is such a tool, and a device for it. `prefix` stands before both paths (tests). */
export const runsFromMemory = (prefix = ''): boolean =>
  existsSync(`${prefix}/usr/bin/symlinktool.sh`) && existsSync(`${prefix}/etc/sysconfig/backup_device`)

/** Milliseconds: a slow disk takes its time. */
const LONGEST = 600_000
const run = createRun((program) => program === '/bin/sh')

interface Saving {
  root: string
  /** Stands before the paths of the tool and its device (tests). */
  prefix?: string | undefined
  /** Ends the tool, with all that it started. */
  signal?: AbortSignal
  longest?: number
}

/** Saves at once, by root, for a command that is no task; resolves to why it could not. */
export async function saveNow({ root, prefix = '', signal, longest = LONGEST }: Saving): Promise<string | undefined> {
  const script = join(installation(), 'scripts/memory-image.sh')
  try {
    await run('/bin/sh', ['-c', '. "$1" && persist >&2', 'sh', script], {
      timeout: longest,
      foreign: true,
      ...(signal && { signal }),
      env: { PATH: SYSTEM_PATH, EDGE_ROOT: root, EDGE_NETROOT: prefix },
    })
    return undefined
  } catch (error) {
    const reason = error instanceof CommandError ? error.reason : undefined
    if (reason === 'timeout') return `the tool of this image took longer than ${longest / 1000} seconds, and was ended`
    if (signal?.aborted) return 'the command was ended, and with it the tool of this image'
    const said = error instanceof CommandError ? error.stderr.trim().split('\n').at(-1) : undefined
    return said || 'the tool of this image failed'
  }
}

export interface MemoryImage {
  /** Resolves once what was changed before this call is saved, or that was tried: the change is in force either way. */
  save: () => Promise<void>
}

interface MemoryImageOptions {
  tasks: Pick<Tasks, 'startNext' | 'latest' | 'wait'>
  prefix?: string | undefined
  warn: (text: string) => void
}

const KIND = 'persist'
/** Milliseconds that an answer waits for it. */
const PATIENCE = 30_000
const LATE = 'late'
const BY = { name: 'system', address: 'local' }

export function memoryImage({ tasks, prefix, warn }: MemoryImageOptions): MemoryImage {
  const commit = new GroupCommit(async () => {
    let task = await tasks.startNext(KIND, { by: BY })
    while (!task) {
      // Of a server before this one: it may have begun before the change.
      const other = tasks.latest(KIND)
      if (!other) return warn('the state could not be made persistent: another program is at it')
      await tasks.wait(other.id)
      task = await tasks.startNext(KIND, { by: BY })
    }
    const ended = await tasks.wait(task.id)
    if (ended?.status !== 'completed')
      warn('the state could not be made persistent: a change that is in force now is lost at the next boot')
  })
  return {
    async save() {
      if (!runsFromMemory(prefix)) return
      try {
        // What was changed is in force: whoever changed it does not wait for a disk that died.
        const outcome = await Promise.race([commit.wait(), pause(PATIENCE, LATE, { ref: false })])
        if (outcome === LATE) warn('the state is not persistent yet: the tool of this image takes its time')
      } catch (error) {
        warn(`the state could not be made persistent: ${error instanceof Error ? error.message : error}`)
      }
    },
  }
}
