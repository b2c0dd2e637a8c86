// Idempotency-Key on the POSTs of the controller surface. "done once" is counted in what is stored, never in the
// answers.
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { readSecret } from '../../src/auth/jwt.ts'
import type { Role } from '../../src/auth/principal.ts'
import { UserStore } from '../../src/auth/users.ts'
import type { Folders } from '../../src/folders.ts'
import { Answers } from '../../src/http/pipeline/idempotency.ts'
import { json as jsonReply } from '../../src/http/reply/reply.ts'
import { TestClock } from '../harness/clock.ts'
import { type InProcess, type Server, startAppliance, startServer, temporaryFolder } from './appliance.ts'
import { until } from './client.ts'
import { addCaller, ask, type Caller, ON, PASSWORD } from './controller.ts'
import { runOnSmallDisk } from './small-disk.ts'

const USERS = '/api/v1/users'
let appliance: InProcess
let admin: Caller
beforeAll(async () => {
  appliance = await startAppliance(ON)
  admin = await addCaller(appliance.folders, 'administrator')
})
afterAll(() => appliance?.close())

let last = 0
const fresh = () => `name-${++last}`
const post = (
  key: string,
  username: string,
  { url, token = admin.token, ...more }: { url?: string; token?: string; password?: string } = {},
) =>
  ask(url ?? appliance.url, 'POST', USERS, {
    bearer: token,
    headers: { 'idempotency-key': key },
    json: { username, password: PASSWORD, ...more },
  })
const named = (name: string, folders: Folders = appliance.folders) =>
  new UserStore(folders).all().filter(({ username }) => username === name).length
const folder = ({ state }: Folders = appliance.folders) => join(state, 'idempotency')

describe('a POST with an Idempotency-Key', () => {
  it('is answered the second time as the first time, is done once, and has a line in the audit log each time', async () => {
    const name = fresh()
    const lines = appliance.audit().length
    const first = await post('"k 1~"', name)
    const second = await post('"k 1~"', name)
    expect([first.status, second.status, second.json]).toEqual([201, 201, first.json])
    for (const header of ['location', 'etag', 'content-type'])
      expect(second.headers[header]).toBe(first.headers[header])
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([undefined, 'true'])
    expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id'])
    expect(named(name)).toBe(1)
    const target = `"users/${first.json.id}"`
    expect(
      appliance
        .audit()
        .slice(lines)
        .map((line) => line.split(',').slice(3, 6)),
    ).toEqual([
      ['administrator', 'users.create', target],
      ['administrator', 'users.create.replayed', target],
    ])
  })

  it('is refused with 422 when the key was used for another body, and done for another account', async () => {
    const name = fresh()
    const key = fresh()
    expect((await post(key, name)).status).toBe(201)
    const before = readFileSync(join(appliance.folders.state, 'users.json'), 'utf8')
    const other = await post(key, fresh())
    expect([other.status, other.json.code, other.json.details]).toEqual([422, 'UNPROCESSABLE', 'Idempotency-Key'])
    expect(appliance.audit().at(-1)).toContain(',users.create.refused,"422"')
    expect(readFileSync(join(appliance.folders.state, 'users.json'), 'utf8')).toBe(before)
    const somebody = await addCaller(appliance.folders, 'administrator', fresh())
    expect((await post(key, fresh(), { token: somebody.token })).status).toBe(201)
  })

  it('keeps nothing of an error: the next try is a first one', async () => {
    const [name, key] = [fresh(), fresh()]
    await post(fresh(), name)
    const records = readdirSync(folder()).length
    expect((await post(key, name)).status).toBe(409)
    expect(readdirSync(folder())).toHaveLength(records)
    new UserStore(appliance.folders).change((all) =>
      all.splice(
        all.findIndex(({ username }) => username === name),
        1,
      ),
    )
    expect((await post(key, name)).status).toBe(201)
  })

  it('takes a key of 1 to 255 printable characters, once', async () => {
    for (const key of ['', 'ä', 'a\tb', 'x'.repeat(256)]) {
      const { status, json } = await post(key, fresh())
      expect([key.slice(0, 9), status, json.code, json.details]).toEqual([
        key.slice(0, 9),
        400,
        'VALIDATION_ERROR',
        'Idempotency-Key',
      ])
    }
    const twice = await ask(appliance.url, 'POST', USERS, {
      bearer: admin.token,
      headers: { 'idempotency-key': ['a', 'b'] },
      json: { username: fresh(), password: PASSWORD },
    })
    expect(twice.status).toBe(400)
    expect((await post('~'.repeat(255), fresh())).status).toBe(201)
  })

  it('is not looked at by a login or a logout, and kept by no secret', async () => {
    const headers = { 'idempotency-key': 'k' }
    const records = readdirSync(folder()).length
    const { user, token } = await addCaller(appliance.folders, 'viewer', fresh())
    const login = { headers, json: { username: user.username, password: PASSWORD } }
    const [a, b] = [
      await ask(appliance.url, 'POST', '/api/v1/auth/login', login),
      await ask(appliance.url, 'POST', '/api/v1/auth/login', login),
    ]
    expect([a.status, b.status, a.json.token === b.json.token]).toEqual([200, 200, false])
    expect((await ask(appliance.url, 'POST', '/api/v1/auth/logout', { headers, bearer: token })).status).toBe(200)
    expect(readdirSync(folder())).toHaveLength(records)
    for (const name of readdirSync(folder())) {
      expect(name).toMatch(/^[0-9a-f]{64}\.json$/)
      const file = join(folder(), name)
      expect(readFileSync(file, 'utf8')).not.toContain(PASSWORD)
      expect(statSync(file).mode & 0o777).toBe(0o600)
    }
  })

  it('makes one thing of fifty that come at once: the others hear that it is under way, or what came of it', async () => {
    const [name, key] = [fresh(), fresh()]
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(key, name)))
    expect(named(name)).toBe(1)
    const made = answers.filter(({ status }) => status === 201)
    expect(made.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
    for (const { status, json, headers } of answers.filter((one) => !made.includes(one)))
      expect([status, json.code, headers['retry-after']]).toEqual([409, 'CONFLICT', '1'])
    expect((await post(key, name)).json).toEqual(made[0]?.json)
  })

  it('is refused on a full disk before anything is changed', () => {
    const seen = runOnSmallDisk('full-disk-key.ts')
    if (seen === undefined) return
    expect(seen).toEqual({
      first: [201, 'first'],
      full: [[507, 'INSUFFICIENT_STORAGE'], 1, true],
      again: [201, 'first'],
      after: [201, 'second'],
      records: 2,
    })
  })
})

describe('a server that ends between the steps of a POST with a key', () => {
  async function cut(fault: string) {
    const environment: Record<string, string> = { EDGE_FAULT: fault }
    const prepare = (folders: Folders) => {
      new UserStore(folders).prepare()
      readSecret(folders)
    }
    const server = await startServer({ ...ON, environment, prepare })
    const { token } = await addCaller(server.folders, 'administrator')
    const first = await post('k', 'someone', { url: server.url, token }).catch(() => 'no answer')
    delete environment['EDGE_FAULT']
    return { server, token, first }
  }
  const again = async (server: Server) => {
    await server.kill('SIGKILL')
    return server.again()
  }

  test.for([
    ['idempotency-recorded', 0, 409],
    ['idempotency-acted', 1, 409],
    ['idempotency-kept', 1, 201],
  ] as const)('%s: kill -9 leaves %i accounts, and the retry hears %i', async ([step, made, status]) => {
    const { server, token, first } = await cut(`${step}=kill`)
    expect(first).toBe('no answer')
    const next = await again(server)
    try {
      expect(named('someone', next.folders)).toBe(made)
      const retry = await post('k', 'someone', { url: next.url, token })
      expect([retry.status, retry.json.code, retry.headers['retry-after']]).toEqual([
        status,
        status === 409 ? 'CONFLICT' : undefined,
        undefined,
      ])
      if (status === 409) expect(retry.json.message).toContain('not known')
      else expect(retry.headers['idempotency-replayed']).toBe('true')
      expect((await post('k', 'other', { url: next.url, token })).status).toBe(422)
      expect([named('someone', next.folders), named('other', next.folders)]).toEqual([made, 0])
      expect(readdirSync(folder(next.folders)).filter((name) => name.startsWith('.'))).toEqual([])
    } finally {
      await next.close()
    }
  })

  it('answers 500 and forgets the key when the step before the act fails', async () => {
    const { server, token, first } = await cut('idempotency-recorded=error')
    const next = await again(server)
    try {
      expect(first).toMatchObject({ status: 500 })
      expect((await post('k', 'someone', { url: next.url, token })).status).toBe(201)
    } finally {
      await next.close()
    }
  })

  it('says that it is done when only the answer cannot be kept, and never does it again', async () => {
    const { server, token, first } = await cut('idempotency-acted=error')
    try {
      expect(first).toMatchObject({ status: 201 })
      await until('the log says so', () => server.output().includes('an answer could not be kept'))
      expect((await post('k', 'someone', { url: server.url, token })).status).toBe(409)
      expect(named('someone', server.folders)).toBe(1)
    } finally {
      await server.close()
    }
  })
})

describe('what is kept', () => {
  const request = (key: string) => ({
    account: 'a',
    role: 'operator' as Role,
    key,
    method: 'POST',
    path: '/p',
    query: {},
    body: undefined,
  })
  function keep(clock?: TestClock, dir = temporaryFolder()) {
    const answers = new Answers(
      dir,
      (error) => {
        throw error
      },
      clock,
    )
    let runs = 0
    const send = async (key: string) => {
      await answers.once(
        request(key),
        () => jsonReply(++runs),
        () => '',
      )
      return runs
    }
    return { send, dir, files: () => readdirSync(dir).length }
  }

  it('is forgotten after 24 hours', async () => {
    const clock = new TestClock()
    const { send, files } = keep(clock)
    expect([await send('a'), await send('a')]).toEqual([1, 1])
    clock.pass(86_400_000)
    expect(await send('a')).toBe(1)
    clock.pass(1)
    expect(await send('b')).toBe(2)
    expect(files()).toBe(1)
    expect(await send('a')).toBe(3)
  })

  it('is kept where the clock is set right meanwhile, and no longer where it is set back, also after a restart', async () => {
    const YEARS = 16 * 365 * 86_400_000
    for (const way of [1, -1]) {
      const clock = new TestClock()
      const { send, dir } = keep(clock)
      await send('a')
      clock.jump(way * YEARS)
      expect([way, await send('b'), await send('a')]).toEqual([way, 2, 2])
      // Another process of the same boot: it has run nothing yet.
      const restarted = keep(clock, dir)
      expect([way, await restarted.send('c'), await restarted.send('a')]).toEqual([way, 1, 1])
      clock.pass(86_400_001)
      expect([way, await keep(clock, dir).send('a')]).toEqual([way, 1])
    }
  })

  it('is forgotten a day later by the wall’s clock where the machine booted, and of an earlier version', async () => {
    const clock = new TestClock()
    const { send, dir } = keep(clock)
    await send('a')
    clock.pass(86_000_000).reboot()
    expect(await keep(clock, dir).send('a')).toBe(0)
    clock.pass(400_001)
    expect(await keep(clock, dir).send('a')).toBe(1)
    const file = join(dir, readdirSync(dir)[0]!)
    const { written, ...rest } = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...rest, at: written.wall - 86_400_000 }))
    expect(await keep(clock, dir).send('a')).toBe(0)
    clock.pass(1)
    expect(await keep(clock, dir).send('a')).toBe(1)
  })

  it('is never more than 10 000, the oldest go first, also after a restart', async () => {
    const { dir } = keep()
    const hash = (i: number) => i.toString(16).padStart(64, '0')
    for (let i = 0; i < 10_002; i++) {
      const file = join(dir, `${hash(i)}.json`)
      writeFileSync(file, '{}')
      utimesSync(file, Date.now() / 1000 - 20_000 + i, Date.now() / 1000 - 20_000 + i)
    }
    const { send, files } = keep(undefined, dir)
    await send('a')
    expect(files()).toBe(10_000)
    expect(readdirSync(dir)).not.toContain(`${hash(2)}.json`)
    expect(readdirSync(dir)).toContain(`${hash(3)}.json`)
    expect(await send('a')).toBe(1)
  }, 60_000)

  it('is another request with another method, path, query or body', async () => {
    const answers = new Answers(temporaryFolder(), () => {})
    const send = (more: object) =>
      answers
        .once(
          { ...request('k'), ...more },
          () => jsonReply(1),
          () => '',
        )
        .then(({ replayed }) => replayed !== undefined)
    expect([await send({}), await send({ body: new Uint8Array() })]).toEqual([false, true])
    for (const more of [{ method: 'PUT' }, { path: '/q' }, { query: { dry_run: 'true' } }, { body: Buffer.from('{}') }])
      await expect(send(more)).rejects.toThrow('another request')
    expect([await send({ account: 'b' }), await send({ key: 'l' })]).toEqual([false, false])
  })

  it('is given back to no lesser role than it was made for, and run again for none', async () => {
    const answers = new Answers(temporaryFolder(), () => {})
    let ran = 0
    const send = (role: Role) =>
      answers.once(
        { ...request('k'), role },
        () => jsonReply(++ran),
        () => '',
      )
    await send('operator')
    await expect(send('viewer')).rejects.toMatchObject({ kind: 'forbidden' })
    expect((await send('administrator')).reply.body).toBe('1')
    expect(ran).toBe(1)
  })

  it('tells nobody who has no key what the body was: equal bodies leave different records', async () => {
    const dir = temporaryFolder()
    const answers = new Answers(dir, () => {})
    for (const key of ['a', 'b'])
      await answers.once(
        { ...request(key), body: Buffer.from('{"password":"guess-me-1"}') },
        () => jsonReply(1),
        () => '',
      )
    const prints = readdirSync(dir).map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')).print)
    expect(new Set(prints).size).toBe(2)
  })

  it('is taken for unknown when it is damaged', async () => {
    const { send, dir } = keep()
    await send('a')
    writeFileSync(join(dir, readdirSync(dir)[0]!), '{')
    await expect(keep(undefined, dir).send('a')).rejects.toThrow('not known')
  })
})
