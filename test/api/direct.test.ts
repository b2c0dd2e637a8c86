// The short way of a small read: its answers are those of the way through Hono, and the handler hears of a peer that
// leaves.
import { type IncomingHttpHeaders, request } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as z from 'zod'
import { type Endpoint, endpoint } from '../../src/http/endpoint.ts'
import { json, nothing, text } from '../../src/http/reply/reply.ts'
import type { SurfaceEntry } from '../../src/surfaces/table.ts'
import { toySurface } from '../toy/surface.ts'
import { type InProcess, startAppliance } from './appliance.ts'

let appliance: InProcess
/** The signal that the handler which never answers was given. */
let given: AbortSignal | undefined
const define = endpoint<object>()
const about = { method: 'GET', tag: 'Toy', permission: 'public', summary: 'Show something' } as const
const ENDPOINTS = [
  define({ ...about, path: '/toys/now', id: 'now', response: z.object({}), handle: () => json({ é: 1 }) }),
  define({ ...about, path: '/toys/soon', id: 'soon', response: z.object({}), handle: async () => json({}) }),
  define({ ...about, path: '/toys/bytes', id: 'bytes', response: 'text/plain', handle: () => text(Buffer.from('é')) }),
  define({ ...about, path: '/toys/none', id: 'none', response: 'none', status: 204, handle: () => nothing() }),
  define({
    ...{ ...about, path: '/toys/stream', id: 'stream', response: 'text/plain' },
    handle: () => ({ ...text(''), body: Readable.from([Buffer.from('in '), Buffer.from('pieces')]) }),
  }),
  define({
    ...{ ...about, path: '/toys/broken', id: 'broken', response: z.object({}) },
    handle: () => {
      throw new Error('a bug')
    },
  }),
  define({
    ...{ ...about, path: '/toys/never', id: 'never', response: z.object({}) },
    handle(call) {
      given = call.signal
      return new Promise<never>(() => {})
    },
  }),
]
const ENTRY: SurfaceEntry = {
  name: 'direct',
  needs: [],
  assemble: async () => ({
    surface: toySurface({ name: 'direct' }),
    owns: (path) => path.startsWith('/toys/'),
    endpoints: ENDPOINTS as unknown as Endpoint<never>[],
    deps: {},
  }),
}

beforeAll(async () => {
  appliance = await startAppliance({ surfaces: [ENTRY] })
})
afterAll(() => appliance?.close())

interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

const ask = (path: string, host: string, { url } = appliance): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(`${url}${path}`, { headers: { host } }, (incoming) => {
      let body = ''
      incoming.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      incoming.once('end', () => {
        const { date: _, 'x-request-id': __, ...headers } = incoming.headers
        resolve({ status: incoming.statusCode, headers, body })
      })
    })
      .once('error', reject)
      .end()
  })

/** Whether Hono has no part in the answer. */
const isDirect = (path: string, host: string) =>
  appliance.app.direct(
    { method: 'GET', url: path, headers: { host }, socket: {} } as never,
    { writeHead: () => ({ end: () => {} }), once: () => {} } as never,
  ) !== false

it.each([
  ['/toys/now', 200],
  ['/toys/soon', 200],
  ['/toys/bytes', 200],
  ['/toys/none', 204],
  ['/toys/stream', 200],
  ['/toys/broken', 500],
  ['/api/v1/admin/version', 403],
  ['/api/v1/admin/version?none=of&these', 400],
])('answers %s with %i, as through Hono', async (path, status) => {
  const [direct, throughHono] = [await ask(path, 'localhost'), await ask(path, 'LOCALHOST')]
  expect(direct).toEqual(throughHono)
  expect(direct.status).toBe(status)
  // A name in capitals is the adapter's to check.
  expect([isDirect(path, 'localhost'), isDirect(path, 'LOCALHOST')]).toEqual([true, false])
})

it('tells the handler that the peer has left', async () => {
  const asked = request(`${appliance.url}/toys/never`)
  asked.once('error', () => {})
  asked.end()
  await expect.poll(() => given?.aborted, { timeout: 20_000 }).toBe(false)
  asked.destroy()
  await expect.poll(() => given?.aborted, { timeout: 20_000 }).toBe(true)
})

it('answers also where no answer can be entered in the log, and goes on', async () => {
  const broken = await startAppliance({
    surfaces: [ENTRY],
    answered() {
      throw new Error('a bug in the log')
    },
  })
  try {
    for (const path of ['/toys/now', '/toys/soon', '/toys/broken'])
      expect((await ask(path, 'localhost', broken)).status, path).toBe(500)
    expect(broken.warnings).toHaveLength(3)
  } finally {
    await broken.close()
  }
})
