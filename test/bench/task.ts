// How long the server stands still while it starts a task: two small files, synced, a look at the lock, and the start
// of the script. The size of the process is told with the result.
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
  report('  of that, two small files brought to the disk', `${few(median(synced))} ms`)
}
