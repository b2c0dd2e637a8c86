// The bundle as it ships, where it differs from the sources: parts of its packages are left out (build/trim.ts), and what is near the gaps works.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const BUNDLE = join(import.meta.dirname, '../../dist/edge-admin.js')
// On a disk: one in memory may be as good as empty, and this looks at how full it is.
const folder = mkdtempSync('/var/tmp/edge-admin-bundle-')
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

const fetchText = (path: string, options: RequestOptions = {}, sent = '') =>
  new Promise<{ status: number; body: string }>((resolve) => {
    request(`https://127.0.0.1:${port}${path}`, { agent: false, rejectUnauthorized: false, ...options }, (incoming) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        body += chunk
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
    })
      .on('error', () => resolve({ status: 0, body: '' }))
      .end(sent)
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
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
})

test('the bundle is plain ASCII, which V8 keeps in half the memory', () => {
  const files = readdirSync(join(BUNDLE, '../lib'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  )
  expect(files.length).toBeGreaterThan(5)
  const odd = files.map((name) => [name, /[^\0-\x7f].*/.exec(readFileSync(join(BUNDLE, '../lib', name), 'utf8'))?.[0]])
  expect(odd.filter(([, text]) => text)).toEqual([])
})

test('the bundle makes a require only where something calls it', () => {
  const lib = join(BUNDLE, '../lib')
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
  const made = files.flatMap((name) => readFileSync(join(lib, name), 'utf8').match(/\bcreateRequire\b/g) ?? [])
  expect(made.length).toBeGreaterThan(0)
  expect(made.length).toBeLessThan(10)
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

test('the bundle builds a package and reads it', () => {
  const at = (name: string) => join(folder, name)
  const edge = (...args: string[]) =>
    execFileSync(process.execPath, [BUNDLE, 'package', ...args], { encoding: 'utf8', stdio: 'pipe' })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  mkdirSync(at('payload'))
  const files = {
    'payload/update.sh': '#!/bin/sh\n',
    'u.key': 'a passphrase that is long enough\n',
    'u.priv': privateKey,
    'u.pub': publicKey,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  edge('build', '--key', at('u.key'), '--sign', at('u.priv'), '--version', '9.0.0', '--out', at('u.enc'), at('payload'))
  expect(edge('verify', at('u.enc'), '--key', at('u.key'), '--pub', at('u.pub'))).toContain('9.0.0')
})

test('the bundle takes a form with a file', async () => {
  const body = '--b\r\nContent-Disposition: form-data; name="license"; filename="l"\r\n\r\nnothing\r\n--b--\r\n'
  const headers = { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': String(body.length) }
  const answer = await fetchText('/api/v1/admin/license?token=tok', { method: 'POST', headers }, body)
  // Read to its end, then refused for what it holds.
  expect([answer.status, answer.body]).toEqual([400, expect.stringContaining('license')])
})

test('the bundle goes on with a stream of events', async () => {
  const password = readFileSync(join(folder, 'state/admin.password'), 'utf8').trim()
  const login = { method: 'POST', headers: { 'Content-Type': 'application/json' } }
  const { body } = await fetchText('/api/v1/auth/login', login, JSON.stringify({ username: 'admin', password }))
  const headers = { Authorization: `Bearer ${JSON.parse(body).token}` }
  const read = await new Promise<string>((resolve) => {
    let text = ''
    const options = { agent: false, rejectUnauthorized: false, headers }
    const stream = request(`https://127.0.0.1:${port}/api/v1/jobs/events`, options, (incoming) => {
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        // What happens once it has begun has to come as well.
        if (text === '') void ask('logs')
        text += chunk
        // The task outlives the server, and would go on writing where the test tidies up.
        if (/"status":"(?:completed|failed)"/i.test(text)) stream.destroy()
      })
      incoming.on('error', () => {}).on('close', () => resolve(text))
    }).end()
  })
  expect(read).toContain('event: job\n')
  expect(read).not.toContain('Error')
})
