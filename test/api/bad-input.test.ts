// Bad input of every kind against one server. Each case ends with the same question: does the server go on, and is
// nothing left?
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { type Answer, type CallOptions, call, file, multipart, PREFIX, raw, until } from './client.ts'
import { runOnSmallDisk } from './small-disk.ts'

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({ config: { limits: { 'idle-seconds': 1, update: '1M', archive: '1M' } } })
})
afterAll(() => appliance?.close())

afterEach(async () => {
  appliance.app.backOff.succeed('127.0.0.1')
  await until('nothing is left of the upload', () => appliance.incoming().length === 0)
  expect((await appliance.call('GET', '/version')).body).toBe('{"version":"1.0.0"}')
  expect(readdirSync(join(appliance.folders.root, 'home/sftp/uploads'))).toEqual([])
  expect(readdirSync(join(appliance.folders.state, 'tasks'))).toEqual([])
  expect(appliance.warnings).toEqual([])
})

const REASON: Record<number, string> = {
  400: '400 Bad Request',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  408: '408 Request Timeout',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  431: '431 Request Header Fields Too Large',
}
/** A refusal in the surface's own shape; `message` is a part of its text. */
function refused({ status, headers, body }: Answer, expected: number, message?: string): void {
  expect([status, body.slice(0, 200)]).toEqual([expected, expect.stringContaining(`"Status":"${REASON[expected]}"`)])
  expect(headers['content-type']).toBe('application/json')
  const answer = JSON.parse(body) as Record<string, unknown>
  expect(headers['error-message']).toBe(answer['Error-Message'])
  if (message !== undefined) expect(answer['Error-Message'] ?? '').toContain(message)
}
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
const signed = (method: string, path: string) => `${PREFIX}${path}?hash=${appliance.hash(method, path)}`
const upload = (options: CallOptions) => appliance.call('POST', '/update', options)
const TYPE = 'multipart/form-data; boundary=b'
const part = (name: string, extra = '') => `--b\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`

describe('SEC-15 a multipart body', () => {
  const bodies: [string, string, string, number, string?][] = [
    ['without a boundary', 'multipart/form-data', '--b\r\n', 400, 'Malformed multipart body'],
    ['with an empty boundary', 'multipart/form-data; boundary=', '--b\r\n', 400, 'Malformed multipart body'],
    ['that is empty', TYPE, '', 400],
    ['that is not multipart', TYPE, 'hello', 400, 'Malformed multipart body'],
    ['that ends in the middle of a header', TYPE, '--b\r\nContent-Dispo', 400, 'Malformed multipart body'],
    [
      'that ends in the middle of a file',
      TYPE,
      `${part('update', '; filename="f"')}abc`,
      400,
      'Malformed multipart body',
    ],
    ['without a name', TYPE, '--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n', 400],
    ['with an unknown part', TYPE, `${part('other')}x\r\n--b--\r\n`, 400, 'Unknown parameter'],
    ['with an unknown file', TYPE, `${part('other', '; filename="f"')}x\r\n--b--\r\n`, 400, 'Unknown parameter'],
    [
      'with text for a file',
      TYPE,
      `${part('update')}../../etc/passwd\r\n--b--\r\n`,
      400,
      'Expected a file for option: update',
    ],
    ['with a file without a name', TYPE, `${part('update', '; filename=""')}\r\n--b--\r\n`, 400],
    ['with __proto__', TYPE, `${part('__proto__')}x\r\n--b--\r\n`, 400, 'Unknown parameter'],
    ['with constructor', TYPE, `${part('constructor', '; filename="f"')}x\r\n--b--\r\n`, 400, 'Unknown parameter'],
    [
      'with 10 000 parts',
      TYPE,
      `${`${part('token')}x\r\n`.repeat(10_000)}--b--\r\n`,
      400,
      'Too many parts in the form',
    ],
    ['with 10 000 files', TYPE, `${`${part('other', '; filename="f"')}x\r\n`.repeat(10_000)}--b--\r\n`, 400],
    [
      'with a header of a megabyte',
      TYPE,
      `${part('update', `; filename="${'f'.repeat(1 << 20)}"`)}x\r\n--b--\r\n`,
      400,
    ],
    [
      'with a text of a megabyte',
      TYPE,
      `${part('token')}${'x'.repeat(1 << 20)}\r\n--b--\r\n`,
      400,
      'A text part is longer than',
    ],
    ['with a name of a kilobyte', TYPE, `${part('n'.repeat(1024))}x\r\n--b--\r\n`, 400],
    ['of another type', 'application/json', '{}', 415, 'Expected a body of type multipart/form-data'],
    ['of no type', '', 'x', 400, 'Expected a body of type multipart/form-data'],
    [
      'that is a form with a file’s name',
      'application/x-www-form-urlencoded',
      'update=x',
      400,
      'Expected a file for option',
    ],
  ]
  for (const [what, type, body, status, message] of bodies) {
    it(`is refused: ${what}`, async () => {
      refused(await upload({ body, headers: type ? { 'content-type': type } : {} }), status, message)
    })
  }

  it('that is larger than allowed is refused with the limit and the size', async () => {
    const bytes = Buffer.alloc(1_100_000)
    refused(
      await upload({ form: [file('update', bytes)] }),
      413,
      'File too large for option: update. Allowed: <= 1048576 bytes, received: ',
    )
  })

  it('that announces too much is refused before its first byte', async () => {
    const answer = await upload({ headers: { 'content-type': TYPE, 'content-length': '99999999999' } })
    refused(answer, 413, 'Allowed: <= 1048576 bytes, received: 99999999999 bytes')
    expect(answer.headers['connection']).toBe('close')
  })

  it('that is larger than allowed in chunks is refused too', async () => {
    const { body } = multipart([file('update', Buffer.alloc(1_100_000))], 'b')
    refused(await upload({ body, headers: { 'content-type': TYPE, 'transfer-encoding': 'chunked' } }), 413)
  })

  it('that stops arriving is given up after idle-seconds', async () => {
    const head = `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 5000\r\n\r\n`
    const answer = await raw(appliance.url, `${head}${part('update', '; filename="f"')}abc`)
    expect([statusOf(answer), answer]).toEqual([408, expect.stringContaining('The body stopped arriving')])
  })

  it('that stops arriving before its first byte is given up as well', async () => {
    const head = `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 5000\r\n\r\n`
    expect(statusOf(await raw(appliance.url, head))).toBe(408)
    const form = head.replace(TYPE, 'application/x-www-form-urlencoded')
    expect([0, 408]).toContain(statusOf(await raw(appliance.url, `${form}tok`)) || 0)
  })

  it('whose client goes away leaves nothing behind', async () => {
    const { hostname, port } = new URL(appliance.url)
    const socket = connect({ host: hostname, port: Number(port) })
    socket.write(
      `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 500000\r\n\r\n${part('update', '; filename="f"')}${'x'.repeat(100_000)}`,
    )
    await until('the upload has begun', () => appliance.incoming().length === 1)
    socket.destroy()
    await until('it is gone', () => appliance.incoming().length === 0)
  })

  it('with a content length that is too small is refused, and what follows is no request', async () => {
    const body = `${part('update', '; filename="f"')}x\r\n--b--\r\n`
    const smuggled = `GET ${PREFIX}/reboot HTTP/1.1\r\nHost: x\r\n\r\n`
    const answer = await raw(
      appliance.url,
      `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: 20\r\n\r\n${body}${smuggled}`,
    )
    expect(statusOf(answer)).toBe(400)
    expect(answer.match(/HTTP\/1\.1 [23]/g)).toBeNull()
  })

  it('with two lengths, a negative one, or a length and chunks is refused', async () => {
    for (const headers of [
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: -1',
      'Content-Length: 1e3',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
      'Transfer-Encoding: chunked, identity',
    ]) {
      const answer = await raw(
        appliance.url,
        `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\nhello`,
      )
      expect([headers, statusOf(answer)]).toEqual([headers, 400])
      expect(answer).toContain('{"Status":"400 Bad Request"}')
    }
  })

  it('in chunks that are none is refused', async () => {
    const head = `POST ${signed('POST', '/update')} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n`
    const answer = await raw(appliance.url, `${head}zz\r\nhello\r\n`)
    expect(statusOf(answer)).toBe(400)
  })
})

describe('an Expect header', () => {
  const head = (path: string, expectation: string, length = 500) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${TYPE}\r\nContent-Length: ${length}\r\nExpect: ${expectation}\r\n\r\n`

  it('of 100-continue is answered with the refusal, before the body is sent', async () => {
    for (const [path, status] of [
      [`${PREFIX}/update?token=wrong`, 100],
      [`${PREFIX}/nothing`, 404],
      [`${PREFIX}/update?nonsense=1`, 400],
    ] as const) {
      const answer = await raw(appliance.url, head(path, '100-continue'), {
        enough: (text) => text.includes('\r\n\r\n'),
      })
      expect([path, statusOf(answer)]).toEqual([path, status])
    }
    const large = await raw(appliance.url, head(signed('POST', '/update'), '100-continue', 99_999_999), {
      enough: (text) => text.includes('}'),
    })
    expect(statusOf(large)).toBe(413)
  })

  it('of 100-continue without credentials in a body of another type is refused before the body', async () => {
    const answer = await raw(
      appliance.url,
      head(`${PREFIX}/update?token=wrong`, '100-continue').replace(TYPE, 'application/octet-stream'),
      { enough: (text) => text.includes('}') },
    )
    expect(statusOf(answer)).toBe(403)
    expect(answer).not.toContain('100 Continue')
  })

  it('of 100-continue is granted to who may', async () => {
    const answer = await raw(appliance.url, head(signed('POST', '/update'), '100-continue'), {
      enough: (text) => text.includes('\r\n\r\n'),
    })
    expect(answer).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  })

  it.each(['100-continue, 100-continue', '100-continue\r\nExpect: 100-Continue', 'x, 100-continue'])(
    'of 100-continue in a list is granted once: %s',
    async (expectation) => {
      const answer = await raw(appliance.url, head(signed('POST', '/update'), expectation), {
        enough: (text) => text.includes('\r\n\r\n'),
      })
      expect(answer).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    },
  )

  it('of 100-continue by HTTP/1.0 is ignored', async () => {
    const text = `${head(signed('POST', '/update'), '100-continue', 5).replace('HTTP/1.1', 'HTTP/1.0')}hello`
    expect(await raw(appliance.url, text)).toMatch(/^HTTP\/1\.1 4/)
  })

  it('that is empty, or something else, is ignored', async () => {
    for (const expectation of ['', 'x', '200-ok']) {
      const answer = await raw(
        appliance.url,
        `GET ${signed('GET', '/version')} HTTP/1.1\r\nHost: x\r\nExpect: ${expectation}\r\nConnection: close\r\n\r\n`,
      )
      expect([expectation, statusOf(answer)]).toEqual([expectation, 200])
    }
  })
})

describe('SEC-07 a path', () => {
  const paths = [
    ...[
      '//api/v1/admin/version',
      '/api/v1//admin/version',
      '/api/v1/admin/../admin/version',
      '/api/v1/admin/./version',
    ],
    ...[
      '/%2e%2e/api/v1/admin/version',
      '/api/v1/admin/%2e/version',
      '/api/v1/admin%2fversion',
      '/api/v1/admin/version%00',
    ],
    ...[
      '/api/v1/admin/version%252e',
      '/api/v1/admin\\version',
      '/api/v1/admin/version;x',
      '/api/v1/admin/version%0d%0a',
    ],
    ...[
      '/api/v1/admin/%c0%ae%c0%ae/version',
      '/api/v1/admin/version%ff',
      '/api/v1/admin/version%zz',
      '/api/v1/admin/%5cversion',
    ],
  ]
  for (const path of paths) {
    it(`is refused whoever asks: ${path}`, async () => {
      for (const options of [{}, { token: 'yourtoken' }]) refused(await call(appliance.url, 'GET', path, options), 400)
    })
  }

  it('that names no endpoint is 404, whoever asks', async () => {
    for (const path of [
      '/nope',
      '/Version',
      '/versionx',
      '/version/nope',
      '/version/default',
      '/update/index.l',
      '/backup/nope',
    ]) {
      refused(await appliance.call('GET', path), 404)
      refused(await appliance.call('GET', path, { nobody: true }), 404)
    }
  })

  it('with a trailing slash is the same endpoint, and the slash is signed', async () => {
    expect((await appliance.call('GET', '/version/')).status).toBe(200)
    refused(await appliance.call('GET', '/version/', { hash: appliance.hash('GET', '/version') }), 403)
  })

  it('that is signed as it is decoded is the same endpoint', async () => {
    expect((await appliance.call('GET', '/%76ersion')).status).toBe(200)
  })

  it('of 20 kilobytes is refused by the parser', async () => {
    const answer = await raw(appliance.url, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect([statusOf(answer), answer]).toEqual([431, expect.stringContaining(`{"Status":"${REASON[431]}"}`)])
  })
})

describe('a method', () => {
  it('that is not the endpoint’s is 405 with what is allowed, or 400 in the original’s words', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const answer = await appliance.call(method, '/update')
      refused(answer, 405)
      expect(answer.headers['allow']).toBe('POST, GET, HEAD')
    }
    for (const method of ['PROPFIND', 'TRACE', 'OPTIONS', 'SEARCH', 'MKCOL']) {
      refused(await appliance.call(method, '/version'), 405)
    }
  })
  it('that does not exist is 400', async () => {
    for (const method of ['FOO', 'get', 'G E T', '', 'GET\0']) {
      const answer = await raw(appliance.url, `${method} ${PREFIX}/version HTTP/1.1\r\nHost: x\r\n\r\n`)
      expect([method, statusOf(answer)]).toEqual([method, 400])
    }
  })
  it('of garbage instead of HTTP is 400', async () => {
    for (const text of ['\x16\x03\x01\x02\0\x01\0', 'hello\r\n\r\n', 'GET\r\n\r\n', '\r\n\r\n\r\nx\r\n\r\n']) {
      expect([text, statusOf(await raw(appliance.url, text))]).toEqual([text, 400])
    }
  })
  it('of an HTTP that nobody speaks is 505', async () => {
    expect(statusOf(await raw(appliance.url, 'GET / HTTP/9.9\r\n\r\n'))).toBe(505)
  })
})

describe('a JSON document', () => {
  const send = (path: string, text: string | Buffer) => appliance.call('POST', path, { form: [file('settings', text)] })
  const documents: [string, string | Buffer][] = [
    ['nothing', ''],
    ['an empty object', '{}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['text', '"x"'],
    ['half of one', '{"network":'],
    ['something after it', '{"network":{"interface":"eth0","hostname":"abc"}} x'],
    ['two of one key', '{"network":{"interface":"eth0","interface":"eth1","hostname":"abc"}}'],
    ['wrong types', '{"network":{"interface":["eth0"],"hostname":{"a":1}},"storage":{"type":["nfs"]}}'],
    ['a lone surrogate', '{"network":{"interface":"eth0","hostname":"abc\\ud800"},"app":{}}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    [
      'SEC-39 __proto__',
      '{"__proto__":{"interface":"eth0","hostname":"abc"},"storage":{"__proto__":{"type":"local"}}}',
    ],
    [
      'SEC-39 __proto__ inside',
      '{"network":{"interface":"eth0","hostname":"abc","__proto__":{"polluted":1}},"storage":{"type":"local","__proto__":{}}}',
    ],
    [
      'SEC-39 constructor',
      '{"network":{"interface":"eth0","hostname":"abc"},"constructor":{"prototype":{"polluted":1}},"storage":{"type":"constructor"}}',
    ],
    ['NUL', '{"network":{"interface":"eth0\\u0000","hostname":"abc"},"storage":{"type":"local\\u0000"}}'],
    ['a hundred thousand brackets', '['.repeat(100_000)],
    ['a hundred thousand objects', `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`],
  ]
  for (const [what, text] of documents) {
    it(`is refused: ${what}`, async () => {
      refused(await send('/settings', text), 400)
      refused(await send('/storage', text), 400)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    })
  }

  it('of ten megabytes is refused by its size', async () => {
    refused(
      await send('/settings', `{"network":"${'x'.repeat(10 << 20)}"}`),
      413,
      'File too large for option: settings',
    )
  })

  it('that is refused changes nothing', async () => {
    for (const name of ['network.json', 'app.json', 'storage.json']) {
      expect(appliance.read(join(appliance.folders.root, 'etc', name))).toBe('')
    }
  })
})

describe('a Host header', () => {
  it('that is missing or no host is 400', async () => {
    for (const host of ['', 'Host: a b\r\n', 'Host: x/y\r\n']) {
      const answer = await raw(
        appliance.url,
        `GET ${signed('GET', '/version')} HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      )
      expect([host, statusOf(answer)]).toEqual([host, 400])
      expect(answer).toMatch(/\{"Status":"400 Bad Request","Error-Message":"Expected a [Hh]ost[^"]*"\}$/)
    }
  })
})

describe('parameters', () => {
  it('that nobody declared are refused', async () => {
    const queries: Record<string, string>[] = [
      { nonsense: '1' },
      { __proto__x: '1' },
      { Token: 'x' },
      { newtoken: 'x' },
    ]
    for (const query of queries) {
      refused(await appliance.call('GET', '/version', { query }), 400, 'Unknown parameter')
    }
    refused(await appliance.call('GET', '/version?__proto__=1'), 400, 'Unknown parameter')
    refused(await appliance.call('GET', '/version?constructor=1'), 400, 'Unknown parameter')
    refused(await appliance.call('GET', '/update?toString=1'), 400, 'Unknown parameter')
  })
  it('without end are refused', async () => {
    refused(await appliance.call('GET', `/version?${'a=1&'.repeat(100)}`), 400, 'Too many parameters')
  })
  it('of a new token are checked in the original’s words', async () => {
    const set = (value: string) => appliance.call('POST', '/setup', { form: [{ name: 'newtoken', value }] })
    refused(await set(''), 400, '')
    refused(await set('with blank'), 400, 'Missing or invalid string for option: newtoken. Allowed: !"#$%')
    refused(await set('é'), 400, 'Missing or invalid string for option: newtoken.')
    refused(await set('x'.repeat(256)), 400, 'Invalid string length for option: newtoken. Allowed: >= 1 and <= 255')
    expect((await appliance.call('GET', '/version')).status).toBe(200)
  })
})

describe('a full disk', () => {
  it('refuses an upload with 507, changes nothing and serves on', async () => {
    const seen = runOnSmallDisk('full-disk.ts')
    if (seen === undefined) return
    expect(seen).toEqual({
      large: [507, 'Not enough free disk space'],
      left: [],
      uploads: [],
      version: '{"version":"1.0.0"}',
      full: { version: 200, settings: 507, left: [] },
      // A task that could not be written down was refused, and none is left without its end.
      begun: { refused: true, others: [], unended: 0, last: 202 },
      ended: 'completed',
    })
  })
})
