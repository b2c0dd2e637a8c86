// The fault table: each persisted step of each task, made to fail in three ways, on the real server. What has to be true afterwards stands
// in LEGAL; it has to come true by itself, and the next try has to work. The steps are read from the scripts: a new one is a new row.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Task } from '../../src/tasks/task.ts'
import { FIXTURES, installation, REPOSITORY, type Server, startServer } from './appliance.ts'
import { file, until } from './client.ts'

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

const tasks = (server: Server): Task[] =>
  readdirSync(join(server.folders.state, 'tasks'))
    .sort()
    .map((id) => JSON.parse(readFileSync(join(server.folders.state, 'tasks', id, 'status.json'), 'utf8')) as Task)
const final = (task: Task | undefined) => task && !['pending', 'running'].includes(task.status)
const ended = (server: Server, count: number) =>
  until(`${count} tasks ended`, () => {
    const all = tasks(server)
    return all.length === count && all.every(final) ? all.at(-1) : undefined
  })

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
  installation()
})

describe.concurrent('each persisted step × each fault ends in a legal state by itself, and the next try works', () => {
  test.for(rows)('$kind: $fault at $step', { timeout: 120_000 }, async ({ kind, step, fault }, { expect }) => {
    const { start, state } = KINDS[kind] as Kind
    const environment: Record<string, string> = { EDGE_FAULT: `${step}=${fault === 'server' ? 'pause' : fault}` }
    const options = { fixtureKeys: true, environment }
    let server = await startServer(options)
    try {
      const before = state(server)
      const request = start(server)
      if (fault === 'server') {
        const paused = await until('the script is at its step', () => {
          const id = readdirSync(join(server.folders.state, 'tasks'))[0]
          const marker = id && join(server.folders.state, 'tasks', id, 'paused')
          return marker && existsSync(marker) ? marker : undefined
        })
        // Caught from the start: the script may be at its step before the answer is here, and then it never comes.
        const settled = request.catch(() => undefined)
        await server.kill('SIGKILL')
        await settled
        delete environment['EDGE_FAULT']
        server = await server.again()
        rmSync(paused)
      } else {
        await request
      }
      const task = await ended(server, 1)
      const end: End = { kind, changed: state(server) !== before, status: task.status }
      expect(
        Object.values(LEGAL).some((legal) => legal(end)),
        JSON.stringify(end),
      ).toBe(true)
      // A server that dies takes no task with it.
      if (fault === 'server') expect(end).toMatchObject({ changed: true, status: 'completed' })
      if (kind === 'update' && task.status !== 'completed') {
        const status = JSON.parse((await server.call('GET', '/update')).body) as Record<string, unknown>
        expect(status).toMatchObject({ status: 'failed', 'error-code': expect.stringMatching(/^E100[02]$/) })
      }
      if (fault !== 'server') {
        await server.kill('SIGTERM')
        delete environment['EDGE_FAULT']
        server = await server.again()
      }
      writeFileSync(join(server.folders.root, 'etc/version.txt'), '1.0.0\n')
      rmSync(join(server.folders.data, 'etc/restored.conf'), { force: true })
      // A script that this server did not start itself may hold its lock for a moment after its last word.
      await until('the next try is taken', async () => {
        await start(server)
        return tasks(server).length === 2
      })
      expect(await ended(server, 2)).toMatchObject({ status: 'completed' })
    } finally {
      await server.close()
    }
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
