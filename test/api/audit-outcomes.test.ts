// SEC-31: what is answered with 202 has two entries, and the second one says how it ended: also for what was refused, cancelled or killed, and
// also when the server that answered is gone by then.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { file, until } from './client.ts'
import { addCaller, ask, type Caller, ON } from './controller.ts'

let appliance: InProcess
let administrator: Caller
beforeAll(async () => {
  appliance = await startAppliance(ON)
  administrator = await addCaller(appliance.folders, 'administrator', 'root')
})
afterAll(() => appliance?.close())

interface Logged {
  actor: string
  action: string
  result: string
  message?: string
  request_id?: string
}
const entries = async (resource: string): Promise<Logged[]> =>
  (
    await ask(appliance.url, 'GET', `/api/v1/audit?limit=1000&resource=${resource}`, { bearer: administrator.token })
  ).json.reverse()
const short = (all: Logged[]) => all.map(({ actor, action, result, message }) => [actor, action, result, message])

describe('SEC-31 what is answered with 202', () => {
  const text = Buffer.from('neither a package nor a certificate')
  const start = { form: [{ name: 'action', value: 'START' }] }
  it.each([
    ['update', () => ({ form: [file('update', text)] }), /^failed: Error decrypting/],
    ['backup', () => start, undefined],
    ['reboot', () => ({}), undefined],
  ])('on /%s has an entry of its begin, and one of its end', async (name, options, failure) => {
    const answer = await appliance.call('POST', `/${name}`, options())
    expect(answer.status).toBe(202)
    const found = await until('the end is entered', async () => {
      const all = await entries(`admin/${name}`)
      return all.length > 1 && all
    })
    expect(short(found)).toEqual([
      ['token', `${name}.post.accepted`, 'success', name === 'backup' ? 'START' : undefined],
      [
        'token',
        `${name}.post`,
        failure ? 'failure' : 'success',
        failure ? expect.stringMatching(failure) : name === 'backup' ? 'START' : undefined,
      ],
    ])
    expect(found[1]?.request_id).toBe(answer.headers['x-request-id'])
    const lines = appliance.audit().map((line) => line.split(',').slice(3, 5).join(','))
    expect(lines).toContain(`admin,${name}.post`)
    expect(lines).toContain(`admin,${name}.post.${failure ? 'failed' : 'success'}`)
  })

  it('is entered once when the server that began it was killed, whether before the entry or after it', async () => {
    const { tasks } = appliance.app
    const owed = (request: string) => ({
      ...{ event: 'certs.post.success', target: '', resource: 'admin/killed', actor: 'admin', account: 'token' },
      ...{ address: '192.0.2.1', request },
    })
    const leave = async (id: string, request: string) => {
      const task = await tasks.start('logs', { by: { name: 'token', address: '192.0.2.1' } })
      return tasks.wait(task?.id ?? '').then((ended) => {
        const folder = join(appliance.folders.state, 'tasks', `${ended?.id.slice(0, 8)}${id}`)
        mkdirSync(folder)
        writeFileSync(
          join(folder, 'status.json'),
          JSON.stringify({ ...ended, created_at: '2020-01-01T00:00:00Z', id: folder.split('/').at(-1), kind: 'certs' }),
        )
        writeFileSync(join(folder, 'request.json'), JSON.stringify({ lock: 'certs', args: [] }))
        writeFileSync(join(folder, 'owed'), JSON.stringify(owed(request)))
      })
    }
    await leave('T000000001Z-00000001', 'gone-1')
    await tasks.sweep()
    expect(short(await entries('admin/killed'))).toEqual([['token', 'certs.post', 'success', undefined]])
    // The same once more: entered before the kill, and not yet taken away.
    await leave('T000000001Z-00000002', 'gone-1')
    await tasks.sweep()
    expect(await entries('admin/killed')).toHaveLength(1)
    await leave('T000000001Z-00000003', 'gone-2')
    await tasks.sweep()
    expect(await entries('admin/killed')).toHaveLength(2)
    const folder = join(appliance.folders.state, 'tasks')
    expect(readdirSync(folder).filter((id) => readdirSync(join(folder, id)).includes('owed'))).toEqual([])
  })

  it('and what its request waits for has one, under the same name whether it succeeds or not', async () => {
    const answer = await appliance.call('POST', '/backup/restore', { form: [file('archive', text)] })
    expect(answer.status).toBe(400)
    expect((await appliance.call('GET', '/logs')).status).toBe(200)
    const pair = { form: [file('public', text), file('private', text)] }
    expect((await appliance.call('POST', '/certs', pair)).status).toBe(400)
    expect(short(await entries('admin/certs'))).toEqual([
      ['token', 'certs.post', 'failure', expect.stringMatching(/^400 /)],
    ])
    expect(short(await entries('admin/backup/restore'))).toEqual([
      ['token', 'backup.restore', 'failure', expect.stringMatching(/^400 /)],
    ])
    expect(short(await entries('admin/logs'))).toEqual([['token', 'logs.get', 'success', 'logs.tar.gz']])
  })
})
