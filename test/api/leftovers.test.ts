// What a kill leaves behind, and that the next start takes it away: the server killed at each step of the making of a task, and every kind of
// leftover that we know laid there by hand. Files are looked for by what is in them, wherever they are.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LeftoversOptions, removeLeftovers } from '../../src/features/installation/leftovers.ts'
import type { Task } from '../../src/tasks/task.ts'
import { FIXTURES, type Server, startServer, temporaryFolder } from './appliance.ts'
import { file, until } from './client.ts'

/** The number of a process that is gone. */
const DEAD = spawnSync('true').pid
const CANARY = 'canary-7f3a-of-a-secret'
const fixture = (name: string) => readFileSync(join(FIXTURES, name))
const KEY = fixture('ec.key').toString()
const PACKAGE = Buffer.alloc(70_000, CANARY)
const storage = JSON.stringify({
  storage: {
    type: 'iscsi',
    target: 'iqn.2020-01.com.example:a',
    ip: '192.0.2.7',

    username: 'user',
    password: CANARY,
  },
})

/** The files below a folder that hold this text; looks again when the server removes something meanwhile. */
function holding(folder: string, text: string): string[] {
  for (;;)
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
        const path = join(folder, name)
        return statSync(path, { throwIfNoEntry: false })?.isFile() && readFileSync(path).includes(text)
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
}

/** Undefined: a folder without a status that can be read. */
const tasks = ({ folders }: Server) =>
  readdirSync(join(folders.state, 'tasks')).map((id) => {
    const path = join(folders.state, 'tasks', id, 'status.json')
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Task) : undefined
  })

const WORKS: Record<string, { secret: string; start: (server: Server) => Promise<unknown> }> = {
  certs: {
    secret: KEY.split('\n')[1] as string,
    start: ({ call }) =>
      call('POST', '/certs', { form: [file('public', fixture('ec.pem')), file('private', fixture('ec.key'))] }),
  },
  storage: { secret: CANARY, start: ({ call }) => call('POST', '/storage', { form: [file('settings', storage)] }) },
  update: { secret: CANARY, start: ({ call }) => call('POST', '/update', { form: [file('update', PACKAGE)] }) },
}

describe('a server that is killed while it makes a task', () => {
  const rows = Object.keys(WORKS).flatMap((kind) =>
    ['task-folder', 'task-made', 'task-given', 'task-prepared'].map((step) => ({ kind, step })),
  )
  it.each(rows)(
    'leaves nothing of it behind its next start: $kind at $step',
    async ({ kind, step }) => {
      const { secret, start } = WORKS[kind] as (typeof WORKS)[string]
      const environment: Record<string, string> = { EDGE_FAULT: `${step}=kill` }
      let server = await startServer({ fixtureKeys: true, environment })
      try {
        await start(server).catch(() => undefined)
        await until('it is dead', () => server.process.signalCode === 'SIGKILL')
        delete environment['EDGE_FAULT']
        server = await server.again()
        await until('all tasks have an end', () => tasks(server).every((task) => task?.completed_at !== undefined))
        await until('nothing holds the secret', () => holding(server.folders.root, secret).length === 0)
        expect(tasks(server).map((task) => task?.status)).toEqual(step === 'task-folder' ? [] : ['interrupted'])
      } finally {
        await server.close()
      }
    },
    60_000,
  )
})

it('removes at its start whatever killed programs left, and says so', async () => {
  const server = await startServer()
  const { root, sysconf, data, state } = server.folders
  const lay = (path: string, text = CANARY) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  let next = server
  try {
    await server.kill('SIGKILL')
    const uploads = join(root, 'home/sftp/uploads')
    const task = (id: string, name: string) => join(state, 'tasks', `20260101T000000000Z-${id}`, name)
    for (const path of [
      task('bare', 'input/appliance.key'),
      task('torn', 'input/appliance.key'),
      task('ended', 'input/storage.conf'),
      task('ended', 'try/key1.pem'),
      task('ended', 'swap/new/etc/enterprise.key'),
      join(root, 'tmp/update/update.sh'),
      join(root, 'tmp/update.work/data'),
      join(root, 'tmp/collect-20260101T000000000Z-aa/raw/var/log/x'),
      join(root, 'tmp/incoming/upload-1234'),
      join(state, 'incoming/upload-1234'),
      join(state, '.users.json.0123456789ab'),
      join(root, 'etc/.api.token.0123456789ab'),
      join(root, `etc/.status_update.json.${DEAD}.aB3xY9`),
      join(uploads, '.backup.tar.partial'),
      join(uploads, '.software_package-zzz.enc.0123456789ab'),
      join(uploads, 'software_package-zzz.enc'),
      join(uploads, `.logs.tar.gz.${DEAD}.aB3xY9`),
      join(data, '.edge-admin-restore/20260101T000000000Z-aa/new/etc/app.conf'),
    ])
      lay(path)
    writeFileSync(task('torn', 'status.json'), '')
    writeFileSync(task('torn', 'request.json'), '{"kind":"certs","lock":"certs"}')
    writeFileSync(
      task('ended', 'status.json'),
      '{"id":"20260101T000000000Z-ended","kind":"storage","status":"failed","progress":0,"message":"","created_at":""}',
    )
    // What is somebody's, or may still be needed, stays.
    const kept = [
      join(uploads, 'software_package-5.enc'),
      join(uploads, 'mine.0123456789ab'),
      join(data, '.edge-admin-restore/20260101T000000000Z-bb/old/etc/app.conf'),
      task('ended', 'swap/old/etc/app.conf'),
      join(root, 'etc', `.status_update.json.${process.pid}.aB3xY9`),
      // Copies that people and vendors made.
      join(sysconf, '.network.conf.20261128'),
      join(sysconf, `.network.conf.${DEAD}`),
      join(sysconf, 'pki/tls/private/.enterprise.key.20251101'),
      join(sysconf, 'pki/tls/private/.enterprise.key.0123456789ab'),
      join(root, 'etc/.api.token.20251101'),
      join(root, 'etc/.api.token.202511011200'),
      join(root, 'etc/.old.2024/notes'),
      join(root, `etc/.mine.${DEAD}`),
      join(root, `etc/.status_error_code.txt.${DEAD}.aB3xY9/notes`),
      join(state, '.users.json.202511011200'),
      join(root, 'tmp/collect-mine/notes'),
    ]
    for (const path of kept) lay(path)
    lay(join(data, '.edge-admin-restore/20260101T000000000Z-bb/plan.json'), '{}')
    const elsewhere = join(root, 'elsewhere/private')
    lay(elsewhere)
    symlinkSync(dirname(elsewhere), join(root, 'tmp/collect-20260101T000000000Z-bb'))
    next = await server.again()
    const left = [...kept, elsewhere].map((path) => path.slice(root.length + 1)).sort()
    const said = next
    await until('it says so', () =>
      ['software_package-zzz.enc', '20260101T000000000Z-bb', '20260101T000000000Z-bare'].every((name) =>
        said.output().includes(name),
      ),
    )
    expect(holding(root, CANARY).sort()).toEqual(left)
    expect(existsSync(join(state, 'tasks/20260101T000000000Z-bare'))).toBe(false)
    expect(existsSync(join(root, 'tmp/collect-20260101T000000000Z-bb'))).toBe(false)
  } finally {
    await next.close()
  }
}, 60_000)

it('puts folders in the uploads aside, with all that is in them', async () => {
  const names = ['software_package-zzz.enc', '.backup.tar.partial', '.logs.tar.gz.0123456789ab']
  const server = await startServer()
  let next = server
  try {
    await server.kill('SIGKILL')
    const uploads = join(server.folders.root, 'home/sftp/uploads')
    for (const name of names) {
      mkdirSync(join(uploads, name))
      writeFileSync(join(uploads, name, 'mine'), CANARY)
    }
    next = await server.again()
    await until('they are put aside', () => names.every((name) => !existsSync(join(uploads, name))))
    const left = holding(uploads, CANARY).sort()
    expect(left).toHaveLength(3)
    for (const name of left) expect(name).toMatch(/^in-the-way-\d+-[0-9a-f]{8}-.+\/mine$/)
    const said = next
    await until('it says so', () => left.every((name) => said.output().includes(dirname(name))))
  } finally {
    await next.close()
  }
}, 60_000)

describe('what may be in use', () => {
  const PLACES = ['tmp/update/update.sh', 'tmp/update.work/data', 'home/sftp/uploads/software_package-zzz.enc']
  function lie(prepare: (originals: string) => Partial<LeftoversOptions>) {
    const root = temporaryFolder()
    const folders = { root, sysconf: join(root, 'sysconf'), data: join(root, 'data'), state: join(root, 'state') }
    for (const path of PLACES) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), CANARY)
    }
    const originals = temporaryFolder()
    const began = Date.now() + 60_000
    const options = { folders, tasks: { isFree: () => true }, wrapped: false, began, originals, warn: () => {} }
    removeLeftovers({ ...options, ...prepare(originals) })
    return PLACES.filter((path) => existsSync(join(root, path)))
  }

  it('stays: by the original, by a wrapper, or by what cannot be told', () => {
    expect(lie(() => ({}))).toEqual([])
    expect(lie(() => ({ wrapped: true }))).toEqual(PLACES)
    expect(lie(() => ({ tasks: { isFree: (lock) => lock !== 'update' } }))).toEqual(PLACES)
    const atWork = (originals: string) => {
      writeFileSync(join(originals, 'update_vm.sh.task'), '123')
      return {}
    }
    expect(lie(atWork)).toEqual(PLACES)
  })

  it.each([
    '.share-accounts.json',
    '.disk-tests.json',
    '.disk-tests-begun.json',
    'share-accounts/.numbers.json',
    'share-accounts/.before.json',
    'share-accounts/.import.smbpasswd',
  ])('is removed: a half-written %s', (name) => {
    const root = temporaryFolder()
    const folders = { root, sysconf: join(root, 'sysconf'), data: join(root, 'data'), state: join(root, 'state') }
    const half = join(folders.state, `${name}.fc3157086cca`)
    mkdirSync(dirname(half), { recursive: true })
    writeFileSync(half, CANARY)
    const options = { folders, tasks: { isFree: () => true }, wrapped: false, originals: temporaryFolder() }
    removeLeftovers({ ...options, began: Date.now() + 60_000, warn: () => {} })
    expect(existsSync(half)).toBe(false)
  })

  it('stays: a file that a command writes while the server starts', () => {
    const root = temporaryFolder()
    const folders = { root, sysconf: join(root, 'sysconf'), data: join(root, 'data'), state: join(root, 'state') }
    mkdirSync(folders.state)
    const half = join(folders.state, '.users.json.fc3157086cca')
    writeFileSync(half, CANARY)
    const options = { folders, tasks: { isFree: () => true }, wrapped: false, originals: temporaryFolder() }
    removeLeftovers({ ...options, began: Date.now() - 60_000, warn: () => {} })
    expect(existsSync(half)).toBe(true)
    removeLeftovers({ ...options, began: Date.now() + 60_000, warn: () => {} })
    expect(existsSync(half)).toBe(false)
  })
})
