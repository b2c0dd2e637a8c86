// Who asks the vendor's script, and when: one run for all who ask at once, a new one for who comes later, and none about a candidate. The script is a
// stand-in that ends when the test says so.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import type { Run, RunOptions } from '../../src/drivers/run.ts'
import { InstalledLicense, licenseScript } from '../../src/features/license/installed.ts'
import type { Task } from '../../src/tasks/task.ts'
import type { Tasks } from '../../src/tasks/tasks.ts'

const root = mkdtempSync(join(tmpdir(), 'edge-admin-installed-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const folders = { root, sysconf: root, data: root, state: root }
mkdirSync(join(root, 'bin'))
writeFileSync(licenseScript(folders), '')

/** Those that run, oldest first: each prints a text and ends. */
let running: ((text: string) => void)[]
const run: Run = (_program, _args, options: RunOptions = {}) =>
  new Promise((resolve) =>
    running.push((text) => {
      options.onOutput?.(Buffer.from(text))
      resolve({ stdout: '', stderr: '', status: 0 })
    }),
  )
let task: Task | undefined
let waiting: (() => void)[]
let license: InstalledLicense
beforeEach(() => {
  running = []
  waiting = []
  task = undefined
  const tasks: Pick<Tasks, 'latest' | 'isRunning' | 'wait' | 'start'> = {
    latest: () => task,
    isRunning: () => task?.status === 'running',
    wait: () => new Promise((resolve) => waiting.push(() => resolve(task))),
    start: async () =>
      (task = { id: 't', kind: 'license', status: 'running', progress: 0, message: '', created_at: '' }),
  }
  license = new InstalledLicense({
    folders,
    tasks: tasks as Tasks,
    run,
    memory: { save: async () => {} },
    label: 'box',
    warn: () => {},
  })
})
const started = (count: number) => vi.waitFor(() => expect(running).toHaveLength(count))

it('is asked for once by all who ask at once, and again by who comes later', async () => {
  const many = Promise.all(Array.from({ length: 25 }, () => license.read()))
  await started(1)
  running[0]?.('{"users":1}')
  expect(await many).toEqual(Array(25).fill('{"users":1}'))
  const later = license.read()
  await started(2)
  running[1]?.('{"users":2}')
  expect(await later).toBe('{"users":2}')
  expect(running).toHaveLength(2)
})

it('is asked for again where a candidate came meanwhile, and only when that was judged', async () => {
  const early = license.read()
  await started(1)
  const installed = license.install('file', { name: 'x', address: '' }).catch((error: Error) => error.message)
  running[0]?.('{"users":"of the candidate"}')
  const late = license.read()
  await new Promise((resolve) => setImmediate(resolve))
  expect(running).toHaveLength(1)
  task = { ...(task as unknown as Task), status: 'failed' }
  for (const resolve of waiting) resolve()
  expect(await installed).toBe('The license was not installed')
  await started(2)
  running[1]?.('{"users":1}')
  expect(await Promise.all([early, late])).toEqual(['{"users":1}', '{"users":1}'])
})
