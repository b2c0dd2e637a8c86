// Starts tasks, and prints how long the event loop stood still at most, each time. A process of its own, no larger than
// the server: starting a program copies the page tables, so it costs three times as much in the benchmark's process.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../../src/folders.ts'
import { writeAtomic } from '../../src/store/atomic.ts'
import { Tasks } from '../../src/tasks/tasks.ts'

export interface Blocked {
  /** Milliseconds for each start. */
  blocked: number[]
  /** Milliseconds in which two such files are replaced and synced, synchronously. */
  synced: number[]
  /** Bytes of memory of this process. */
  size: number
}

const SCRIPT = `#!/bin/sh
printf '{"id":"%s","kind":"nothing","status":"completed","progress":100,"message":"","created_at":"x"}' "\${2##*/}" >"$2/status.json"
`

const [root = '', folder = '', rounds = '1'] = process.argv.slice(2)
const folders: Folders = { root, sysconf: `${root}/sysconf`, data: `${root}/data`, state: join(folder, 'tasks-state') }
const scripts = join(folder, 'scripts')
mkdirSync(scripts)
writeFileSync(join(scripts, 'nothing.sh'), SCRIPT, { mode: 0o755 })
const warn = (text: string, error?: unknown): never => {
  throw new Error(text, { cause: error })
}
const tasks = new Tasks({ folders, scripts, privilege: 'none', environment: {}, longest: 60, onEnd: () => {}, warn })
const blocked: number[] = []
const synced: number[] = []
for (let round = 0; round < Number(rounds); round++) {
  const standstill = watchLoop()
  const task = await tasks.start('nothing', { by: { name: 'admin', address: '127.0.0.1' } })
  blocked.push(standstill())
  if (!task) throw new Error('the last one still runs')
  await tasks.wait(task.id)
  const again = performance.now()
  for (const name of ['request.json', 'status.json']) writeAtomic(join(folders.state, 'tasks', task.id, name), '{}\n')
  synced.push(performance.now() - again)
}
tasks.close()
process.stdout.write(JSON.stringify({ blocked, synced, size: process.memoryUsage.rss() } satisfies Blocked))

/** From now on measures how long the event loop stands still at most; call the result to have it, in milliseconds. */
function watchLoop(): () => number {
  let longest = 0
  let last = performance.now()
  let watching = true
  const look = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (watching) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    watching = false
    return Math.max(longest, performance.now() - last)
  }
}
