// Tasks that may take for ever, and those that may not. The watcher looks once a second, so both are waited for, not
// slept for.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { Tasks } from '../../src/tasks/tasks.ts'
import { REPOSITORY } from '../api/appliance.ts'
import { until } from '../api/client.ts'

const temp = mkdtempSync(join(tmpdir(), 'edge-admin-endless-'))
afterEach(() => rmSync(temp, { recursive: true, force: true }))

it('gives up a task that takes too long, and not one that may', async () => {
  const at = (name: string) => join(temp, name)
  const folders: Folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') }
  for (const folder of ['root/log', 'state', 'scripts']) mkdirSync(at(folder), { recursive: true })
  for (const name of ['lib', 'processes', 'hook', 'memory-image'])
    symlinkSync(join(REPOSITORY, `scripts/${name}.sh`), at(`scripts/${name}.sh`))
  const script = '#!/bin/sh\nLOCK=$3\n. "$(dirname -- "$0")/lib.sh"\nrun() { step 1 slow; sleep 300; }\nmain "$@"\n'
  writeFileSync(at('scripts/slow.sh'), script, { mode: 0o755 })
  const tasks = new Tasks({
    folders,
    scripts: at('scripts'),
    privilege: 'none',
    environment: {},
    longest: 0.5,
    onEnd() {},
    warn() {},
  })
  const by = { name: 'test', address: '127.0.0.1' }
  const start = async (lock: string, endless: boolean) =>
    (await tasks.start('slow', { lock, args: [lock], by, endless }))!.id
  const days = await start('days', true)
  try {
    // Twice, one after the other: by then the first would long have been given up as well.
    for (const lock of ['hours', 'more-hours']) {
      const id = await start(lock, false)
      await until('it was given up', () => tasks.get(id)?.status === 'cancelled', 60)
    }
    expect(tasks.get(days)).toMatchObject({ status: 'running', message: 'slow' })
  } finally {
    await tasks.cancel(days)
    tasks.close()
  }
  expect(tasks.get(days)?.status).toBe('cancelled')
})
