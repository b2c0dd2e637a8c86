// The moment between a 202 and the script's first word. The status file then still tells of the task before, which a
// client that follows the new one would take for its end.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { readUpdateStatus, updateStatus } from '../../src/features/update/update.ts'
import type { Folders } from '../../src/folders.ts'
import { Tasks } from '../../src/tasks/tasks.ts'

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-unspoken-'))
afterEach(() => rmSync(temp, { recursive: true, force: true }))

const at = (name: string) => join(temp, name)
const folders: Folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') }

/** After an update that went well, long ago. */
function prepare(): void {
  for (const folder of ['root/etc', 'state', 'scripts']) mkdirSync(at(folder), { recursive: true })
  const file = at('root/etc/status_update.json')
  writeFileSync(file, '{"status":"success","percentage":100}')
  utimesSync(file, 1000, 1000)
}
const create = () =>
  new Tasks({
    folders,
    scripts: at('scripts'),
    privilege: 'none',
    environment: {},
    longest: 60,
    onEnd() {},
    warn() {},
  })

it('says that an update runs from the moment it was accepted, whatever the one before left', async () => {
  prepare()
  // It speaks only when it is told to.
  const script = `#!/bin/sh
[ "$1" = run ] || exit 0
until [ -e "$EDGE_ROOT/go" ]; do sleep 0.05; done
printf '{"status":"failed","percentage":20}' >"$EDGE_ROOT/etc/status_update.json"
printf '{"id":"%s","kind":"update","status":"failed","progress":20,"message":"","created_at":""}' "\${2##*/}" >"$2/status.json"
`
  writeFileSync(at('scripts/update.sh'), script, { mode: 0o755 })
  const tasks = create()
  expect(readUpdateStatus(folders, tasks).members).toEqual({ status: 'success', percentage: 100 })
  const task = await tasks.start('update', { by: { name: 'test', address: '127.0.0.1' } })
  expect(readUpdateStatus(folders, tasks).members).toEqual({ status: 'running', percentage: 10 })
  writeFileSync(at('root/go'), '')
  await tasks.wait(task?.id ?? '')
  expect(readUpdateStatus(folders, tasks).members).toEqual({ status: 'failed', percentage: 20 })
  tasks.close()
})

it('says that an update failed which could not begin, where the file of the one before cannot be replaced', async () => {
  prepare()
  writeFileSync(at('scripts/update.sh'), '#!/bin/sh\necho "sudo: no"\nexit 1\n', { mode: 0o755 })
  for (const tasks of [create(), create()]) {
    expect(readUpdateStatus(folders, tasks).members).toEqual({ status: 'success', percentage: 100 })
    const task = await tasks.wait(
      (await tasks.start('update', { by: { name: 'test', address: '127.0.0.1' } }))?.id ?? '',
    )
    expect(task?.status).toBe('failed')
    // So does a server that was started since.
    for (const asked of [tasks, create()]) {
      const failed = { members: { status: 'failed', percentage: 10 }, code: 'E1000', message: task?.error?.message }
      expect(readUpdateStatus(folders, asked)).toMatchObject(failed)
      expect(await updateStatus(folders, asked)).toMatchObject(failed)
    }
    tasks.close()
    rmSync(at('state/tasks'), { recursive: true })
  }
})
