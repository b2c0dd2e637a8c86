// How long the server stands still while it starts a task: two small files, synced, a look at the lock, and the start
// of the script. The start copies this process's page tables, so it costs more in a large process; its size is told
// with the result.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Folders } from '../../src/folders.ts'
import { writeAtomic } from '../../src/store/atomic.ts'
import { Tasks } from '../../src/tasks/tasks.ts'
import type { Appliance } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { memory } from './processes.ts'

const SCRIPT = `#!/bin/sh
printf '{"id":"%s","kind":"nothing","status":"completed","progress":100,"message":"","created_at":"x"}' "\${2##*/}" >"$2/status.json"
`

export async function measureTask({ root }: Appliance, folder: string, rounds: number): Promise<void> {
  const folders: Folders = {
    root,
    sysconf: `${root}/sysconf`,
    data: `${root}/data`,
    state: join(folder, 'tasks-state'),
  }
  const scripts = join(folder, 'scripts')
  mkdirSync(scripts)
  writeFileSync(join(scripts, 'nothing.sh'), SCRIPT, { mode: 0o755 })
  const warn = (text: string, error?: unknown): never => {
    throw new Error(text, { cause: error })
  }
  const tasks = new Tasks({ folders, scripts, privilege: 'none', environment: {}, longest: 60, onEnd: () => {}, warn })
  const blocked: number[] = []
  const synced: number[] = []
  for (let round = 0; round < rounds; round++) {
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
  const reached = median(blocked)
  report(
    'start a task: the loop stands still (RSS of the process)',
    `${few(reached)} ms (${few(memory(process.pid, 'VmRSS'))} MB)`,
    '<= 2 ms',
    reached <= 2,
  )
  report('  of that, two small files brought to the disk', `${few(median(synced))} ms`)
}

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
