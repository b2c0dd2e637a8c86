// Run by bad-input.test.ts in a mount namespace of its own, where TMPDIR is a small tmpfs. Prints what a full disk did, as JSON.
import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isFinal } from '../../src/tasks/task.ts'
import { file, until } from './client.ts'

process.env['TMPDIR'] = process.argv[2]
const { startAppliance } = await import('./appliance.ts')
const appliance = await startAppliance()
const uploads = () => readdirSync(join(appliance.folders.root, 'home/sftp/uploads'))

const large = await appliance.call('POST', '/update', { form: [file('update', Buffer.alloc(20 << 20))] })
const result = {
  large: [large.status, JSON.parse(large.body)['Error-Message']],
  left: appliance.incoming(),
  uploads: uploads(),
  version: (await appliance.call('GET', '/version')).body,
}

// Not a byte left: not even for the audit log.
const filler = join(appliance.folders.root, 'filler')
try {
  writeFileSync(filler, Buffer.alloc(64 << 20))
} catch {
  // That was the point.
}
const settings = JSON.stringify({ network: { interface: 'eth0', hostname: 'test.host' }, app: {} })
const full = {
  version: (await appliance.call('GET', '/version')).status,
  settings: (await appliance.call('POST', '/settings', { form: [file('settings', settings)] })).status,
  left: appliance.incoming(),
}
rmSync(filler)

// With so many pages free, from none on: the server's own writes at the start of a task fail, one after the other.
const { tasks } = appliance.app
const start = () => appliance.call('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })
const idle = () =>
  until('no task is under way', async () => {
    await tasks.sweep()
    return !tasks.isRunning('backup') && tasks.list().every(isFinal)
  })
const statuses: number[] = []
for (let pages = 0; pages < 8; pages++) {
  const { bavail, bsize } = statfsSync(appliance.folders.root)
  writeFileSync(filler, Buffer.alloc(bavail * bsize - pages * 4096))
  statuses.push((await start()).status)
  rmSync(filler)
  await idle()
}
const begun = {
  refused: statuses.some((status) => status >= 500),
  others: statuses.filter((status) => ![202, 500, 507].includes(status)),
  unended: tasks.list().filter((task) => !isFinal(task)).length,
  last: (await start()).status,
}
await idle()
process.stdout.write(JSON.stringify({ ...result, full, begun, ended: tasks.latest('backup')?.status }))
await appliance.close()
