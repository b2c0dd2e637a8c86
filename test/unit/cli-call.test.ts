// `edge-admin call` against small servers in this process. The hash and the token travel in the URL, so every failing
// case also checks that they are in no message.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import busboy from 'busboy'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../src/cli/cli.ts'
import { createForm } from '../../src/cli/form.ts'

const HASH = 'b714a60732e096ccef06e360eefe0f1ba4fa5d16ef7da726612e2026e5523241'
const DIGEST = '13e2ff941bbc8692cad141c8d293dda2c4f1c1a3c51b93d54f1a1693e1206107'
const TOKEN = { EDGE_ADMIN_TOKEN: 'yourtoken' }

class Sink extends Writable {
  isTTY = false
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString('latin1')
    done()
  }
}

let base: string
let server: Server
let url: string
let answer: RequestListener
let seen: { method?: string; url?: string; headers?: IncomingMessage['headers'] }

beforeAll(async () => {
  server = createServer((request, response) => {
    seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
    answer(request, response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'edge-call-'))
  answer = ok
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const ok: RequestListener = (request, response) => {
  request.resume()
  request.on('end', () => response.setHeader('Content-Type', 'application/json').end('{"version":"1.0.0"}'))
}
const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(base, name), content)
  return join(base, name)
}

async function call(args: string[], { env = {} as Record<string, string>, tty = false, to = url } = {}) {
  const [stdout, stderr] = [new Sink(), new Sink()]
  stdout.isTTY = tty
  const status = await run(['call', '--url', to, ...args], { stdout, stderr, env })
  return { status, out: stdout.text, err: stderr.text }
}

/** One line, status, and neither the token nor anything signed with it. */
async function fails(args: string[], status: number, line: RegExp, more = {}) {
  const result = await call(args, { env: TOKEN, ...more })
  expect(result.status).toBe(status)
  expect(result.err).toMatch(line)
  expect(result.err).toMatch(/^edge-admin call: [^\n]*\n$/)
  expect(result.err + result.out).not.toMatch(/yourtoken|hash=|[0-9a-f]{64}/)
}

describe('what is sent', () => {
  it('is signed with the hash, over method and path without the query', async () => {
    const { status, out, err } = await call(['get', 'version'], { env: TOKEN })
    expect({ status, out, err }).toEqual({ status: 0, out: '{"version":"1.0.0"}', err: 'HTTP/1.1 200 OK\n' })
    expect(seen).toMatchObject({ method: 'GET', url: `/api/v1/admin/version?hash=${HASH}` })
    await call(['GET', '/api/v1/admin/version?wait=3&x=y'], { env: TOKEN })
    expect(seen.url).toBe(`/api/v1/admin/version?wait=3&x=y&hash=${HASH}`)
    await call(['GET', '/api/v1/admin/versio%6e'], { env: TOKEN })
    expect(seen.url).toBe(`/api/v1/admin/versio%6e?hash=${HASH}`)
  })

  it('takes the token from a file, also from an appliance’s own, which holds only the digest', async () => {
    for (const text of ['yourtoken\n', 'yourtoken', 'yourtoken\r\nmore', `sha256 ${DIGEST}\n`]) {
      await call(['GET', 'version', '--token-file', file('token', text)], { env: { EDGE_ADMIN_TOKEN: 'other' } })
      expect(seen.url).toBe(`/api/v1/admin/version?hash=${HASH}`)
    }
    await fails(['GET', 'version', '--token-file', file('token', '')], 1, /token: no token in it/)
    await fails(['GET', 'version', '--token-file', join(base, 'nowhere')], 1, /nowhere: no such file or folder/)
  })

  it('has the token in the query only when asked', async () => {
    await call(['GET', 'version', '--token-in-query'], { env: { EDGE_ADMIN_TOKEN: 'a+b&c=%' } })
    expect(seen.url).toBe('/api/v1/admin/version?token=a%2Bb%26c%3D%25')
    await fails(['GET', 'version', '--token-in-query'], 1, /needs the token itself/, { env: {} })
    const digest = file('token', `sha256 ${DIGEST}\n`)
    await fails(['GET', 'version', '--token-in-query', '--token-file', digest], 1, /needs the token itself/)
  })

  it('has no credentials when there are none: the first set-up', async () => {
    await call(['POST', 'setup', '-F', 'newtoken=x'])
    expect(seen.url).toBe('/api/v1/admin/setup')
  })

  it('goes to the server that was named, whatever the path says', async () => {
    await call(['GET', '//example.invalid/x'], { env: TOKEN })
    expect(seen.headers?.host).toBe(url.slice('http://'.length))
    await call(['GET', 'http://example.invalid/x'], { env: TOKEN })
    expect(seen.headers?.host).toBe(url.slice('http://'.length))
  })

  it.each([
    'ftp://127.0.0.1',
    'nonsense',
    'http://user:yourtoken@127.0.0.1',
    'http://127.0.0.1/prefix',
    'http://127.0.0.1/?x',
  ])('never goes to %s', (to) => fails(['GET', 'version'], 64, /--url is/, { to }))

  it('ends at once when nobody is there', async () => {
    await fails(['GET', 'version'], 1, /127\.0\.0\.1:1: nobody listens there/, { to: 'http://127.0.0.1:1' })
  })
})

describe('a form', () => {
  /** Reads the form as the server does, and answers what came. */
  const parse = async (request: IncomingMessage, response: ServerResponse) => {
    const found: unknown[] = []
    const parser = busboy({ headers: request.headers })
    parser.on('field', (name, value) => found.push([name, value]))
    parser.on('file', (name, stream, { filename, mimeType }) => {
      const hash = createHash('sha256')
      let size = 0
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length
        hash.update(chunk)
      })
      stream.on('end', () => found.push([name, filename, mimeType, size, hash.digest('hex')]))
    })
    await pipeline(request, parser)
    response.statusCode = 202
    response.end(JSON.stringify(found))
  }

  it('arrives as it was given, with its length known beforehand', async () => {
    answer = parse
    const bytes = Buffer.alloc(3_000_000, 'some bytes ')
    const args = [
      '-F',
      `update=@${file('pa"ck.enc', bytes)}`,
      '-F',
      'action=START=1',
      '-F',
      'empty=',
      '-F',
      `none=@${file('none', '')}`,
    ]
    const { status, out, err } = await call(['POST', 'update', ...args], { env: TOKEN })
    expect({ status, err }).toEqual({ status: 0, err: 'HTTP/1.1 202 Accepted\n' })
    const digest = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
    const octets = 'application/octet-stream'
    expect(JSON.parse(out).sort()).toEqual([
      ['action', 'START=1'],
      ['empty', ''],
      ['none', 'none', octets, 0, digest('')],
      ['update', 'pa%22ck.enc', octets, bytes.length, digest(bytes)],
    ])
    expect(Number(seen.headers?.['content-length'])).toBeGreaterThan(bytes.length)
    expect(seen.headers?.['transfer-encoding']).toBeUndefined()
  })

  it('is as long as it says, and nothing in it can break a header', async () => {
    const form = createForm([`a"\r\nX: y=@${file('x', 'content')}`, 'b=line\r\nline'])
    const chunks: Buffer[] = []
    for await (const chunk of form.body()) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    expect(text.length).toBe(form.length)
    expect(text).toContain('name="a%22%0D%0AX: y"; filename="x"\r\n')
    expect(text).not.toMatch(/^X:/m)
  })

  it.each([
    ['secret', 64, /-F expects name=value/],
    ['=x', 64, /-F expects name=value/],
    ['update=@/nowhere/at/all', 1, /all: no such file or folder/],
    ['update=@/', 1, /\/: not a plain file/],
  ])('is refused before anything is sent: %s', async (field, status, line) => {
    seen = {}
    await fails(['POST', 'update', '-F', field], status, line)
    expect(seen).toEqual({})
  })

  it('fails when the file shrinks on its way', async () => {
    const path = file('shrinks', Buffer.alloc(30_000_000))
    answer = (request) => {
      request.once('data', () => truncateSync(path, 100_000))
      request.on('error', () => {})
      request.resume()
    }
    await fails(['POST', 'update', '-F', `update=@${path}`], 1, /shrinks: changed while it was sent/)
  })

  it('sends what there was when the file grows', async () => {
    const path = file('grows', Buffer.alloc(5_000_000))
    answer = async (request, response) => {
      appendFileSync(path, 'more')
      await parse(request, response)
    }
    const { status, out } = await call(['POST', 'update', '-F', `update=@${path}`])
    expect(status).toBe(0)
    expect(JSON.parse(out)[0][3]).toBe(5_000_000)
  })

  it('shows the answer of a server that refuses it before the end', async () => {
    answer = (request, response) => {
      request.once('data', () => {
        response.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' })
        response.end('{"Status":"403 Forbidden"}')
      })
    }
    const path = file('big', Buffer.alloc(60_000_000))
    const { status, out, err } = await call(['POST', 'update', '-F', `update=@${path}`], { env: TOKEN })
    expect({ status, out, err }).toEqual({
      status: 1,
      out: '{"Status":"403 Forbidden"}',
      err: 'HTTP/1.1 403 Forbidden\n',
    })
  })

  it('says that the connection was cut', async () => {
    answer = (request) => request.once('data', () => request.socket.destroy())
    await fails(
      ['POST', 'update', '-F', `update=@${file('big', Buffer.alloc(60_000_000))}`],
      1,
      /the connection was cut/,
    )
  })
})

describe('the answer', () => {
  const reply =
    (status: number, type: string, body: string | Buffer): RequestListener =>
    (_request, response) =>
      void response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)

  it.each([
    [200, 0],
    [202, 0],
    [301, 1],
    [400, 1],
    [403, 1],
    [500, 1],
  ])('%i means exit status %i, and its body is printed', async (code, expected) => {
    answer = reply(code, 'application/json', '{"a":1}')
    expect(await call(['GET', 'x'])).toMatchObject({ status: expected, out: '{"a":1}' })
  })

  it('is laid out for a terminal, as it is otherwise', async () => {
    answer = reply(200, 'application/json', '{"a":{"b":1}}')
    expect((await call(['GET', 'x'], { tty: true })).out).toBe('{\n  "a": {\n    "b": 1\n  }\n}\n')
    expect((await call(['GET', 'x'])).out).toBe('{"a":{"b":1}}')
  })

  it('cannot command a terminal', async () => {
    answer = reply(200, 'text/plain', 'a\u001b[2Jb\tc\nd')
    const { out } = await call(['GET', 'x'], { tty: true })
    expect(Buffer.from(out, 'latin1').toString()).toBe('a\ufffd[2Jb\tc\nd\n')
    expect((await call(['GET', 'x'])).out).toContain('\u001b')
    answer = reply(200, 'application/x-tar', 'binary')
    expect(await call(['GET', 'x'], { tty: true })).toMatchObject({
      status: 1,
      out: '',
      err: expect.stringContaining('-o FILE'),
    })
  })

  it('is saved whole, for its owner only', async () => {
    const body = Buffer.alloc(2_000_000, 'tar')
    answer = reply(200, 'application/x-tar', body)
    const target = join(base, 'backup.tar')
    expect(await call(['GET', 'backup/download', '-o', target])).toMatchObject({ status: 0, out: '' })
    expect(readFileSync(target).equals(body)).toBe(true)
    expect(statSync(target).mode & 0o777).toBe(0o600)
    // What it replaces says whether a group reads it; others never do.
    chmodSync(target, 0o644)
    expect(await call(['GET', 'backup/download', '-o', target])).toMatchObject({ status: 0 })
    expect(statSync(target).mode & 0o777).toBe(0o640)
    expect(readdirSync(base)).toEqual(['backup.tar'])
  })

  it('is not saved when it is an error, or ends too early', async () => {
    const target = file('backup.tar', 'old')
    answer = reply(404, 'application/json', '{"Status":"404 Not Found"}')
    expect(await call(['GET', 'x', '-o', target])).toMatchObject({ status: 1, out: '{"Status":"404 Not Found"}' })
    answer = (request, response) => {
      response.writeHead(200, { 'Content-Length': 1_000_000 })
      response.write('half', () => request.socket.destroy())
    }
    const cut = await call(['GET', 'x', '-o', target])
    expect(cut).toMatchObject({ status: 1, err: expect.stringContaining('cut before the body was whole') })
    expect(readFileSync(target, 'utf8')).toBe('old')
    expect(readdirSync(base)).toEqual(['backup.tar'])
  })

  it('may go to a device, which stays one', async () => {
    expect(await call(['GET', 'x', '-o', '/dev/null'])).toMatchObject({ status: 0, out: '' })
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })
})

describe('over TLS', () => {
  let folder: string
  let secure: ReturnType<typeof createTlsServer>
  let to: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'edge-call-tls-'))
    const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    execFileSync(
      'openssl',
      [...request, '-subj', '/CN=x', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      { stdio: 'ignore' },
    )
    secure = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) =>
      ok(request, response),
    )
    await new Promise<void>((ready) => secure.listen(0, '127.0.0.1', ready))
    to = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`
  })
  afterAll(() => {
    secure.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('a stranger’s certificate is refused, unless it is named or the check is switched off', async () => {
    await fails(['GET', 'version'], 1, /its certificate is not trusted \([A-Z_]+\): use --ca or --insecure/, { to })
    expect(await call(['GET', 'version', '--ca', join(folder, 'cert')], { to })).toMatchObject({ status: 0 })
    expect(await call(['GET', 'version', '--insecure'], { to })).toMatchObject({ status: 0 })
    expect(existsSync(join(folder, 'cert'))).toBe(true)
    await fails(['GET', 'version', '--ca', join(folder, 'nowhere')], 1, /nowhere: no such file/, { to })
  })
})

describe('edge-admin call --user', () => {
  const requests: { path: string; authorization: string | undefined; body: string }[] = []
  beforeEach(() => {
    requests.length = 0
    answer = async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      requests.push({ path: `${request.method} ${request.url}`, authorization: request.headers.authorization, body })
      const right = body.includes('right-word-1') || request.url !== '/api/v1/auth/login'
      response.writeHead(right ? 200 : 401, { 'Content-Type': 'application/json' })
      response.end(right ? '{"token":"a.b.c"}' : '{"code":"UNAUTHORIZED","message":"Wrong user name or password"}')
    }
  })
  const run_ = async (args: string[], env: Record<string, string> = {}, input?: string) => {
    const [stdout, stderr] = [new Sink(), new Sink()]
    async function* feed() {
      yield Buffer.from(input ?? '')
    }
    const status = await run(['call', ...args, '--url', url, '--user', 'ann'], {
      ...{ stdout, stderr, env },
      ...(input !== undefined && { stdin: feed() }),
    })
    return { status, out: stdout.text, err: stderr.text }
  }

  it('logs in with a password from a file, the environment or standard input, and sends the token and JSON', async () => {
    const file = join(base, 'password')
    writeFileSync(file, 'right-word-1\n')
    const wide = join(base, 'password.wide')
    writeFileSync(wide, Buffer.from('\ufeffright-word-1\r\n', 'utf16le'))
    const json = '{"name":"tank/a"}'
    for (const [args, env, input] of [
      [['--password-file', file], {}, undefined],
      [[], { EDGE_ADMIN_PASSWORD: 'right-word-1' }, undefined],
      [['--password-file', wide], {}, undefined],
      [[], {}, 'right-word-1\n'],
      [[], {}, '\ufeffright-word-1\r\n'],
    ] as const) {
      requests.length = 0
      const { status, err } = await run_(['POST', 'datasets', '--json', json, ...args], env, input)
      expect([status, err]).toEqual([0, 'HTTP/1.1 200 OK\n'])
      expect(requests).toEqual([
        {
          path: 'POST /api/v1/auth/login',
          authorization: undefined,
          body: '{"username":"ann","password":"right-word-1"}',
        },
        { path: 'POST /api/v1/datasets', authorization: 'Bearer a.b.c', body: json },
      ])
    }
  })

  it('sends no password that lost letters on its way', async () => {
    const file = join(base, 'password.latin')
    writeFileSync(file, Buffer.from('gr\u00fc\u00dfe-word-1\n', 'latin1'))
    const { status, err } = await run_(['GET', 'pools', '--password-file', file])
    expect([status, err]).toEqual([1, `edge-admin call: ${file}: bytes that are not UTF-8; expected UTF-8\n`])
    expect(requests).toEqual([])
  })

  it('says why the log-in was refused, and asks for nothing then', async () => {
    const { status, out, err } = await run_(['GET', 'pools'], {}, 'wrong-word-1\n')
    expect([status, out]).toEqual([1, ''])
    expect(err).toMatch(/the log-in was refused: Wrong user name or password\n$/)
    expect(err).not.toContain('wrong-word-1')
    expect(requests).toHaveLength(1)
  })

  it.each([
    [['GET', 'pools'], /--user needs --password-file/],
    [['GET', 'pools', '--token-file', 'x'], /--user, or the token: not both/],
    [['POST', 'pools', '--json', '{'], /--json: not JSON/],
    [['POST', 'pools', '--json', '{}', '-F', 'a=b'], /--json, or -F: not both/],
  ])('refuses %j', async (args, line) => {
    const { err } = await run_(args)
    expect(err).toMatch(line)
    expect(requests).toEqual([])
  })
})
