// Which tasks are kept, and that a lock which somebody else holds keeps a second task out. What a task says of itself
// proves nothing here; the folders are counted, and the lock is held by another process.
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { isHeld } from '../../src/store/lock.ts'
import { Tasks } from '../../src/tasks/tasks.ts'
import { REPOSITORY } from '../api/appliance.ts'
import { until } from '../api/client.ts'
import { newTaskId, putTask } from '../api/task-files.ts'

const by = { name: 'test', address: '127.0.0.1' }
let temp: string
let folders: Folders
let tasks: Tasks
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'edge-admin-keeping-'))
  const at = (name: string) => join(temp, name)
  folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') }
  for (const folder of ['root/log', 'state', 'scripts']) mkdirSync(at(folder), { recursive: true })
  for (const name of ['lib', 'processes', 'hook', 'memory-image'])
    symlinkSync(join(REPOSITORY, `scripts/${name}.sh`), at(`scripts/${name}.sh`))
  const script = '#!/bin/sh\nLOCK=held\n. "$(dirname -- "$0")/lib.sh"\nrun() { :; }\nmain "$@"\n'
  writeFileSync(at('scripts/held.sh'), script, { mode: 0o755 })
  tasks = new Tasks({
    folders,
    scripts: at('scripts'),
    privilege: 'none',
    environment: {},
    longest: 60,
    onEnd() {},
    warn() {},
  })
})
afterEach(() => {
  tasks.close()
  rmSync(temp, { recursive: true, force: true })
})

const ids = () => readdirSync(join(folders.state, 'tasks')).sort()
/** Holds the lock until it is told to end. */
async function hold(): Promise<() => Promise<void>> {
  const file = join(folders.state, 'locks/held.lock')
  const holder = spawn('flock', [file, 'sleep', '600'], { stdio: 'ignore', detached: true })
  await until('the lock is held', () => isHeld(file))
  return async () => {
    if (holder.pid) process.kill(-holder.pid, 'SIGKILL')
    await until('it is free', () => isHeld(file) === false)
  }
}

describe('of ended tasks', () => {
  it('the newest hundred of a kind are kept, and every one that has not ended', async () => {
    const open = putTask(folders, newTaskId(), 'running')
    const old = Array.from({ length: 104 }, () => putTask(folders, newTaskId(), 'completed'))
    const other = putTask(folders, '20000101T000000000Z-0000', 'failed', { kind: 'other' })
    const release = await hold()
    await tasks.sweep()
    expect(ids()).toEqual([other, open, ...old.slice(4)].sort())
    expect(tasks.get(open)?.status).toBe('running')
    await release()
    await tasks.settle(open)
    const task = await tasks.start('held', { by })
    expect((await tasks.wait(task?.id ?? ''))?.status).toBe('completed')
    // The one that died has ended now, as the oldest of all.
    expect(ids()).toEqual([other, ...old.slice(5), task?.id].sort())
  })
})

describe('a folder beside the tasks', () => {
  it('that is somebody’s is left alone, and so is a task with old files or an entry that is owed', async () => {
    mkdirSync(join(folders.state, 'tasks/backup-2025'), { recursive: true })
    writeFileSync(join(folders.state, 'tasks/backup-2025/mine'), 'x')
    const kept = ['20000101T000000000Z-0001', '20000101T000000000Z-0002'].map((id) => putTask(folders, id, 'failed'))
    mkdirSync(join(folders.state, 'tasks', kept[0] ?? '', 'swap'))
    writeFileSync(join(folders.state, 'tasks', kept[0] ?? '', 'swap/plan.json'), '{}')
    tasks.attend(kept[1] ?? '', { event: 'x', target: '', actor: 'admin', address: 'local' })
    putTask(folders, '20000101T000000000Z-0003', 'failed')
    const newer = Array.from({ length: 100 }, () => putTask(folders, newTaskId(), 'completed'))
    await tasks.sweep()
    expect(ids()).toEqual([...kept, ...newer, 'backup-2025'].sort())
    expect(readFileSync(join(folders.state, 'tasks/backup-2025/mine'), 'utf8')).toBe('x')
  })
})

describe('a lock that another process holds', () => {
  it('keeps a task out, before anything of it is made or moved', async () => {
    const received = join(temp, 'received')
    writeFileSync(received, 'a package')
    let prepared = false
    const start = () =>
      tasks.start('held', {
        by,
        inputs: { package: { file: received } },
        prepare: () => {
          prepared = true
        },
      })
    const release = await hold()
    expect(await start()).toBeUndefined()
    expect([ids(), prepared, readFileSync(received, 'utf8')]).toEqual([[], false, 'a package'])
    await release()
    const task = await start()
    expect((await tasks.wait(task?.id ?? ''))?.status).toBe('completed')
    // What it was given may be a secret, and goes when it ends.
    expect(existsSync(join(folders.state, 'tasks', task?.id ?? '', 'input'))).toBe(false)
  })
})
