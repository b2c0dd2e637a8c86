// Ends a program and everything that it started: its session, its children and theirs, and processes with its mark in
// their environment. The mark is needed because a program can leave its group and its parent (setsid, a double fork),
// but keeps the environment that it was given.
import { readdirSync, readFileSync } from 'node:fs'

interface Process {
  pid: number
  parent: number
  session: number
}

/**
 * Each round ends the processes that existed when it began to look; the next round finds those that were started
 * meanwhile.
 */
const ROUNDS = 5

/**
 * `leader`: a process that runs, or has not been collected yet. `mark`: a variable that it was started with,
 * `NAME=VALUE`.
 */
export function endAll(leader: number | undefined, mark?: string): void {
  for (let round = 0; round < ROUNDS; round++) {
    const found = family(leader, mark)
    if (found.length === 0) return
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended, or belongs to another user.
      }
    }
  }
}

function family(leader: number | undefined, mark: string | undefined): number[] {
  const all = processes()
  const found = new Set<number>()
  for (const { pid, session } of all)
    if (pid === leader || session === leader || (mark !== undefined && isMarked(pid, mark))) found.add(pid)
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid)
  }
  found.delete(process.pid)
  return [...found]
}

/** All running processes; one that has ended but was not collected is left out. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'latin1')
      // proc(5): the name is in parentheses and may contain some itself.
      const [state, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return state === 'Z' || state === 'X'
        ? []
        : [{ pid: Number(name), parent: Number(parent), session: Number(session) }]
    } catch {
      return []
    }
  })
}

function isMarked(pid: number, mark: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${mark}\0`)
  } catch {
    return false
  }
}
