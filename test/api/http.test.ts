// HTTP as clients and proxies use it: HEAD, parts of files, tags, streams of events behind a proxy, one Authorization header.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Endpoint } from '../../src/http/endpoint.ts'
import { adminEndpoints } from '../../src/surfaces/admin/endpoints.ts'
import { consoleEndpoints } from '../../src/surfaces/console/endpoints.ts'
import { controllerEndpoints } from '../../src/surfaces/controller/endpoints.ts'
import { type InProcess, startAppliance, TOKEN } from './appliance.ts'
import { type Answer, call, hashOf, raw } from './client.ts'
import { type Browser, signIn } from './console.ts'
import { addCaller, ON } from './controller.ts'

let appliance: InProcess
let bearer: string
let page: Browser
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))
const SUM = createHash('sha256').update(CONTENT).digest('hex')
const DOWNLOAD = '/backup/download'
const uploads = (name: string) => join(appliance.folders.root, 'home/sftp/uploads', name)

beforeAll(async () => {
  appliance = await startAppliance({ config: { ...ON.config, endpoints: ['backup'] } })
  bearer = (await addCaller(appliance.folders, 'administrator')).token
  page = await signIn(appliance.url, { token: TOKEN })
  mkdirSync(uploads(''), { recursive: true })
  writeFileSync(uploads('backup.tar'), CONTENT)
  writeFileSync(uploads('backup.json'), JSON.stringify({ status: 'success', filesize: '8.0K', sha256: SUM }))
})
afterAll(() => appliance?.close())

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  appliance.call(method, path, { headers })

describe('HEAD', () => {
  const tables: Endpoint<never>[] = [...adminEndpoints, ...controllerEndpoints, ...consoleEndpoints]
  const asked = (method: string, { path, permission }: Endpoint<never>): Promise<Answer> => {
    const target = path.replace(/\{(\w+)\*?\}/g, 'tank')
    const headers: Record<string, string> =
      permission === 'public'
        ? {}
        : path.startsWith('/console')
          ? { cookie: `__Host-edge-admin=${page.cookie}`, 'sec-fetch-site': 'same-origin' }
          : { authorization: `Bearer ${bearer}` }
    const signed =
      path.startsWith('/api/v1/admin') && permission !== 'public' ? { hash: hashOf(TOKEN, 'GET', target) } : {}
    return call(appliance.url, method, target, { headers, ...signed })
  }
  /** What differs between two requests by itself. */
  const CHANGING = ['x-request-id', 'date', 'keep-alive', 'connection', 'transfer-encoding']

  it('says what GET would, without a body, for each GET of the tables', async () => {
    for (const endpoint of tables) {
      const enabled =
        endpoint.enabled?.({
          endpoints: ['backup'],
          surfaces: { console: { enabled: true }, controller: { metrics: 'viewer' } },
          reboot: { get: true },
        } as never) ?? true
      if (endpoint.method !== 'GET' || endpoint.acts || !enabled || endpoint.response === 'text/event-stream') continue
      const [whole, head] = [await asked('GET', endpoint), await asked('HEAD', endpoint)]
      expect([endpoint.id, head.status, head.body]).toEqual([endpoint.id, whole.status, ''])
      const told = (answer: Answer) =>
        Object.entries(answer.headers)
          .filter(([name]) => !CHANGING.includes(name) && name !== 'content-length')
          .sort()
      expect([endpoint.id, told(head)]).toEqual([endpoint.id, told(whole)])
      const length = Number(head.headers['content-length'])
      // Numbers move: load, times.
      if (!['getHealth', 'metrics', 'getOverview', 'getDashboard', 'getConsoleSession'].includes(endpoint.id))
        expect([endpoint.id, length]).toEqual([endpoint.id, whole.bytes.length])
    }
  })

  it('is refused with 405 where a GET acts or makes a file, and nothing happens', async () => {
    const acting = tables.filter(({ method, acts }) => method === 'GET' && acts)
    expect(acting.map(({ path }) => path).sort()).toEqual([
      '/api/v1/admin/debug',
      '/api/v1/admin/logs',
      '/api/v1/admin/reboot',
    ])
    for (const { path } of acting) {
      const { status, headers } = await call(appliance.url, 'HEAD', path, { hash: hashOf(TOKEN, 'HEAD', path) })
      expect([path, status, headers.allow]).toEqual([path, 405, path.endsWith('reboot') ? 'GET, POST' : 'GET'])
    }
    expect((await call(appliance.url, 'HEAD', '/api/v1/auth/login')).headers.allow).toBe('POST')
    expect(appliance.app.tasks.list()).toEqual([])
  })

  it('of a stream of events, and of an answer that would be held back, comes at once', async () => {
    for (const path of ['/api/v1/jobs/events']) {
      const { status, headers } = await call(appliance.url, 'HEAD', path, {
        headers: { authorization: `Bearer ${bearer}` },
      })
      expect([path, status, headers['content-type'], headers['x-accel-buffering']]).toEqual([
        path,
        200,
        'text/event-stream',
        'no',
      ])
    }
    expect((await get('/backup?wait=300', {}, 'HEAD')).status).toBe(200)
  })

  it('may be signed as itself, and needs to be', async () => {
    expect((await get('/version', {}, 'HEAD')).status).toBe(200)
    expect((await appliance.call('HEAD', '/version', { nobody: true })).status).toBe(403)
    appliance.app.backOff.succeed('127.0.0.1')
  })

  it('closes the file that it did not send', async () => {
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 20; i++) expect((await get(DOWNLOAD, {}, 'HEAD')).status).toBe(200)
    for (let i = 0; i < 20; i++) expect((await get(DOWNLOAD, { range: 'bytes=9999-' })).status).toBe(416)
    for (let i = 0; i < 20; i++) expect((await get(DOWNLOAD, { 'if-none-match': '*' })).status).toBe(304)
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 15)
  })
})

describe('a part of a download', () => {
  it('comes with 206, where it stands, and the sum of the whole as the tag', async () => {
    const whole = await get(DOWNLOAD)
    expect([whole.status, whole.headers['accept-ranges'], whole.headers.etag]).toEqual([200, 'bytes', `"${SUM}"`])
    for (const [range, start, end] of [
      ['bytes=100-', 100, 4999],
      ['bytes=0-0', 0, 0],
      ['bytes=100-199', 100, 199],
      ['bytes=4999-', 4999, 4999],
      ['bytes=4900-99999', 4900, 4999],
      ['bytes=-1', 4999, 4999],
      ['bytes=-99999', 0, 4999],
      ['Bytes=5-6', 5, 6],
    ] as const) {
      const { status, headers, bytes } = await get(DOWNLOAD, { range })
      expect([range, status, headers['content-range'], headers['content-length'], headers.etag]).toEqual([
        range,
        206,
        `bytes ${start}-${end}/5000`,
        String(end - start + 1),
        `"${SUM}"`,
      ])
      expect(bytes.equals(CONTENT.subarray(start, end + 1))).toBe(true)
    }
  })

  it('that the file does not have is 416 with its length', async () => {
    for (const range of ['bytes=5000-', 'bytes=9999-10000', 'bytes=-0']) {
      const { status, headers } = await get(DOWNLOAD, { range })
      expect([range, status, headers['content-range']]).toEqual([range, 416, 'bytes */5000'])
    }
  })

  it('is the whole where it is several, of another kind, or not well-formed', async () => {
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes=9-3', 'bytes=a-b', 'bytes 0-1', 'bytes=1', ''])
      expect([range, (await get(DOWNLOAD, { range })).status]).toEqual([range, 200])
  })

  it('is the whole where the file is another one by now', async () => {
    for (const [condition, status] of [
      [`"${SUM}"`, 206],
      [`W/"${SUM}"`, 200],
      ['"other"', 200],
      ['Thu, 01 Jan 2026 00:00:00 GMT', 200],
    ] as const)
      expect([condition, (await get(DOWNLOAD, { range: 'bytes=9-', 'if-range': condition })).status]).toEqual([
        condition,
        status,
      ])
    expect((await get(DOWNLOAD, { 'if-none-match': `"${SUM}"` })).status).toBe(304)
    expect((await get(DOWNLOAD, { 'if-match': '"other"' })).status).toBe(412)
    expect((await get(DOWNLOAD, { 'if-match': `"${SUM}"`, range: 'bytes=1-' })).status).toBe(206)
  })

  it('has the sum as its tag only while that was told of this very file', async () => {
    utimesSync(uploads('backup.json'), 1, 1)
    const { headers } = await get(DOWNLOAD)
    expect(headers.etag).toMatch(/^"[0-9a-z]+-[0-9a-z]+-[0-9a-z]+"$/)
    const again = await get(DOWNLOAD, { range: 'bytes=9-', 'if-range': headers.etag as string })
    expect([again.status, again.bytes.length]).toEqual([206, 4991])
    writeFileSync(uploads('backup.tar'), Buffer.alloc(5000, 'x'))
    expect((await get(DOWNLOAD, { range: 'bytes=9-', 'if-range': headers.etag as string })).status).toBe(200)
  })

  it('comes of every file that is sent, an empty one too', async () => {
    writeFileSync(join(appliance.folders.root, 'log/update_backup.log'), '')
    expect((await get('/backup/log', { range: 'bytes=0-' })).status).toBe(416)
    expect((await get('/backup/log')).headers['content-length']).toBe('0')
    const part = await call(appliance.url, 'GET', '/console/app.js', { headers: { range: 'bytes=0-9' } })
    expect([part.status, part.bytes.length, part.headers['content-range']]).toEqual([
      206,
      10,
      expect.stringMatching(/^bytes 0-9\//),
    ])
    expect(
      (
        await call(appliance.url, 'GET', '/console/app.js', {
          headers: { 'if-none-match': part.headers.etag as string },
        })
      ).status,
    ).toBe(304)
  })

  it('of a link is nobody’s', async () => {
    const log = join(appliance.folders.root, 'log/update.log')
    symlinkSync('/etc/hostname', log)
    expect((await get('/update/log', { range: 'bytes=0-3' })).status).toBe(404)
  })
})

describe('a stream of events', () => {
  it('asks proxies to pass each event on, and keep none', async () => {
    const ask = { authorization: `Bearer ${bearer}` }
    const streams = [
      await call(appliance.url, 'GET', '/api/v1/jobs/events', { headers: ask }),
      await call(appliance.url, 'GET', '/console/events', {
        headers: { cookie: `__Host-edge-admin=${page.cookie}`, 'sec-fetch-site': 'same-origin' },
      }),
    ]
    for (const { status, headers } of streams)
      expect([status, headers['x-accel-buffering'], headers['cache-control']]).toEqual([200, 'no', 'no-store'])
  })
})

describe('an Authorization header', () => {
  const users = (headers: Record<string, string | string[]>) => call(appliance.url, 'GET', '/api/v1/users', { headers })
  it('names its scheme in any case, and has one token', async () => {
    for (const [header, status] of [
      [`bearer ${bearer}`, 200],
      [`BEARER ${bearer}`, 200],
      [`Bearer  ${bearer}`, 200],
      [`Bearer ${bearer} ${bearer}`, 401],
      [`Bearer ${bearer}, Bearer ${bearer}`, 401],
      [`Bearer${bearer}`, 401],
      [`Basic ${bearer}`, 401],
      ['bearer', 401],
    ] as const)
      expect([header.slice(0, 9), (await users({ authorization: header })).status]).toEqual([
        header.slice(0, 9),
        status,
      ])
  })
  it('comes once', async () => {
    const text = await raw(
      appliance.url,
      `GET /api/v1/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    // The listener refuses it already; the surface would, where a request came another way.
    expect(text).not.toContain('"username"')
  })
})

describe('Strict-Transport-Security', () => {
  it('speaks for this host alone, and can be left out', async () => {
    const paths = ['/healthz', '/', '/api/v1/admin/openapi.json', '/nowhere']
    for (const path of paths)
      expect((await call(appliance.url, 'GET', path)).headers['strict-transport-security']).toBe('max-age=31536000')
    const other = await startAppliance({ config: { ...ON.config, tls: { hsts: false } } })
    try {
      for (const path of paths)
        expect((await call(other.url, 'GET', path)).headers['strict-transport-security']).toBeUndefined()
    } finally {
      await other.close()
    }
  })
})

describe('a path that nobody has', () => {
  it('is refused in the dialect that was meant, with the right one', async () => {
    for (const [path, meant] of [
      ['/api/v1/pool', '/api/v1/pools'],
      ['/api/v1/datsets/tank/a', '/api/v1/datasets/{name}'],
      ['/api/v1/exports/nsf', '/api/v1/exports/nfs'],
      ['/api/v1/auth/loginn', '/api/v1/auth/login'],
    ]) {
      const { status, body } = await call(appliance.url, 'GET', path as string)
      expect([path, status, JSON.parse(body)]).toEqual([
        path,
        404,
        { code: 'NOT_FOUND', message: `There is no such path: did you mean "${meant}"?` },
      ])
    }
    expect(JSON.parse((await call(appliance.url, 'GET', '/api/v1/nothing/like/it')).body)).toEqual({
      code: 'NOT_FOUND',
      message: 'Not found',
    })
    expect(JSON.parse((await get('/versoin')).body)['Error-Message']).toBe(
      'There is no such path: did you mean "/api/v1/admin/version"?',
    )
  })
})

describe('a request that could be read in two ways', () => {
  const TWO = 'Host: x\r\nHost: y\r\n'
  const refusals: [what: string, head: string, status: number, code: string, words: string][] = [
    ['two hosts', TWO, 400, 'VALIDATION_ERROR', 'Expected one Host header'],
    ['no host', '', 400, 'VALIDATION_ERROR', 'Expected a Host header'],
    [
      'a list as its host',
      'Host: x, y\r\n',
      400,
      'VALIDATION_ERROR',
      'Expected a host name or an address, with or without a port',
    ],
    [
      'two tokens',
      'Host: x\r\nAuthorization: Bearer a\r\nauthorization: b\r\n',
      400,
      'VALIDATION_ERROR',
      'Expected one authorization header',
    ],
    [
      'a coding',
      'Host: x\r\nTransfer-Encoding: gzip, chunked\r\n',
      501,
      'NOT_IMPLEMENTED',
      'Expected Transfer-Encoding: chunked',
    ],
    [
      'too many headers',
      `Host: x\r\n${'a:\r\n'.repeat(1000)}`,
      431,
      'REQUEST_HEADER_FIELDS_TOO_LARGE',
      'Too many header lines. Allowed: < 1000',
    ],
  ]
  const REASONS: Record<number, string> = {
    400: 'Bad Request',
    431: 'Request Header Fields Too Large',
    501: 'Not Implemented',
  }

  it.each(refusals)(
    'is refused in the dialect of its path, with words: %s',
    async (_what, head, status, code, words) => {
      const ask = async (method: string, path: string) => {
        const answer = await raw(appliance.url, `${method} ${path} HTTP/1.1\r\n${head}\r\n`)
        const [top = '', body = ''] = answer.split('\r\n\r\n')
        expect(top).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\r\nConnection: close`, 'i'))
        expect(top).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n[\s\S]*\r\nX-Request-Id: \S/i)
        return body && JSON.parse(body)
      }
      for (const path of ['/api/v1/pools', '/healthz', '/console/session', 'http://x/api/v1/pools?a=b'])
        expect(await ask('GET', path)).toMatchObject({ code, message: words })
      for (const path of ['/api/v1/admin/version', '/nowhere'])
        expect(await ask('POST', path)).toEqual({ Status: `${status} ${REASONS[status]}`, 'Error-Message': words })
      expect(await ask('HEAD', '/api/v1/pools')).toBe('')
    },
  )

  it('so is a backslash in its path, and another version', async () => {
    const body = async (first: string) =>
      JSON.parse((await raw(appliance.url, `${first}\r\nHost: x\r\n\r\n`)).split('\r\n\r\n')[1] ?? '')
    expect(await body('GET /api/v1/pools\\x HTTP/1.1')).toEqual({
      code: 'BAD_REQUEST',
      message: 'Expected a path without a backslash',
    })
    expect(await body('GET /api/v1/pools HTTP/2.0')).toEqual({
      code: 'HTTP_VERSION_NOT_SUPPORTED',
      message: 'Expected HTTP/1.1',
    })
  })
})
