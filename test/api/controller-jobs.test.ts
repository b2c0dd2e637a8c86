// Jobs: the tasks of the appliance in the controller's words. The scripts here are our own, and wait for a file of the
// test's, so that nothing sleeps and every state can be seen.
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Role } from '../../src/auth/principal.ts'
import { UserStore } from '../../src/auth/users.ts'
import { type InProcess, startAppliance, temporaryFolder } from './appliance.ts'
import { until } from './client.ts'
import { addCaller, ask, type Caller, ON } from './controller.ts'

const JOBS = '/api/v1/jobs'
const status = (state: string, message = '') =>
  `printf '{"id":"%s","kind":"logs","status":"${state}","progress":40,"message":"${message}","created_at":"2026-01-01T00:00:00Z","started_at":"2026-01-01T00:00:01Z"}' "\${2##*/}" >"$2/next" && mv "$2/next" "$2/status.json"`

/** `run` goes on until the file `go` is there; `cancel` ends it. */
function scripts(): string {
  const folder = temporaryFolder()
  writeFileSync(
    join(folder, 'logs.sh'),
    `#!/bin/sh
case "$1" in
run)
  exec 9>"$EDGE_STATEDIR/locks/logs.lock"; flock -n 9 || exit 1
  ${status('running', 'half way')}
  while [ -d "$2" ] && [ ! -e "$2/go" ] && [ ! -e "$2/stop" ]; do sleep 0.05; done
  [ -e "$2/stop" ] || ${status('completed', 'done')} ;;
cancel) : >"$2/stop"; ${status('cancelled')} ;;
recover) ${status('interrupted')} ;;
esac
`,
  )
  chmodSync(join(folder, 'logs.sh'), 0o755)
  return folder
}

let appliance: InProcess
const callers = {} as Record<Role, Caller>
beforeAll(async () => {
  appliance = await startAppliance({ ...ON, scripts: scripts() })
})
afterAll(() => appliance?.close())
beforeEach(async () => {
  new UserStore(appliance.folders).change((all) => all.splice(1))
  for (const role of ['viewer', 'operator', 'administrator'] as const)
    callers[role] = await addCaller(appliance.folders, role)
})

const as = (role: Role, method: string, path: string) =>
  ask(appliance.url, method, path, { bearer: callers[role].token })
const folderOf = (id: string) => join(appliance.folders.state, 'tasks', id)
async function start(): Promise<string> {
  const task = await appliance.app.tasks.start('logs', { by: { name: 'test', address: 'local' } })
  expect(task).toBeDefined()
  await until('it runs', async () => (await as('viewer', 'GET', `${JOBS}/${task!.id}`)).json.status === 'running')
  return task!.id
}
const finish = async (id: string) => {
  writeFileSync(join(folderOf(id), 'go'), '')
  await appliance.app.tasks.wait(id)
}

describe('a job', () => {
  it('is shown as the contract has it, and ?wait= answers when it has changed', async () => {
    const id = await start()
    expect((await as('viewer', 'GET', `${JOBS}/${id}`)).json).toEqual({
      id,
      type: 'logs',
      status: 'running',
      progress: 40,
      message: 'half way',
      created_at: '2026-01-01T00:00:00Z',
      started_at: '2026-01-01T00:00:01Z',
    })
    const waiting = as('viewer', 'GET', `${JOBS}/${id}?wait=30`)
    await finish(id)
    expect((await waiting).json).toMatchObject({ id, status: 'completed', message: 'done' })
    expect((await as('viewer', 'GET', `${JOBS}/${id}?wait=300`)).json.status).toBe('completed')
    for (const wait of ['301', '-1', 'x', '1e3'])
      expect((await as('viewer', 'GET', `${JOBS}/${id}?wait=${wait}`)).status).toBe(400)
  })

  it('is in the list, filtered by its status', async () => {
    const id = await start()
    const ids = async (query: string) =>
      ((await as('viewer', 'GET', `${JOBS}${query}`)).json as { id: string }[]).map((job) => job.id)
    expect((await ids(''))[0]).toBe(id)
    expect(await ids('?status=running')).toEqual([id])
    expect(await ids('?status=completed')).not.toContain(id)
    await finish(id)
    expect(await ids('?status=running')).toEqual([])
    expect((await ids('?status=completed'))[0]).toBe(id)
    for (const query of ['?status=interrupted', '?status=', '?state=running'])
      expect((await as('viewer', 'GET', `${JOBS}${query}`)).status).toBe(400)
  })

  it('of the admin surface is cancelled by an administrator only, once, with one audit line', async () => {
    const id = await start()
    const path = `${JOBS}/${id}/cancel`
    for (const role of ['viewer', 'operator'] as const) {
      const before = appliance.audit().length
      expect((await as(role, 'POST', path)).json.code).toBe('FORBIDDEN')
      expect(appliance.audit().slice(before)).toHaveLength(1)
      expect(existsSync(join(folderOf(id), 'stop'))).toBe(false)
    }
    const before = appliance.audit().length
    const { status, json } = await as('administrator', 'POST', path)
    expect([status, json.status]).toEqual([200, 'cancelled'])
    expect(appliance.audit().slice(before)).toEqual([
      expect.stringMatching(new RegExp(`,web,administrator,jobs\\.cancel,"jobs/${id}",127\\.0\\.0\\.1$`)),
    ])
    expect((await as('viewer', 'GET', `${JOBS}?status=cancelled`)).json).toHaveLength(1)
  })

  it('that has ended is not cancelled any more', async () => {
    const id = await start()
    await finish(id)
    const { status, json } = await as('administrator', 'POST', `${JOBS}/${id}/cancel`)
    expect([status, json]).toEqual([409, { code: 'CONFLICT', message: 'The job has ended', details: id }])
  })

  it('that died has failed, and says of what', async () => {
    const id = 'died-1'
    mkdirSync(folderOf(id), { recursive: true })
    const times = { created_at: '2026-01-01T00:00:00Z', started_at: '2026-01-01T00:00:01Z' }
    const task = { id, kind: 'logs', status: 'running', progress: 40, message: 'half way', ...times }
    writeFileSync(join(folderOf(id), 'status.json'), JSON.stringify(task))
    writeFileSync(join(folderOf(id), 'request.json'), '{"lock":"logs","args":[]}')
    expect((await as('viewer', 'GET', `${JOBS}/${id}`)).json).toMatchObject({ status: 'failed', error: 'interrupted' })
    const failed = (await as('viewer', 'GET', `${JOBS}?status=failed`)).json as { id: string }[]
    expect(failed.map((job) => job.id)).toEqual([id])
  })

  it('that is none is not found', async () => {
    for (const [method, path] of [
      ['GET', `${JOBS}/job-1`],
      ['POST', `${JOBS}/job-1/cancel`],
    ] as const) {
      const { status, json } = await as('administrator', method, path)
      expect([status, json]).toEqual([404, { code: 'NOT_FOUND', message: 'job not found', details: 'job-1' }])
    }
  })
})
