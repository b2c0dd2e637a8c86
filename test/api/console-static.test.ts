// The page and what it loads, as a browser fetches it. The fixture is a folder of its own, so that an update can be
// played: what changed has to be there at the next question, and what did not is not sent again.
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, PAGE, startAppliance, startServer, temporaryFolder } from './appliance.ts'
import { call } from './client.ts'

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/docs': ['index.html', 'text/html; charset=utf-8'],
  '/docs/': ['index.html', 'text/html; charset=utf-8'],
  '/console/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/console/app.css': ['app.css', 'text/css; charset=utf-8'],
  '/console/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

let appliance: InProcess
let page: string
beforeAll(async () => {
  page = join(temporaryFolder(), 'console')
  cpSync(PAGE, page, { recursive: true })
  appliance = await startAppliance({ page })
})
afterAll(() => appliance?.close())
const get = (path: string, headers: Record<string, string> = {}) => call(appliance.url, 'GET', path, { headers })

describe('the page', () => {
  for (const [path, [name, type]] of Object.entries(FILES))
    it(`has ${path}, for anyone, with the strict policy`, async () => {
      const { status, headers, bytes } = await get(path)
      expect([status, headers['content-type'], headers['content-length']]).toEqual([200, type, String(bytes.length)])
      expect(bytes.equals(readFileSync(join(page, name)))).toBe(true)
      expect(headers).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
        'content-disposition': `inline; filename="${name}"`,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'deny',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age='),
        'x-request-id': expect.any(String),
      })
      expect([headers['content-encoding'], headers['set-cookie']]).toEqual([undefined, undefined])
    })

  it('is sent compressed to whoever takes that, where it was compressed', async () => {
    const packed = await get('/console/app.js', { 'accept-encoding': 'br, gzip;q=0.5' })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.headers['content-length']).toBe(String(packed.bytes.length))
    expect(gunzipSync(packed.bytes).equals(readFileSync(join(page, 'app.js')))).toBe(true)
    for (const accept of ['gzip', 'deflate,gzip', 'GZIP', 'gzip;q=1.0', 'gzip ; q=0.001'])
      expect([
        accept,
        (await get('/console/app.css', { 'accept-encoding': accept })).headers['content-encoding'],
      ]).toEqual([accept, 'gzip'])
    for (const accept of ['', 'identity', 'gzip;q=0', 'gzip;q=0.000', 'br', 'xgzip', 'gzipped'])
      expect([
        accept,
        (await get('/console/app.css', { 'accept-encoding': accept })).headers['content-encoding'],
      ]).toEqual([accept, undefined])
    const plain = await get('/console/icon.svg', { 'accept-encoding': 'gzip' })
    expect([plain.status, plain.headers['content-encoding'], plain.body]).toEqual([
      200,
      undefined,
      readFileSync(join(page, 'icon.svg'), 'utf8'),
    ])
  })

  it('is not sent again to whoever has it, and is when it changed', async () => {
    const first = await get('/console/app.js')
    const packed = await get('/console/app.js', { 'accept-encoding': 'gzip' })
    const [tag, packedTag] = [String(first.headers.etag), String(packed.headers.etag)]
    expect([/^"[\w-]+"$/.test(tag), tag === packedTag]).toEqual([true, false])
    const again = await get('/console/app.js', { 'if-none-match': `"other", ${tag}` })
    expect([again.status, again.body, again.headers.etag, again.headers['cache-control']]).toEqual([
      ...[304, '', tag, 'no-cache'],
    ])
    expect((await get('/console/app.js', { 'if-none-match': packedTag })).status).toBe(200)
    const same = await get('/console/app.js', { 'if-none-match': packedTag, 'accept-encoding': 'gzip' })
    expect(same.status).toBe(304)
    // An update of the appliance brings another page under a server that goes on.
    const next = 'document.title = "next"\n'
    for (const [name, bytes] of [
      ['app.js', next],
      ['app.js.gz', gzipSync(next)],
    ] as const) {
      rmSync(join(page, name))
      writeFileSync(join(page, name), bytes)
    }
    const changed = await get('/console/app.js', { 'if-none-match': tag })
    expect([changed.status, changed.body]).toEqual([200, next])
    const repacked = await get('/console/app.js', { 'if-none-match': packedTag, 'accept-encoding': 'gzip' })
    expect([repacked.status, gunzipSync(repacked.bytes).toString()]).toEqual([200, next])
  })

  it('SEC-26 sends no other file, and nothing through a link', async () => {
    for (const path of ['/console/', '/console/index.html', '/console/app.js.gz', '/console/app.js/x', '/console'])
      expect([path, (await get(path)).status]).toEqual([path, 404])
    for (const path of ['/console/..%2fapp.js', '/console/%2e%2e/etc/passwd', '/console//app.js'])
      expect([path, (await get(path)).status]).toEqual([path, 400])
    const file = join(page, 'icon.svg')
    const icon = readFileSync(file)
    rmSync(file)
    symlinkSync('/etc/passwd', file)
    expect((await get('/console/icon.svg')).status).toBe(503)
    rmSync(file)
    mkdirSync(file)
    expect((await get('/console/icon.svg')).status).toBe(503)
    rmSync(file, { recursive: true })
    writeFileSync(file, icon)
    expect((await get('/console/icon.svg')).status).toBe(200)
  })

  it('says so when it was never built, and is there once it is', async () => {
    const folder = join(temporaryFolder(), 'console')
    const bare = await startAppliance({ page: folder })
    try {
      for (const path of Object.keys(FILES)) {
        const { status, body } = await call(bare.url, 'GET', path)
        expect([path, status, JSON.parse(body)]).toEqual([
          path,
          503,
          { code: 'SERVICE_UNAVAILABLE', message: 'The console was not built: "make build" builds it' },
        ])
      }
      expect((await call(bare.url, 'GET', '/docs/API.html')).status).toBe(200)
      cpSync(PAGE, folder, { recursive: true })
      expect((await call(bare.url, 'GET', '/')).status).toBe(200)
    } finally {
      await bare.close()
    }
  })

  it('is found beside the program', async () => {
    const server = await startServer()
    try {
      const { status, bytes } = await call(server.url, 'GET', '/')
      expect([status, bytes.equals(readFileSync(join(PAGE, 'index.html')))]).toEqual([200, true])
    } finally {
      await server.close()
    }
  })

  it('answers what is no GET, and what is not there, in its own words', async () => {
    const post = await call(appliance.url, 'POST', '/console/overview')
    expect([post.status, JSON.parse(post.body).code]).toEqual([401, 'UNAUTHORIZED'])
    const put = await call(appliance.url, 'PUT', '/')
    expect([put.status, put.headers.allow, JSON.parse(put.body).code]).toEqual([405, 'GET, HEAD', 'METHOD_NOT_ALLOWED'])
    const none = await get('/console/none')
    expect([none.status, JSON.parse(none.body)]).toEqual([404, { code: 'NOT_FOUND', message: 'Not found' }])
    expect((await get('/?token=x')).status).toBe(400)
  })
})
