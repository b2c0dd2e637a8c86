// Endpoints that are loaded by the first request that may be for one of them: no path is missed, each part is loaded
// once, and a part that cannot be loaded is an error of that request only.
import { afterEach, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../src/app.ts'
import { Configuration } from '../../src/config.ts'
import type { DEFAULT_ENDPOINTS } from '../../src/endpoint-names.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import type { AssembledSurface } from '../../src/surfaces/assembled.ts'
import { SURFACES, type SurfaceEntry } from '../../src/surfaces/table.ts'
import { type ToyDeps, toyEndpoints } from '../toy/endpoints.ts'
import { toySurface } from '../toy/surface.ts'
import { makeAppliance, REPOSITORY } from './appliance.ts'

const ON = { controller: { enabled: true }, console: { enabled: true } }
const apps: App[] = []
afterEach(() => {
  for (const app of apps.splice(0)) app.close()
})

async function start(table: readonly SurfaceEntry[]): Promise<App> {
  const { folders, configuration } = makeAppliance()
  const config = Configuration.parse({ ...configuration, surfaces: ON })
  const options = { folders, config, scripts: `${REPOSITORY}/scripts`, version: '0.0.0-test' }
  const app = await createApp(options, table)
  apps.push(app)
  return app
}

describe('the endpoints of a surface', () => {
  const watched = (seen: Map<string, AssembledSurface>) =>
    SURFACES.map(({ name, needs, assemble }) => ({
      ...{ name, needs },
      async assemble(...given: Parameters<typeof assemble>) {
        const one = await assemble(...given)
        seen.set(name, one)
        return one
      },
    }))
  /** A path as a client may write it: one name for each parameter, or several. */
  const asked = ({ path }: Pick<Endpoint<never>, 'path'>) =>
    [path.replace(/\{\w+\*?\}/g, 'x'), path.replace(/\{\w+\*\}/g, 'x/y%2Fz').replace(/\{\w+\}/g, 'x')].flatMap(
      (one) => [one, `${one}/`],
    )

  it('are at the start or loaded for every form of their path, never both', async () => {
    const seen = new Map<string, AssembledSurface>()
    await start(watched(seen))
    expect([...seen.keys()]).toEqual(['admin', 'controller', 'console'])
    for (const [name, { endpoints = [], later }] of seen) {
      const loaded = (await later?.load())?.endpoints ?? []
      expect([name, loaded.length > 5]).toEqual([name, true])
      const missed = loaded.flatMap(asked).filter((path) => !later?.takes(path) && path !== '//')
      expect([name, missed]).toEqual([name, []])
      const early = new Set(endpoints.map(({ path }) => path))
      expect([name, loaded.filter(({ path }) => early.has(path))]).toEqual([name, []])
    }
  })

  it('are not loaded by what monitoring asks for', async () => {
    const seen = new Map<string, AssembledSurface>()
    await start(watched(seen))
    const takers = (path: string) => [...seen].filter(([, { later }]) => later?.takes(path)).map(([name]) => name)
    for (const name of ['version', 'health', 'services'] satisfies (typeof DEFAULT_ENDPOINTS)[number][])
      expect(takers(`/api/v1/admin/${name}`)).toEqual([])
    expect(takers('/api/v1/admin/update')).toEqual(['admin'])
    expect(takers('/api/v1/pools')).toEqual(['controller'])
    expect(takers('/console/app.js')).toEqual(['console'])
    // The front page is the console's, and the admin surface's without it.
    expect(takers('/')).toEqual(['admin', 'console'])
  })
})

describe('a part that is loaded later', () => {
  /** A toy whose first attempts to load fail. */
  const toy = (counts: { loads: number }, failures = 0): SurfaceEntry => ({
    name: 'toy',
    needs: [],
    assemble: async () => ({
      surface: toySurface({ name: 'toy' }),
      owns: (path) => path.startsWith('/toys/'),
      later: {
        takes: (path) => path.startsWith('/toys/'),
        async load() {
          counts.loads += 1
          await Promise.resolve()
          if (counts.loads <= failures) throw new Error('the disk has gone')
          const endpoints = toyEndpoints('/toys/toy') as Endpoint<never>[]
          return { endpoints, deps: { name: 'toy' } satisfies ToyDeps }
        },
      },
    }),
  })
  const VOLUMES = '/toys/toy/v2/projects/p/volumes?token=marble'

  it('is loaded once for requests that come together, and not again', async () => {
    const counts = { loads: 0 }
    const { hono } = await start([...SURFACES, toy(counts)])
    expect(counts.loads).toBe(0)
    const answers = await Promise.all(Array.from({ length: 5 }, () => hono.request(VOLUMES)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect((await hono.request(VOLUMES)).status).toBe(200)
    expect(counts.loads).toBe(1)
  })

  it('is not loaded by a request for another surface, which stays as it was', async () => {
    const counts = { loads: 0 }
    const { hono } = await start([...SURFACES, toy(counts)])
    expect((await hono.request('/healthz')).status).toBe(200)
    expect((await hono.request('/api/v1/admin/version')).status).toBe(403)
    expect(counts.loads).toBe(0)
    expect((await hono.request(VOLUMES)).status).toBe(200)
    expect((await hono.request('/healthz')).status).toBe(200)
  })

  it('that cannot be loaded is an error in the shape of its surface, and the next request tries again', async () => {
    const counts = { loads: 0 }
    const { hono } = await start([...SURFACES, toy(counts, 1)])
    const failed = await hono.request(VOLUMES, {}, {})
    expect([failed.status, await failed.json()]).toEqual([500, { fault: { kind: 'internal', message: '' } }])
    expect((await hono.request(VOLUMES, {}, {})).status).toBe(200)
    expect(counts.loads).toBe(2)
  })

  it('is among the paths that are suggested', async () => {
    const { hono } = await start(SURFACES)
    const answer = await hono.request('/api/v1/admin/upate', {}, {})
    expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('/api/v1/admin/update')])
  })
})
