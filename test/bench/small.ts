// Small things, called in this process: what a poll reads, what an audit entry writes.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readUpdateStatus } from '../../src/features/update/update.ts'
import { etc, type Folders } from '../../src/folders.ts'
import { AuditLog } from '../../src/http/pipeline/audit.ts'
import { tail } from '../../src/store/append-log.ts'
import { writeAtomic } from '../../src/store/atomic.ts'
import type { Appliance } from './appliance.ts'
import { few, median, report } from './numbers.ts'

/** Microseconds of one call: the median of rounds of many. */
function cost(calls: number, call: () => unknown): number {
  const rounds = Array.from({ length: 9 }, () => {
    const begun = performance.now()
    for (let i = 0; i < calls; i++) call()
    return ((performance.now() - begun) * 1000) / calls
  })
  return median(rounds)
}

export async function measureSmallThings({ root }: Appliance, folder: string): Promise<void> {
  const folders: Folders = { root, sysconf: `${root}/sysconf`, data: `${root}/data`, state: `${root}/state` }
  const line = `${'x'.repeat(79)}\n`
  writeFileSync(etc(folders, 'status_update.json'), '{"status":"running","percentage":30}\n')
  const file = join(folder, 'tail.log')
  writeFileSync(file, line.repeat(100))
  const short = cost(2000, () => tail(file, 10))
  appendFileSync(file, line.repeat(1_300_000))
  const long = cost(2000, () => tail(file, 10))
  report('last 10 lines of 8 KB, of 100 MB of log', `${few(short)}, ${few(long)} us`, '<= 20 us', long <= 20)
  const poll = cost(1000, () => readUpdateStatus(folders))
  report('state of the update, its five files', `${few(poll)} us`)
  const audit = new AuditLog(join(folder, 'audit.log'), (error) => {
    throw error
  })
  const entry = { event: 'update.post', target: '', address: '127.0.0.1' }
  const append = cost(2000, () => audit.write(entry))
  audit.close()
  report('one line of the original’s audit log', `${few(append)} us`, '<= 5 us', append <= 5)
  const text = 'x'.repeat(20_000)
  const save = cost(50, () => writeAtomic(join(folder, 'atomic'), text)) / 1000
  report('a file of 20 KB replaced, synced', `${few(save)} ms`, '<= 0.5 ms', save <= 0.5)
}
