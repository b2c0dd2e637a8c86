// The fault table: each persisted step of each task, made to fail in three ways, on the real server. What has to be true afterwards stands
// in LEGAL; it has to come true by itself, and the next try has to work. The steps are read from the scripts: a new one is a new row.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Task } from '../../src/tasks/task.ts'
import { FIXTURES, REPOSITORY, type Server, startServer } from './appliance.ts'
import { file, until } from './client.ts'
import { faultyInstallation, remember, setFault } from './fault-file.ts'

type Fault = 'error' | 'kill' | 'server'
const FAULTS: Fault[] = ['error', 'kill', 'server']

interface Kind {
  /** Starts the work through the API. */
  start: (server: Server) => Promise<unknown>
  /** What the work changes, as text: compared before and after. */
  state: (server: Server) => string
  /** What is true when nothing was changed may still differ here: the update's own script has run. */
  mayHaveRun?: boolean
}

const fixture = (name: string) => readFileSync(join(FIXTURES, name))
const texts = (files: string[]) =>
  files.map((name) => (existsSync(name) ? readFileSync(name, 'utf8') : '(none)')).join('\n--\n')
const settings = JSON.stringify({ network: { interface: 'eth9', hostname: 'new.host' }, app: { name: 'new' } })
const storage = JSON.stringify({ storage: { type: 'nfs', mount_options: 'sync', ip: '192.0.2.7', share: '/new' } })

const KINDS: Record<string, Kind> = {
  update: {
    start: (server) => server.call('POST', '/update', { form: [file('update', fixture('pkg_ok.enc'))] }),
    state: ({ folders }) => texts([join(folders.root, 'etc/version.txt')]),
    mayHaveRun: true,
  },
  settings: {
    start: (server) => server.call('POST', '/settings', { form: [file('settings', settings)] }),
    state: ({ folders }) =>
      texts([
        join(folders.root, 'etc/app.json'),
        join(folders.root, 'etc/network.json'),
        join(folders.sysconf, 'network.conf'),
      ]),
  },
  storage: {
    start: (server) => server.call('POST', '/storage', { form: [file('settings', storage)] }),
    state: ({ folders }) => texts([join(folders.root, 'etc/storage.json'), join(folders.sysconf, 'storage.conf')]),
  },
  certs: {
    start: (server) =>
      server.call('POST', '/certs', { form: [file('public', fixture('ec.pem')), file('private', fixture('ec.key'))] }),
    state: ({ folders }) =>
      texts(
        ['private/enterprise.key', 'certs/enterprise.crt', 'enterprise.pem'].map((name) =>
          join(folders.sysconf, 'pki/tls', name),
        ),
      ),
  },
  backup: {
    start: (server) => server.call('POST', '/backup', { form: [{ name: 'action', value: 'START' }] }),
    // A finished backup is told by its status; a failed one leaves no archive.
    state: ({ folders }) =>
      existsSync(join(folders.root, 'home/sftp/uploads/backup.tar')) ? 'an archive' : 'no archive',
  },
  restore: {
    start: (server) =>
      server
        .call('POST', '/backup/restore', { form: [file('archive', fixture('backup_ok.tar'))] })
        .catch(() => undefined),
    state: ({ folders }) => texts([join(folders.data, 'etc/restored.conf'), join(folders.data, 'etc/app.conf')]),
  },
}

/** kind → its checkpoints, out of the scripts themselves. */
const steps = (kind: string) =>
  [...readFileSync(join(REPOSITORY, 'scripts', `${kind}.sh`), 'utf8').matchAll(/^\s*checkpoint ([a-z-]+)/gm)].map(
    ([, name]) => name as string,
  )
/** A step of a deletion, which is no row here (test/scripts/backup.test.ts). */
const OTHERS = ['backup-stopping']
const rows = Object.keys(KINDS).flatMap((kind) =>
  [
    ...steps(kind).filter((step) => !OTHERS.includes(step)),
    ...(kind === 'update' || kind === 'backup' ? [] : ['swap-planned', 'swap-saved', 'swap-placed', 'swap-all-placed']),
  ].flatMap((step) =>
    FAULTS.filter((fault) => fault !== 'server' || !step.startsWith('swap-')).map((fault) => ({ kind, step, fault })),
  ),
)

const tasksOf = ({ folders }: Server) => readdirSync(join(folders.state, 'tasks')).sort()
const read = ({ folders }: Server, id: string) =>
  JSON.parse(readFileSync(join(folders.state, 'tasks', id, 'status.json'), 'utf8')) as Task
const logOf = ({ folders }: Server, { id }: Task) => readFileSync(join(folders.state, 'tasks', id, 'log'), 'utf8')
const isFinal = ({ status }: Task) => !['pending', 'running'].includes(status)

/** A script holds its lock for a moment after it has written its status; the server's answers wait for that, the file does not. */
const isFree = ({ folders }: Server) =>
  readdirSync(join(folders.state, 'locks')).every(
    (name) => spawnSync('flock', ['-n', join(folders.state, 'locks', name), 'true']).status === 0,
  )

/** Servers that no row uses now. A row leaves one behind that is as it was at its start, but for the tasks that have ended. */
const idle: { server: Server; putBack: () => void }[] = []
afterAll(() => Promise.all(idle.map(({ server }) => server.close())))
async function anyServer(): Promise<(typeof idle)[number]> {
  const free = idle.pop()
  if (free) return free
  const server = await startServer({ fixtureKeys: true, installed: faultyInstallation() })
  return { server, putBack: remember(server.folders) }
}

/** The end states that are legal: all or nothing, and the status says which. */
const LEGAL = {
  'done, and says so': ({ changed, status }: End) => changed && status === 'completed',
  'as before, and says it failed': ({ changed, status }: End) => !changed && ['failed', 'interrupted'].includes(status),
  'the package’s own script ran, and the status says it failed': ({ kind, status }: End) =>
    KINDS[kind]?.mayHaveRun === true && ['failed', 'interrupted'].includes(status),
}
interface End {
  kind: string
  changed: boolean
  status: Task['status']
}

beforeAll(() => {
  faultyInstallation()
})

describe.concurrent('each persisted step × each fault ends in a legal state by itself, and the next try works', () => {
  test.for(rows)('$kind: $fault at $step', { timeout: 120_000 }, async ({ kind, step, fault }, { expect }) => {
    const { start, state } = KINDS[kind] as Kind
    const used = await anyServer()
    let { server } = used
    try {
      const older = tasksOf(server)
      const ids = () => tasksOf(server).filter((id) => !older.includes(id))
      const ended = (count: number) =>
        until(`${count} tasks ended`, () => {
          const all = ids().map((id) => read(server, id))
          return all.length === count && all.every(isFinal) ? all.at(-1) : undefined
        })
      const before = state(server)
      setFault(server.folders, `${step}=${fault === 'server' ? 'pause' : fault}`)
      const request = start(server)
      if (fault === 'server') {
        const paused = await until('the script is at its step', () => {
          const [id] = ids()
          const marker = id && join(server.folders.state, 'tasks', id, 'paused')
          return marker && existsSync(marker) ? marker : undefined
        })
        // Caught from the start: the script may be at its step before the answer is here, and then it never comes.
        const settled = request.catch(() => undefined)
        await server.kill('SIGKILL')
        await settled
        setFault(server.folders)
        server = await server.again()
        rmSync(paused)
      } else {
        await request
      }
      const task = await ended(1)
      const end: End = { kind, changed: state(server) !== before, status: task.status }
      expect(
        Object.values(LEGAL).some((legal) => legal(end)),
        JSON.stringify(end),
      ).toBe(true)
      // A server that dies takes no task with it.
      if (fault === 'server') expect(end).toMatchObject({ changed: true, status: 'completed' })
      else if (task.status === 'completed')
        expect(logOf(server, task), 'the fault struck').toContain(`fault at ${step}`)
      if (kind === 'update' && task.status !== 'completed') {
        const status = JSON.parse((await server.call('GET', '/update')).body) as Record<string, unknown>
        expect(status).toMatchObject({ status: 'failed', 'error-code': expect.stringMatching(/^E100[02]$/) })
      }
      setFault(server.folders)
      writeFileSync(join(server.folders.root, 'etc/version.txt'), '1.0.0\n')
      rmSync(join(server.folders.data, 'etc/restored.conf'), { force: true })
      // A script that this server did not start itself may hold its lock for a moment after its last word.
      await until('the next try is taken', async () => {
        await start(server)
        return ids().length === 2
      })
      expect(await ended(2)).toMatchObject({ status: 'completed' })
    } catch (error) {
      await server.close()
      throw error
    }
    await until('the script lets go of its lock', () => isFree(server))
    used.putBack()
    idle.push({ ...used, server })
  })
})

describe('set-up', () => {
  const works = async (server: Server, token: string) =>
    (await server.call('GET', '/version', { token })).status === 200
  const phraseOf = ({ folders }: Server) => readFileSync(join(folders.root, 'etc/api.token.setup'), 'utf8').trim()

  test.for(
    ['setup-started', 'setup-stored', 'setup-ended'].flatMap((step) =>
      (['error', 'kill'] as const).map((fault) => ({ step, fault })),
    ),
  )('$fault at $step leaves one credential that works: the phrase, or the new token', async ({ step, fault }) => {
    const environment: Record<string, string> = { EDGE_FAULT: `${step}=${fault}` }
    let server = await startServer({ token: null, environment })
    try {
      const phrase = phraseOf(server)
      await server
        .call('POST', '/setup', { token: phrase, form: [{ name: 'newtoken', value: 'brand-new' }] })
        .catch(() => undefined)
      await server.kill('SIGKILL')
      delete environment['EDGE_FAULT']
      server = await server.again()
      if (!(await works(server, 'brand-new'))) {
        const again = await server.call('POST', '/setup', {
          token: phrase,
          form: [{ name: 'newtoken', value: 'brand-new' }],
        })
        expect(again.status).toBe(200)
      }
      expect(await works(server, 'brand-new')).toBe(true)
      expect(
        (await server.call('POST', '/setup', { token: phrase, form: [{ name: 'newtoken', value: 'x' }] })).status,
      ).toBe(403)
    } finally {
      await server.close()
    }
  })

  test('a first run that was cut short goes on with the same phrase', async () => {
    const environment: Record<string, string> = { EDGE_FAULT: 'first-run-written=kill' }
    await expect(startServer({ token: null, environment })).rejects.toThrow()
    // The folders of that appliance are gone from our sight; the same cut, made by hand:
    const server = await startServer({
      token: null,
      prepare: ({ root }) => writeFileSync(join(root, 'etc/api.token.setup'), 'a-phrase-of-four\n'),
    })
    try {
      expect(phraseOf(server)).toBe('a-phrase-of-four')
      const answer = await server.call('POST', '/setup', {
        token: 'a-phrase-of-four',
        form: [{ name: 'newtoken', value: 'brand-new' }],
      })
      expect(answer.status).toBe(200)
    } finally {
      await server.close()
    }
  })
})
