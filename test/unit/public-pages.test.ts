// What anyone may ask for costs nothing after its first answer: made from the tables of endpoints, so a new public page is judged as well.
// What is looked at is whether the same bytes are given again, not how long that takes.
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { Assets } from '../../src/http/reply/assets.ts'
import { Rendered } from '../../src/http/reply/rendered.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'

const all = [...adminEndpoints, ...controllerEndpoints, ...consoleEndpoints] as Endpoint<unknown>[]
const publicPages = all.filter(({ method, permission }) => method === 'GET' && permission === 'public')
/** Small answers that are made anew: what they say is about this very request, or who asks. */
const MADE_ANEW = ['healthz', 'getConsoleSession']
const BIG = JSON.stringify({ info: { title: 'x' }, paths: {} })

let counted: Record<string, number>
let deps: unknown
beforeAll(() => {
  counted = {}
  const count = <T>(name: string, value: T) => {
    counted[name] = (counted[name] ?? 0) + 1
    return value
  }
  deps = {
    config: Configuration.parse({}),
    version: '1',
    rendered: new Rendered(),
    openapi: () => count('openapi', BIG),
    documents: () => count('documents', [BIG]),
    page: new Assets(() => join(import.meta.dirname, '../fixtures/console'), 'missing'),
    counts: { requests: { all: () => count('metrics', []), times: () => [] }, tasks: { all: () => [] } },
    tasks: { listInTurns: async () => [] },
    audit: { written: 0 },
    pools: { zpool: { list: async () => [] } },
    disks: { health: { all: () => [] } },
    zfs: { census: async () => {}, list: async () => [] },
  }
})

describe('a public page', () => {
  it('is known here', () => {
    expect(publicPages.map(({ path }) => path).sort()).toEqual(
      [
        '/',
        '/',
        '/api/v1/admin/openapi.json',
        '/api/v1/openapi.json',
        '/console/app.css',
        '/console/app.js',
        '/console/icon.svg',
        '/console/session',
        '/docs',
        '/docs',
        '/docs/API.html',
        '/docs/ui.css',
        '/healthz',
        '/metrics',
      ].sort(),
    )
  })

  for (const endpoint of publicPages.filter(({ id }) => !MADE_ANEW.includes(id)))
    it(`is made once: ${endpoint.id} at ${endpoint.path}`, async () => {
      const ask = async () => (await endpoint.handle({ acceptsGzip: false } as never, deps)).body
      const [first, second] = [await ask(), await ask()]
      // Another string of the same text would be equal, other bytes would not be the same.
      if (typeof first === 'string') expect([endpoint.id, first.length]).toEqual(['getStyle', expect.any(Number)])
      expect(second).toBe(first)
    })

  it('starts nothing for a stranger who asks again', async () => {
    const metrics = publicPages.find(({ id }) => id === 'metrics')
    await Promise.all(Array.from({ length: 20 }, () => metrics?.handle({} as never, deps)))
    expect(counted).toEqual({ openapi: 1, documents: 1, metrics: 1 })
  })
})
