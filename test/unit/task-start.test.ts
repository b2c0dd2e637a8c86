// A task whose files take their time to reach the disk: it is claimed, it is not started before, and other work goes on.
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Folders } from '../../src/folders.ts'
import { CachedFile } from '../../src/store/cached-file.ts'
import { endOf } from '../../src/tasks/program.ts'
import { Tasks } from '../../src/tasks/tasks.ts'

/** The disk: what was made durable, when it goes on, and what it says. */
const disk = vi.hoisted(() => ({
  synced: [] as string[],
  gate: Promise.resolve(),
  error: undefined as Error | undefined,
}))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const open = async (path: string, flags: string) => {
    const handle = await real.open(path, flags)
    handle.sync = async () => {
      await disk.gate
      if (disk.error) throw disk.error
      disk.synced.push(path)
    }
    return handle
  }
  return { ...real, open, default: { ...real, open } }
})

let temp: string
let folders: Folders
let tasks: Tasks
const by = { name: 'test', address: '127.0.0.1' }
const ids = () => readdirSync(join(folders.state, 'tasks'))
const ran = () => existsSync(join(folders.root, 'ran'))

beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'edge-admin-start-'))
  const at = (name: string) => join(temp, name)
  folders = { root: at('root'), sysconf: at('sysconf'), data: at('data'), state: at('state') } as Folders
  for (const name of ['root', 'scripts']) mkdirSync(at(name))
  const script = `#!/bin/sh
[ "$1" = run ] || exit 0
: >"$EDGE_ROOT/ran"
id=\${2##*/}
printf '{"id":"%s","kind":"work","status":"completed","progress":100,"message":"","created_at":""}\\n' "$id" >"$2/status.new"
mv "$2/status.new" "$2/status.json"
`
  writeFileSync(at('scripts/work.sh'), script, { mode: 0o755 })
  const options = { environment: {}, longest: 60, onEnd() {}, warn() {} }
  tasks = new Tasks({ folders, scripts: at('scripts'), privilege: 'none', ...options })
  disk.synced.length = 0
  disk.gate = Promise.resolve()
  disk.error = undefined
})
afterEach(() => {
  tasks.close()
  rmSync(temp, { recursive: true, force: true })
})

/** Holds the disk up until the result is called. */
function holdUp(): () => void {
  let go = () => {}
  disk.gate = new Promise((resolve) => {
    go = resolve
  })
  return go
}

it('starts when the request, the status, the audit entry, the inputs and their folders are on the disk', async () => {
  writeFileSync(join(temp, 'file'), 'x')
  let before: string[] = []
  const task = await tasks.start('work', {
    by: { ...by, entry: { event: 'x', target: '', actor: 'test', address: 'local' } },
    inputs: { text: { text: 'x' }, file: { file: join(temp, 'file') } },
    prepare: () => {
      before = disk.synced.map((path) => basename(path).replace(/^\d{8}T\d{9}Z-.*/, 'the task'))
    },
  })
  expect(new Set(before)).toEqual(
    new Set(['request.json', 'status.json', 'owed', 'text', 'input', 'the task', 'tasks']),
  )
  expect((await tasks.wait(task?.id ?? ''))?.status).toBe('completed')
})

it('holds its lock and does not run before; others start, and a cancel waits', async () => {
  const go = holdUp()
  const starting = tasks.start('work', { by })
  const other = tasks.start('work', { by, lock: 'other' })
  await vi.waitFor(() => expect(ids()).toHaveLength(2))
  expect([tasks.isRunning('work'), tasks.isFree('work'), ran()]).toEqual([true, false, false])
  expect(await tasks.start('work', { by })).toBeUndefined()
  const [task] = tasks.list().slice(-1)
  expect([task?.status, task && tasks.isDead(task)]).toEqual(['pending', false])
  await tasks.settle(task?.id ?? '')
  await tasks.sweep()
  expect(tasks.get(task?.id ?? '')?.status).toBe('pending')
  let cancelled = false
  const cancel = tasks.cancel(task?.id ?? '').then(() => {
    cancelled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(cancelled).toBe(false)
  go()
  expect((await starting)?.id).toBe(task?.id)
  await cancel
  for (const one of [await starting, await other]) expect((await tasks.wait(one?.id ?? ''))?.status).toBe('completed')
  expect(ran()).toBe(true)
})

it('has an id behind those of all that are being started, so that the newest is found by it', async () => {
  const locks = Array.from({ length: 20 }, (_, i) => `lock-${i}`)
  const started = await Promise.all(locks.map((lock) => tasks.start('work', { lock, by })))
  const stamps = started.map((task) => task?.id.slice(0, -9))
  expect([...new Set(stamps)].sort()).toEqual(stamps)
  for (const task of started) await tasks.wait(task?.id ?? '')
})

it('leaves nothing when the disk refuses, and its lock is free', async () => {
  disk.error = Object.assign(new Error('full'), { code: 'ENOSPC' })
  await expect(tasks.start('work', { by })).rejects.toThrow('Not enough free disk space')
  expect([ids(), tasks.isFree('work'), ran()]).toEqual([[], true, false])
  disk.error = undefined
  const task = await tasks.start('work', { by })
  expect((await tasks.wait(task?.id ?? ''))?.status).toBe('completed')
})

it('shows what its script wrote to those who wait for its end, though they looked in the same turn of the event loop', async () => {
  const token = new CachedFile(join(temp, 'token'), (there) =>
    there ? readFileSync(join(temp, 'token'), 'utf8') : 'none',
  )
  const script = new EventEmitter()
  const end = endOf(script as ChildProcess)
  expect(token.get()).toBe('none')
  writeFileSync(join(temp, 'token'), 'new')
  script.emit('exit', 0)
  expect([await end, token.get()]).toEqual([{ code: 0 }, 'new'])
})
