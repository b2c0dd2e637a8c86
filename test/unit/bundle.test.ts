// The bundle as it ships, where it differs from the sources: parts of its packages are left out (build/trim.ts), and what is near the gaps works.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const BUNDLE = join(import.meta.dirname, '../../dist/edge-admin.js')
const folder = mkdtempSync(join(tmpdir(), 'edge-admin-bundle-'))
const folders = [
  '--root',
  folder,
  ...['sysconf', 'data', 'state'].flatMap((name) => [`--${name}dir`, join(folder, name)]),
]
let server: ChildProcess | undefined
let port = 0

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

const ask = (name: string) => fetchText(`/api/v1/admin/${name}?token=tok`)

const fetchText = (path: string) =>
  new Promise<{ status: number; body: string }>((resolve) => {
    get(`https://127.0.0.1:${port}${path}`, { agent: false, rejectUnauthorized: false }, (incoming) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        body += chunk
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
    }).on('error', () => resolve({ status: 0, body: '' }))
  })

beforeAll(async () => {
  if (!existsSync(BUNDLE)) throw new Error('there is no bundle: run `make build`')
  execFileSync(process.execPath, [BUNDLE, 'init', '--sample', ...folders])
  writeFileSync(join(folder, 'etc/api.token'), `sha256 ${createHash('sha256').update('tok').digest('hex')}\n`)
  const file = join(folder, 'sysconf/edge-admin.json')
  const controller = { enabled: true, metrics: 'public' }
  writeFileSync(
    file,
    JSON.stringify({
      ...JSON.parse(readFileSync(file, 'utf8')),
      surfaces: { controller },
      log: { access: true, file: join(folder, 'server.log') },
    }),
  )
  port = await freePort()
  server = spawn(process.execPath, [BUNDLE, 'serve', ...folders, '--port', String(port)], { stdio: 'ignore' })
  for (const deadline = Date.now() + 30_000; (await ask('version')).status !== 200; ) {
    if (Date.now() > deadline) throw new Error('the bundle does not answer')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
})

afterAll(async () => {
  if (server && server.exitCode === null) {
    const gone = new Promise((resolve) => server?.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
})

test('the bundle is plain ASCII, which V8 keeps in half the memory', () => {
  expect(/[^\0-\x7f].*/.exec(readFileSync(join(BUNDLE, '../main.js'), 'utf8'))?.[0]).toBeUndefined()
})

test('the bundle makes itself a certificate whose signature holds', () => {
  const certificate = new X509Certificate(readFileSync(join(folder, 'sysconf/pki/tls/certs/enterprise.crt')))
  expect(certificate.verify(certificate.publicKey)).toBe(true)
  expect(certificate.subjectAltName).toContain('IP Address:127.0.0.1')
  expect(certificate.ca).toBe(false)
})

test('the bundle tells disk, memory and processor use', async () => {
  const { status, body } = await ask('health')
  expect(status).toBe(200)
  const health = JSON.parse(body)
  for (const part of ['disk', 'memory']) {
    expect(health[part].total).toMatch(/^\d+(\.\d)?[KMGTP]$/)
    expect(health[part].percentage).toBeGreaterThan(0)
  }
})

test('the bundle describes itself', async () => {
  const { body } = await ask('openapi.json')
  expect(JSON.parse(body).openapi).toBe('3.1.0')
})

test('the bundle counts for a scrape', async () => {
  const { status, body } = await fetchText('/metrics')
  expect(status).toBe(200)
  expect(body).toMatch(/^# TYPE edge_admin_http_requests_total counter$/m)
  expect(body).toMatch(/^edge_admin_http_requests_total\{method="GET",.*status="200"\} \d+$/m)
  expect(body).toMatch(/^edge_admin_storage_up [01]$/m)
})

test('the bundle writes its log, without the token of a request', async () => {
  await ask('version')
  await expect
    .poll(() => readFileSync(join(folder, 'server.log'), 'utf8'), { timeout: 30_000 })
    .toMatch(/"path":"\/api\/v1\/admin\/version"/)
  expect(readFileSync(join(folder, 'server.log'), 'utf8')).not.toContain('token=tok')
})

test('the bundle finds the page of the console, built beside it', async () => {
  const page = await fetchText('/')
  expect(page.status).toBe(200)
  for (const [, path = ''] of page.body.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g))
    expect([path, (await fetchText(path)).status]).toEqual([path, 200])
  expect(page.body).toContain('src="/console/app.js"')
})
