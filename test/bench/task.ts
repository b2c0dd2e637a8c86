// How long the server stands still while it starts a task: two small files written, a look at the lock, and the start of
// the script. The files are synced in other threads: what a synchronous sync of two such files takes is shown beside it.
// So is the size of the process, since starting a program copies the page tables.
import { join } from 'node:path'
import type { Appliance } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { run } from './processes.ts'
import type { Blocked } from './task-alone.ts'

export async function measureTask({ root }: Appliance, folder: string, rounds: number): Promise<void> {
  const argv = [process.execPath, join(folder, 'task-alone.mjs'), root, folder, String(rounds)]
  const { blocked, synced, size }: Blocked = JSON.parse(await run(0, argv))
  const reached = median(blocked)
  report(
    'start a task: the loop stands still (RSS of the process)',
    `${few(reached)} ms (${few(size / 2 ** 20)} MB), at best ${few(Math.min(...blocked))}`,
    '<= 2 ms',
    reached <= 2,
  )
  report('  not in that: two small files replaced and synced', `${few(median(synced))} ms`)
}
