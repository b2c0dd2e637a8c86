// Surfaces switched on and off: in whose shape a path is refused that nobody has, what the appliance does without any of them but the admin
// surface, and which files it then makes.
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readSaved, withTarget, writeSaved } from '../../src/features/iscsi/saved.ts'
import { EMPTY, formatPolicy, POLICY } from '../../src/features/snapshots/policy.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'
import { type InProcess, type Options, startAppliance, temporaryFolder } from './appliance.ts'
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
      .poll(() => snapshots(fakes), { timeout: 20_000 })
      .toEqual([expect.stringMatching(/^tank\/data@hourly-/)])
    expect(warnings).toEqual([])
  })

  it('saved iSCSI targets come back', async () => {
    const fakes = installFakes(temporaryFolder())
    const iqn = 'iqn.2026-01.com.example:saved'
    const wanted = { iqn, enabled: true, portals: ['0.0.0.0:3260'], initiators: [], chap: undefined, luns: [] }
    const prepare: Options['prepare'] = ({ state }) => {
      const file = join(state, 'saveconfig.json')
      writeSaved(file, withTarget(readSaved(file), iqn, wanted))
    }
    await start(off, { programs: fakes.programs, prepare })
    expect(JSON.stringify(fakes.model())).not.toContain(iqn)
    await begin(appliance!)
    await expect.poll(() => JSON.stringify(fakes.model()), { timeout: 20_000 }).toContain(iqn)
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
