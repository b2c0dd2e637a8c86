// SEC-06, SEC-11, SEC-30: every route of the controller surface, called by everybody, against the table in
// controller-permissions.ts. A refusal must have changed nothing, so the file of accounts is compared byte by byte
// after each.
import { createHmac, randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readSecret } from '../../src/auth/jwt.ts'
import type { Role } from '../../src/auth/principal.ts'
import { UserStore } from '../../src/auth/users.ts'
import { Configuration } from '../../src/config.ts'
import { enabledEndpoints } from '../../src/surfaces/controller/endpoints.ts'
import { installFakes } from '../fakes/install.ts'
import { CALLERS, CONTROLLER, type Row } from '../unit/controller-permissions.ts'
import { type InProcess, startAppliance, temporaryFolder } from './appliance.ts'
import { addCaller, ask, type Caller, ON, withoutStrangers } from './controller.ts'

const controllerEndpoints = enabledEndpoints(Configuration.parse({}))

let appliance: InProcess
const callers = {} as Record<Role, Caller>
let victim: Caller
beforeAll(async () => {
  appliance = await startAppliance({ ...ON, programs: installFakes(temporaryFolder()).programs })
})
afterAll(() => appliance?.close())
beforeEach(async () => {
  const { folders } = appliance
  // Back to the first account, with new callers.
  new UserStore(folders).change((all) => all.splice(1))
  for (const role of ['viewer', 'operator', 'administrator'] as const) callers[role] = await addCaller(folders, role)
  victim = await addCaller(folders, 'viewer', 'victim')
})

const accounts = () => appliance.read(join(appliance.folders.state, 'users.json'))
const rows = Object.entries(CONTROLLER).map(([name, row]) => {
  const [method = '', template = ''] = name.split(' ')
  return { name, method, template, row }
})
let address = 1
const send = (method: string, template: string, json: unknown, bearer?: string) => {
  address = (address % 250) + 1
  const path = template
    .replace('{id}', victim.user.id)
    .replace('{name}', 'tank')
    .replace('/snapshots/{name*}', '/snapshots/tank%2Fdata@one')
    .replace(/\{(?:name|dataset)\*\}/, 'tank/data')
    .replace('{name}', 'tank')
  return ask(appliance.url, method, path, {
    bearer,
    ...(json !== undefined && { json }),
    // The waiting after failures has its own tests.
    from: `127.0.1.${address}`,
  })
}

const CODES: Record<number, string> = {
  400: 'VALIDATION_ERROR',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  503: 'SERVICE_UNAVAILABLE',
}

describe('SEC-30 the table of the controller’s routes', () => {
  it('names every declared route, and none that is not there', () => {
    expect(controllerEndpoints.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      Object.keys(CONTROLLER).sort(),
    )
  })

  it('has the same permissions as the declarations, whatever the features check besides', () => {
    const least = (row: Row) => CALLERS.find((who) => row[who] !== 401 && row[who] !== 403) ?? 'nobody'
    expect(
      Object.fromEntries(controllerEndpoints.map(({ method, path, permission }) => [`${method} ${path}`, permission])),
    ).toEqual(Object.fromEntries(rows.map(({ name, row }) => [name, least(row) === 'nobody' ? 'public' : least(row)])))
  })

  for (const { name, method, template, row } of rows) {
    for (const who of CALLERS) {
      it(`answers ${row[who]} to ${who} at ${name}`, async () => {
        const before = accounts()
        const lines = appliance.audit().length
        const bearer = who === 'nobody' ? undefined : callers[who].token
        const { status, json, headers } = await send(method, template, row.json, bearer)
        expect([status, json]).toEqual([row[who], expect.anything()])
        expect(headers['x-content-type-options']).toBe('nosniff')
        const refused = status >= 400
        if (refused) {
          expect(Object.keys(json).slice(0, 2)).toEqual(['code', 'message'])
          expect(json.code).toBe(CODES[status])
          expect(accounts()).toBe(before)
          expect(headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
        }
        // SEC-31: one line for each change and each refusal, under the name of who did it. Those of nobody are counted once there are many.
        const entries = withoutStrangers(appliance.audit().slice(lines))
        if (who === 'nobody' && refused) expect(entries.length).toBeLessThanOrEqual(name.endsWith('login') ? 1 : 0)
        else expect(entries).toHaveLength(status === 403 || method !== 'GET' ? 1 : 0)
        for (const line of entries)
          expect(line).toMatch(
            new RegExp(`,web,${name.endsWith('login') ? 'nobody' : who},[a-z.-]+,"[^"]*",127\\.0\\.1\\.\\d+$`),
          )
      })
    }
  }
})

describe('SEC-11 a token that is wrong in one thing', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decode = (text = '') => JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
  const signed = (header: object, payload: object, key: Buffer) => {
    const text = `${part(header)}.${part(payload)}`
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  const HS = { alg: 'HS256', typ: 'JWT' }
  const claims = () => decode(callers.administrator.token.split('.')[1])
  const secret = () => readSecret(appliance.folders)
  const now = () => Math.floor(Date.now() / 1000)
  const wrong: Record<string, () => string> = {
    empty: () => '',
    garbage: () => 'a.b.c',
    expired: () => signed(HS, { ...claims(), iat: now() - 90_000, exp: now() - 1 }, secret()),
    'tampered with': () => {
      const [header, , signature] = callers.viewer.token.split('.')
      return `${header}.${part(claims())}.${signature}`
    },
    'without an algorithm': () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`,
    'of a foreign key': () => signed(HS, claims(), randomBytes(32)),
    'of another audience': () => signed(HS, { ...claims(), aud: 'edge-admin/volumes' }, secret()),
    'of another type': () => signed({ alg: 'HS256', typ: 'at+jwt' }, claims(), secret()),
    'cut short': () => callers.administrator.token.slice(0, -1),
    'of the last generation': () => signed(HS, { ...claims(), gen: 0 }, secret()),
  }
  it('is made right here: the same by the same hands is taken', async () => {
    expect((await send('GET', '/api/v1/users', undefined, signed(HS, claims(), secret()))).status).toBe(200)
  })
  for (const [what, make] of Object.entries(wrong)) {
    it(`opens nothing when it is ${what}`, async () => {
      const before = accounts()
      for (const { name, method, template, row } of rows) {
        const { status } = await send(method, template, row.json, make())
        expect([name, status]).toEqual([name, row.nobody])
      }
      expect(accounts()).toBe(before)
    })
  }

  it('opens nothing in another place than the header, or under another scheme', async () => {
    const { token } = callers.administrator
    const get = (headers: Record<string, string>, query = '') =>
      ask(appliance.url, 'GET', `/api/v1/users${query}`, { headers })
    for (const authorization of [`Basic ${token}`, token, `Token ${token}`])
      expect([authorization.slice(0, 8), (await get({ authorization })).status]).toEqual([
        authorization.slice(0, 8),
        401,
      ])
    expect((await get({ cookie: `token=${token}`, 'x-auth-token': token })).status).toBe(401)
    expect((await get({}, `?token=${token}`)).status).toBe(400)
    expect((await get({ authorization: `Bearer ${token}` })).status).toBe(200)
  })

  it('is not the admin surface’s, and the other way round', async () => {
    const { token } = callers.administrator
    expect((await ask(appliance.url, 'GET', '/api/v1/admin/version', { bearer: token })).status).toBe(403)
    expect((await ask(appliance.url, 'GET', '/api/v1/users', { bearer: 'yourtoken' })).status).toBe(401)
    appliance.app.backOff.succeed('127.0.0.1')
  })
})

describe('the switch', () => {
  it('leaves nothing behind it when it is off: 404, no account, no secret', async () => {
    const off = await startAppliance()
    try {
      for (const { method, template } of rows) {
        const { status, json } = await ask(off.url, method, template.replace('{id}', 'user-1'))
        expect([template, status, json.Status]).toEqual([template, 404, '404 Not Found'])
      }
      for (const name of ['users.json', 'admin.password', 'jwt.secret'])
        expect(off.read(join(off.folders.state, name))).toBe('')
    } finally {
      await off.close()
    }
  })

  it('changes nothing for the admin surface when it is on', async () => {
    expect((await appliance.call('GET', '/version')).body).toBe('{"version":"1.0.0"}')
    const lost = await ask(appliance.url, 'GET', '/api/v1/admin/nowhere')
    expect([lost.status, lost.json.Status]).toEqual([404, '404 Not Found'])
    const ours = await ask(appliance.url, 'GET', '/api/v1/users/a/b')
    expect([ours.status, ours.json]).toEqual([404, { code: 'NOT_FOUND', message: 'Not found' }])
  })

  it('does not start over accounts or a secret that are damaged', async () => {
    for (const [name, text] of [
      ['users.json', '{'],
      ['jwt.secret', 'short'],
    ] as const) {
      let state = ''
      const prepare: NonNullable<typeof ON.prepare> = (folders) => {
        state = folders.state
        writeFileSync(join(state, name), text)
      }
      await expect(startAppliance({ ...ON, prepare })).rejects.toThrow(name)
      rmSync(join(state, name))
    }
  })
})
