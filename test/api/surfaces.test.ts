// Surfaces switched on and off: in whose shape a path is refused that nobody has, what the appliance does without any of them but the admin
// surface, and which files it then makes.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { Configuration } from '../../src/config.ts'
import { ApiError } from '../../src/errors.ts'
import { readSaved, withTarget, writeSaved } from '../../src/features/iscsi/saved.ts'
import { EMPTY, formatPolicy, POLICY } from '../../src/features/snapshots/policy.ts'
import { endpoint } from '../../src/http/endpoint.ts'
import { json } from '../../src/http/reply/reply.ts'
import { SURFACES, type SurfaceEntry } from '../../src/surfaces/table.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'
import {
  type InProcess,
  makeAppliance,
  type Options,
  REPOSITORY,
  startAppliance,
  temporaryFolder,
} from './appliance.ts'
import { type Answer, call } from './client.ts'

let appliance: InProcess | undefined
afterEach(async () => {
  await appliance?.close()
  appliance = undefined
})

const start = async (surfaces: Record<'controller' | 'console', boolean>, options: Options = {}) => {
  const enabled = { controller: { enabled: surfaces.controller }, console: { enabled: surfaces.console } }
  appliance = await startAppliance({ ...options, config: { surfaces: enabled } })
  return appliance
}

/** Of which surface an answer has the shape: each has its own members in an error, or its own policy for browsers. */
function shapeOf({ body, headers }: Answer): string {
  if ('Status' in JSON.parse(body)) return 'admin'
  expect(JSON.parse(body)).toHaveProperty('code')
  return String(headers['content-security-policy']).includes('script-src') ? 'console' : 'controller'
}

describe('a path that no surface has', () => {
  it.each([
    { controller: false, console: false, api: 'admin', own: 'admin' },
    { controller: false, console: true, api: 'admin', own: 'console' },
    { controller: true, console: false, api: 'controller', own: 'admin' },
    { controller: true, console: true, api: 'controller', own: 'console' },
  ])(
    'is refused in the shape of the surface that is meant: controller $controller, console $console',
    async ({ api, own, ...on }) => {
      const { url } = await start(on)
      const answers: Record<string, string> = {}
      const expected: Record<string, string> = {
        '/api/v1/x': api,
        '/api/v1/pools/x/y/z': api,
        '/api/v1': api,
        '/healthz/x': api,
        '/api/v1/administrator': api,
        '/api/v1/admin/x': 'admin',
        '/api/v1/admin': 'admin',
        '/console/x': own,
        '/consoles': 'admin',
        '/x': 'admin',
        '/api/v2/x': 'admin',
        // Refused as a path before anybody looks for an endpoint.
        '/api/v1/%2e%2e/%ff': api,
        '/console/%ff': own,
      }
      for (const path of Object.keys(expected)) {
        const answer = await call(url, 'GET', path)
        expect([path, [400, 404].includes(answer.status)]).toEqual([path, true])
        answers[path] = shapeOf(answer)
      }
      expect(answers).toEqual(expected)
    },
  )
})

describe('a surface of another dialect', () => {
  const toy = (calls: string[]): SurfaceEntry => ({
    name: 'toy',
    needs: ['accounts'],
    assemble: async ({ accounts, storage }) => ({
      surface: {
        ...{ name: 'toy', parameters: [], anonymousActor: 'nobody', targets: 'resource' },
        gate: () => {},
        authenticate: () => undefined,
        refuse: () => new ApiError('unauthenticated', 'No'),
        wrongMethod: () => new ApiError('wrong-method', 'No'),
        renderError: ({ message }) => json({ toy: message }, 418),
        headers: ({ id }) => ({ 'X-Request-Id': id }),
      },
      endpoints: [
        endpoint<{ names: () => string[] }>()({
          ...{ method: 'GET', path: '/toy/names', id: 'listNames', tag: 'Toy', summary: 'List the names' },
          ...{ permission: 'public', response: 'application/json' },
          handle: (_call, { names }) => json(names()),
        }),
      ],
      deps: { names: () => [...(accounts?.users.all() ?? []).map(({ username }) => username), typeof storage] },
      owns: (path) => path.startsWith('/toy/'),
      document: () => '{"toy":true}',
      start: () => void calls.push('start'),
      hangUp: () => void calls.push('hangUp'),
      close: () => void calls.push('close'),
    }),
  })

  it('is a line of the table: it has the parts that it asks for, answers for its paths, and takes part in start and stop', async () => {
    const { folders, configuration } = makeAppliance()
    const calls: string[] = []
    const config = Configuration.parse({ ...configuration, surfaces: { console: { enabled: false } } })
    const options = { folders, config, scripts: join(REPOSITORY, 'scripts'), version: '0.0.0-test' }
    const app = await createApp(options, [...SURFACES, toy(calls)])
    const names = await app.hono.request('/toy/names')
    expect([names.status, await names.json()]).toEqual([200, ['admin', 'undefined']])
    const missing = await app.hono.request('/toy/x', {}, {})
    expect([missing.status, await missing.json()]).toEqual([418, { toy: expect.any(String) }])
    expect(await (await app.hono.request('/x', {}, {})).json()).toHaveProperty('Status')
    app.tidy()
    app.hangUp()
    app.close()
    expect(calls).toEqual(['start', 'hangUp', 'close'])
  })

  it('has none of what nobody asks for', async () => {
    const { folders, configuration } = makeAppliance()
    const config = Configuration.parse({ ...configuration, surfaces: { console: { enabled: false } } })
    const options = { folders, config, scripts: join(REPOSITORY, 'scripts'), version: '0.0.0-test' }
    const app = await createApp(options, [...SURFACES, { ...toy([]), needs: [] }])
    expect(await (await app.hono.request('/toy/names')).json()).toEqual(['undefined'])
    app.close()
  })
})

/** A pool with one dataset that has a policy, on the fakes. */
function makePolicy(fakes: Fakes): void {
  fakes.change((model) => {
    model.disks['/dev/fake1'] = { size: 1 << 30, links: [] }
  })
  zfs(fakes, 'zpool', 'create', '-f', 'tank', '/dev/fake1')
  zfs(fakes, 'zfs', 'create', 'tank/data')
  zfs(fakes, 'zfs', 'set', `${POLICY}=${formatPolicy({ ...EMPTY, hourly: 1 })}`, 'tank/data')
}
const zfs = (fakes: Fakes, name: string, ...args: string[]) =>
  execFileSync(join(fakes.programs, name), args, { encoding: 'utf8' })
const snapshots = (fakes: Fakes) =>
  zfs(fakes, 'zfs', 'list', '-H', '-t', 'snapshot', '-o', 'name').split('\n').filter(Boolean)

describe('without any surface but the admin surface', () => {
  const off = { controller: false, console: false }
  const begin = async ({ app }: InProcess) => {
    app.tidy()
    await app.sweep()
    await app.runPolicies()
  }

  it('snapshot policies run', async () => {
    const fakes = installFakes(temporaryFolder())
    makePolicy(fakes)
    const { app, warnings } = await start(off, { programs: fakes.programs })
    expect(app.storage).toBeUndefined()
    await begin(appliance!)
    await expect
      .poll(() => snapshots(fakes), { timeout: 90_000 })
      .toEqual([expect.stringMatching(/^tank\/data@hourly-/)])
    expect(warnings).toEqual([])
  })

  it('saved iSCSI targets come back', async () => {
    const fakes = installFakes(temporaryFolder())
    const iqn = 'iqn.2026-01.com.example:saved'
    const open = { initiators: [], chap: undefined, mutual: undefined }
    const wanted = { iqn, enabled: true, portals: ['0.0.0.0:3260'], ...open, luns: [] }
    const prepare: Options['prepare'] = ({ state }) => {
      const file = join(state, 'saveconfig.json')
      writeSaved(file, withTarget(readSaved(file), iqn, wanted))
    }
    await start(off, { programs: fakes.programs, prepare })
    expect(JSON.stringify(fakes.model())).not.toContain(iqn)
    await begin(appliance!)
    await expect.poll(() => JSON.stringify(fakes.model()), { timeout: 90_000 }).toContain(iqn)
  })

  const FILES = 'audit audit.key boots.json disks incoming known-addresses.json locks tasks vendor'.split(' ')
  it.each(['there', 'missing'])('no file of accounts or storage is made, with zpool %s', async (zpool) => {
    const fakes = installFakes(temporaryFolder())
    const programs = zpool === 'there' ? fakes.programs : temporaryFolder()
    const { url, folders, app, warnings } = await start(off, { programs })
    await begin(appliance!)
    expect((await appliance!.call('GET', '/version')).status).toBe(200)
    expect((await call(url, 'POST', '/api/v1/auth/login', { body: '{}' })).status).toBe(404)
    app.close()
    expect(readdirSync(folders.state).sort()).toEqual(FILES)
    expect(warnings).toEqual([])
    if (zpool === 'missing') expect(fakes.calls()).toEqual([])
  })
})
