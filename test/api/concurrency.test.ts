// Many callers at once, and servers and scripts that are killed. Nothing here may depend on who is faster; each test
// holds the update where it wants it.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIXTURES, type InProcess, type Options, startAppliance, startServer } from './appliance.ts'
import { call, file, PREFIX, until } from './client.ts'
import { ended, go, goodPackage, reached, send, slowPackage, updateStatus } from './packages.ts'

const RUNNING =
  '{"Status":"400 Bad Request","Error-Message":"Update is already running","error-code":"E1004","First-Run":false}'

async function withAppliance(options: Options, test: (appliance: InProcess) => Promise<void>): Promise<void> {
  const appliance = await startAppliance(options)
  try {
    await test(appliance)
  } finally {
    // Whatever still waits for us ends before its folders go.
    go(appliance.folders)
    for (const task of appliance.app.tasks.list()) await appliance.app.tasks.wait(task.id)
    await appliance.close()
  }
}

/** Whether no task holds this lock any more: a status is final a moment before its script has gone. */
const free = ({ app }: InProcess, lock: string) => until(`the lock ${lock} is free`, () => !app.tasks.isRunning(lock))

const only = <T>(items: T[]): T => {
  expect(items).toHaveLength(1)
  return items[0] as T
}

describe('SEC-34 one update at a time', () => {
  it('takes exactly one of fifty parallel updates, and tells only of that one', () =>
    withAppliance({}, async (appliance) => {
      const bytes = await slowPackage(appliance.folders)
      const answers = await Promise.all(Array.from({ length: 50 }, () => send(appliance, bytes)))
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(1)
      for (const { status, body } of answers) {
        if (status !== 202) expect([status, body]).toEqual([400, RUNNING])
      }
      const at = await reached(appliance, 70)
      expect(at).toMatchObject({ status: 'running' })
      expect(at).not.toHaveProperty('error-code')
      const late = await send(appliance, bytes)
      expect([late.status, late.body]).toEqual([400, RUNNING])
      // The log goes on by itself.
      expect({ ...(await updateStatus(appliance)), log: '' }).toEqual({ ...at, log: '' })
      expect(appliance.incoming()).toEqual([])
      go(appliance.folders)
      const end = await ended(appliance)
      expect(end).toMatchObject({ status: 'success', percentage: 100 })
      expect(end).not.toHaveProperty('error-code')
      expect(appliance.app.tasks.list({ kind: 'update' })).toHaveLength(1)
    }))

  it('refuses a second update before its body is sent', () =>
    withAppliance({}, async (appliance) => {
      await send(appliance, await slowPackage(appliance.folders))
      await reached(appliance, 70)
      const { status, body } = await appliance.call('POST', '/update', {
        headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '1000000000' },
      })
      expect([status, body]).toEqual([400, RUNNING])
    }))

  it('refuses a second backup and a restore while a backup runs, and its status stays', () =>
    withAppliance({ environment: { EDGE_FAULT: 'backup-started=hang' } }, async (appliance) => {
      const start = () => appliance.call('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })
      expect((await start()).status).toBe(202)
      const before = await until('the backup runs', async () => {
        const { status, body } = await appliance.call('GET', '/backup')
        return status === 200 && body
      })
      expect((await start()).status).toBe(409)
      const archive = readFileSync(join(FIXTURES, 'backup_ok.tar'))
      const restore = await appliance.call('POST', '/backup/restore', { form: [file('archive', archive)] })
      expect([restore.status, JSON.parse(restore.body)['Error-Message']]).toEqual([
        409,
        'A backup or restore is already running',
      ])
      expect((await appliance.call('GET', '/backup')).body).toBe(before)
      const task = only(appliance.app.tasks.list({ kind: 'backup' }))
      expect((await appliance.app.tasks.cancel(task.id))?.status).toBe('cancelled')
      expect(appliance.app.tasks.isRunning('backup')).toBe(false)
    }))
})

describe('SEC-33 parallel changes', () => {
  it('of the settings leave those of a call that was accepted', () =>
    withAppliance({}, async (appliance) => {
      const names = Array.from({ length: 20 }, (_, i) => `host-${i}`)
      const answers = await Promise.all(
        names.map(async (hostname) => {
          const text = JSON.stringify({ network: { interface: 'eth0', hostname }, app: { hostname } })
          return { hostname, ...(await appliance.call('POST', '/settings', { form: [file('settings', text)] })) }
        }),
      )
      for (const { status } of answers) expect([202, 409]).toContain(status)
      const accepted = answers.filter(({ status }) => status === 202).map(({ hostname }) => hostname)
      expect(accepted.length).toBeGreaterThan(0)
      await free(appliance, 'settings')
      const { network, app } = JSON.parse((await appliance.call('GET', '/settings')).body)
      expect(accepted).toContain(network.hostname)
      expect(app.hostname).toBe(network.hostname)
    }))
})

describe('SEC-12 parallel set-ups', () => {
  const race = (appliance: InProcess, query: Record<string, string>) =>
    Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const form = [{ name: 'newtoken', value: `token-${i}` }]
        const { status } = await call(appliance.url, 'POST', `${PREFIX}/setup`, {
          form,
          query,
          from: `127.0.1.${i + 1}`,
        })
        return { token: `token-${i}`, status }
      }),
    )

  async function check(appliance: InProcess, answers: { token: string; status: number }[]): Promise<void> {
    const winner = only(answers.filter(({ status }) => status === 200))
    for (const { token, status } of answers) {
      if (token !== winner.token) expect(status).toBe(403)
      const { status: entered } = await call(appliance.url, 'GET', `${PREFIX}/version`, { token, from: '127.0.2.1' })
      expect([token, entered]).toEqual([token, token === winner.token ? 200 : 403])
      appliance.app.backOff.succeed('127.0.2.1')
    }
    const lines = appliance.audit()
    expect(lines.filter((line) => line.includes('token.update.success'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('token.setup.failed'))).toHaveLength(49)
  }

  it('of an appliance that is open: exactly one wins', () =>
    withAppliance({ token: null, config: { 'first-run': { enabled: false } } }, async (appliance) =>
      check(appliance, await race(appliance, {})),
    ))

  it('with the phrase of the first run: exactly one wins, and the phrase is worth nothing afterwards', () =>
    withAppliance({ token: null }, async (appliance) => {
      const phrase = readFileSync(join(appliance.folders.root, 'etc/api.token.setup'), 'utf8').trim()
      await check(appliance, await race(appliance, { token: phrase }))
      expect(readFileSync(join(appliance.folders.root, 'etc/api.token.setup'), 'utf8')).toBe('')
      const again = await call(appliance.url, 'POST', `${PREFIX}/setup`, {
        token: phrase,
        form: [{ name: 'newtoken', value: 'late' }],
        from: '127.0.3.1',
      })
      expect(again.status).toBe(403)
    }))

  it('without the phrase is refused while the first run is pending', () =>
    withAppliance({ token: null }, async (appliance) => {
      const form = [{ name: 'newtoken', value: 'taken' }]
      const { status, body } = await call(appliance.url, 'POST', `${PREFIX}/setup`, { form })
      expect([status, JSON.parse(body)]).toEqual([
        403,
        { Status: '403 Forbidden', 'Error-Message': 'Expected the phrase that the appliance made, as token or hash' },
      ])
    }))
})

describe('an update', () => {
  it('goes on when the server is killed, and the next server tells of it', async () => {
    const first = await startServer()
    const bytes = await slowPackage(first.folders)
    expect((await send(first, bytes)).status).toBe(202)
    await reached(first, 70)
    await first.kill('SIGKILL')
    const second = await first.again()
    try {
      expect(await updateStatus(second)).toMatchObject({ status: 'running', percentage: 70 })
      const refused = await send(second, bytes)
      expect([refused.status, refused.body]).toEqual([400, RUNNING])
      go(second.folders)
      expect(await ended(second)).toMatchObject({ status: 'success', percentage: 100 })
      expect((await second.call('GET', '/version')).body).toBe('{"version":"2.0.0"}')
    } finally {
      go(second.folders)
      await second.close()
    }
  })

  it('that was killed with the server is told as failed by the next server', async () => {
    const first = await startServer()
    await send(first, await slowPackage(first.folders))
    await reached(first, 70)
    const pid = scriptOf(first.folders.state)
    await first.kill('SIGKILL')
    process.kill(-pid, 'SIGKILL')
    const second = await first.again()
    try {
      expect(await ended(second)).toMatchObject({ status: 'failed', percentage: 70, 'error-code': 'E1002' })
    } finally {
      await second.close()
    }
  })

  for (const [what, signal] of [
    ['alone', (pid: number) => process.kill(pid, 'SIGKILL')],
    ['with everything it started', (pid: number) => process.kill(-pid, 'SIGKILL')],
  ] as const) {
    it(`whose script is killed ${what} fails by itself, and the next one works`, () =>
      withAppliance({}, async (appliance) => {
        await send(appliance, await slowPackage(appliance.folders))
        await reached(appliance, 70)
        signal(scriptOf(appliance.folders.state))
        expect(await ended(appliance)).toMatchObject({
          status: 'failed',
          percentage: 70,
          'error-message': expect.stringMatching(
            /^The update was interrupted while .*: version\.txt says 1\.0\.0, as before$/,
          ),
          'error-code': 'E1002',
        })
        await free(appliance, 'update')
        expect((await send(appliance, await goodPackage(appliance.folders))).status).toBe(202)
        expect(await ended(appliance)).toMatchObject({ status: 'success', percentage: 100 })
        expect(await updateStatus(appliance)).not.toHaveProperty('error-code')
      }))
  }

  it('SEC-35 that died, and that nobody has seen die, gets its end before the next one may begin', () =>
    withAppliance({}, async (appliance) => {
      const { folders } = appliance
      const id = '20240101T000000000Z-00000000'
      const folder = join(folders.state, 'tasks', id)
      mkdirSync(folder)
      const task = {
        id,
        kind: 'update',
        status: 'running',
        progress: 10,
        message: '',
        created_at: '2024-01-01T00:00:00Z',
      }
      writeFileSync(join(folder, 'request.json'), JSON.stringify({ id, kind: 'update', lock: 'update', args: [] }))
      writeFileSync(join(folder, 'status.json'), JSON.stringify(task))
      const bytes = await goodPackage(folders)
      const early = await send(appliance, bytes)
      expect([early.status, early.body]).toEqual([400, RUNNING])
      await until('the dead one has its end', () => appliance.app.tasks.get(id)?.status === 'interrupted')
      await until('the next one is taken', async () => (await send(appliance, bytes)).status === 202)
      expect(await ended(appliance)).toMatchObject({ status: 'success', percentage: 100 })
      expect(appliance.app.tasks.get(id)).toMatchObject({ status: 'interrupted', error: { code: 'E1000' } })
    }))

  it('that fails before its package ran says E1000 when its script is killed', () =>
    withAppliance({ environment: { EDGE_FAULT: 'update-decrypted=kill' } }, async (appliance) => {
      await send(appliance, await goodPackage(appliance.folders))
      expect(await ended(appliance)).toMatchObject({
        status: 'failed',
        'error-code': 'E1000',
        'error-message': 'Script error',
      })
    }))

  it('that hangs can be cancelled, and leaves nothing running', () =>
    withAppliance({}, async (appliance) => {
      await send(appliance, await slowPackage(appliance.folders))
      await reached(appliance, 70)
      const pid = scriptOf(appliance.folders.state)
      const task = only(appliance.app.tasks.list({ kind: 'update' }))
      expect((await appliance.app.tasks.cancel(task.id))?.status).toBe('cancelled')
      expect((await updateStatus(appliance)).status).toBe('failed')
      expect(existsSync(`/proc/${pid}`)).toBe(false)
      expect(appliance.app.tasks.isRunning('update')).toBe(false)
    }))

  it('SEC-20 that was not signed is gone from the disk', () =>
    withAppliance({ fixtureKeys: true }, async (appliance) => {
      for (const name of ['pkg_garbage.enc', 'pkg_badsig.enc', 'pkg_nosig.enc', 'pkg_wrongkey.enc']) {
        await free(appliance, 'update')
        expect((await send(appliance, readFileSync(join(FIXTURES, name)))).status).toBe(202)
        expect([name, await ended(appliance)]).toMatchObject([name, { status: 'failed', 'error-code': 'E1005' }])
        expect(readdirSync(join(appliance.folders.root, 'home/sftp/uploads'))).toEqual([])
      }
    }))
})

describe('?wait=', () => {
  it('holds the answer until the state changes', () =>
    withAppliance({}, async (appliance) => {
      await send(appliance, await slowPackage(appliance.folders))
      const before = await reached(appliance, 70)
      let answered = false
      const held = appliance.call('GET', '/update', { query: { wait: '30' } }).then((answer) => {
        answered = true
        return JSON.parse(answer.body)
      })
      // Others are served meanwhile, and it is still held after them.
      for (let i = 0; i < 20; i++) expect((await appliance.call('GET', '/version')).status).toBe(200)
      expect(answered).toBe(false)
      go(appliance.folders)
      expect((await held).percentage).toBeGreaterThan(before.percentage ?? 0)
    }))

  it('answers at once where nothing is under way', () =>
    withAppliance({}, async (appliance) => {
      expect((await appliance.call('GET', '/update', { query: { wait: '300' } })).body).toBe(
        '{"status":null,"log":null}',
      )
      expect((await appliance.call('GET', '/certs', { query: { wait: '300' } })).body).toBe(
        '{"status":null,"log":null}',
      )
    }))

  it('is refused when it is no number of seconds up to 300', () =>
    withAppliance({}, async (appliance) => {
      for (const wait of ['301', '-1', '1.5', 'x', '', '1e2', '0x1', ' 1']) {
        const { status, body } = await appliance.call('GET', '/update', { query: { wait } })
        expect([wait, status, JSON.parse(body)['Error-Message']]).toEqual([wait, 400, 'Invalid value for option: wait'])
      }
      // Taken by the endpoints that have it only.
      expect((await appliance.call('GET', '/version', { query: { wait: '1' } })).status).toBe(400)
    }))
})

describe('a script', () => {
  it('that is not there is a clear error, and the server goes on', async () => {
    const scripts = join(FIXTURES, 'no-such-folder')
    await withAppliance({ scripts }, async (appliance) => {
      const answers = await Promise.all([
        send(appliance, Buffer.from('x')),
        appliance.call('POST', '/backup', { form: [{ name: 'action', value: 'START' }] }),
        appliance.call('GET', '/logs'),
        appliance.call('POST', '/reboot'),
      ])
      for (const { status, body } of answers) {
        expect([status, JSON.parse(body)]).toEqual([
          503,
          {
            Status: '503 Service Unavailable',
            'Error-Message': 'The script for this is not installed',
            'First-Run': false,
          },
        ])
      }
      expect(appliance.incoming()).toEqual([])
      expect(readdirSync(join(appliance.folders.root, 'home/sftp/uploads'))).toEqual([])
      expect(readdirSync(join(appliance.folders.state, 'tasks'))).toEqual([])
      expect((await appliance.call('GET', '/version')).status).toBe(200)
      // And it is not taken for one that runs.
      expect((await send(appliance, Buffer.from('x'))).status).toBe(503)
    })
  })
})

/** The leader of the running update's session. */
function scriptOf(state: string): number {
  const tasks = join(state, 'tasks')
  const id = only(
    readdirSync(tasks).filter((name) => readFileSync(join(tasks, name, 'status.json'), 'utf8').includes('"running"')),
  )
  return Number(readFileSync(join(tasks, id, 'pid'), 'utf8').split(' ')[0])
}
