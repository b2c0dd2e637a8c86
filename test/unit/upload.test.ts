// Forms over a real connection: each limit at the limit and one above, and what is left on the disk of what was refused.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { lenientQuery, originalQuery } from '../../src/http/body/query.ts'
import { receive, type UploadOptions } from '../../src/http/body/upload.ts'
import { STATUS } from '../../src/http/status.ts'
import { call, file, multipart, type Part, raw, until } from '../api/client.ts'

const disk = vi.hoisted(() => ({ free: undefined as number | undefined, fails: undefined as string | undefined }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const statfsSync = (path: string) => (disk.free === undefined ? fs.statfsSync(path) : { bavail: disk.free, bsize: 1 })
  const { Writable } = await import('node:stream')
  const createWriteStream = (path: string, options: object) =>
    disk.fails === undefined
      ? fs.createWriteStream(path, options)
      : new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('no'), { code: disk.fails })) })
  return { ...fs, statfsSync, createWriteStream }
})

const LIMIT = 100_000
const RESERVE = 16 << 20
const HOW = '. Send the file as its part update: curl -F update=@FILE'
let folder: string
let server: Server
let url: string
let options: UploadOptions
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-upload-'))
  server = createServer((incoming, response) => {
    receive(incoming, options).then(
      ({ fields, files }) => response.end(JSON.stringify({ fields, files })),
      (error: ApiError) => {
        incoming.resume()
        response.statusCode = STATUS[error.kind] ?? 500
        response.end(error.words ?? error.message)
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  disk.free = undefined
  disk.fails = undefined
  const about = { description: 'x', required: false }
  options = {
    form: {
      update: { kind: 'file', limit: () => LIMIT, ...about },
      second: { kind: 'file', limit: () => LIMIT, ...about },
      note: { kind: 'text', ...about },
      word: { kind: 'text', ...about },
    },
    ...{ read: lenientQuery.readForm, lastWins: false },
    extra: (name) => name === 'token',
    limit: () => LIMIT,
    folder: () => folder,
    idle: 30_000,
    authorize: () => {},
  }
})
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
})
afterAll(() => {
  server?.closeAllConnections()
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

const answerTo = async (request: Parameters<typeof call>[3]) => {
  const { status, body } = await call(url, 'POST', '/', request)
  return status === 200 ? JSON.parse(body) : [status, body]
}
const send = (...form: Part[]) => answerTo({ form })

it('frees the buffers of a long upload while it arrives', async () => {
  const collect = vi.fn()
  vi.stubGlobal('gc', collect)
  options.limit = () => 40 << 20
  try {
    const { files } = await send(file('update', Buffer.alloc(20 << 20)))
    expect(files.update.size).toBe(20 << 20)
  } finally {
    vi.unstubAllGlobals()
  }
  expect(collect.mock.calls).toEqual([[{ type: 'minor' }], [{ type: 'minor' }]])
})
const sendText = (body: string, type = 'application/x-www-form-urlencoded') =>
  answerTo({ body, headers: { 'content-type': type } })
const text = (name: string, value = 'x'): Part => ({ name, value })
const bytes = (size: number) => Buffer.alloc(size, 'x')

describe('a file in a form', () => {
  it('of exactly the limit is taken, whole', async () => {
    const { files } = await send(file('update', bytes(LIMIT)))
    expect(files.update).toMatchObject({ size: LIMIT, name: 'update.bin' })
    expect(readFileSync(files.update.path)).toHaveLength(LIMIT)
  })

  it('of one byte more is refused with both numbers, and nothing of it is left', async () => {
    const words = `File too large for option: update. Allowed: <= ${LIMIT} bytes, received: ${LIMIT + 1} bytes`
    expect(await send(file('second', 'x'), file('update', bytes(LIMIT + 1)))).toEqual([413, words])
    expect(readdirSync(folder)).toEqual([])
  })

  it('of no bytes at all is a file', async () => {
    expect((await send(file('update', ''))).files.update.size).toBe(0)
  })

  it('leaves sixteen mebibytes of the disk free', async () => {
    disk.free = RESERVE + 5000
    expect((await send(file('update', bytes(5000)))).files.update.size).toBe(5000)
    expect(await send(file('update', bytes(5001)))).toEqual([507, 'Not enough free disk space'])
  })

  it.each([
    ['ENOSPC', [507, 'Not enough free disk space']],
    ['EDQUOT', [507, 'Not enough free disk space']],
    ['EIO', [500, 'no']],
    ['ECONNRESET', [400, 'Malformed multipart body']],
    ['EPIPE', [400, 'Malformed multipart body']],
    ['ERR_STREAM_DESTROYED', [400, 'Malformed multipart body']],
  ])('whose writing fails with %s says whose fault it is, and is gone', async (code, answer) => {
    disk.fails = code
    expect(await send(file('update', 'x'))).toEqual(answer)
    expect(readdirSync(folder)).toEqual([])
  })

  it('without a name is no file, as a browser sends an empty field', async () => {
    expect(await send(file('update', '', ''), text('note'))).toEqual({ fields: { note: 'x' }, files: {} })
    expect(readdirSync(folder)).toEqual([])
  })

  it('that comes twice is refused, or the last counts and the first is gone', async () => {
    const twice = [file('update', 'one'), file('update', 'other')]
    expect(await send(...twice)).toEqual([400, 'The option "update" came more than once'])
    expect(readdirSync(folder)).toEqual([])
    Object.assign(options, { read: originalQuery.readForm, lastWins: true })
    const { files } = await send(...twice)
    expect(readFileSync(files.update.path, 'utf8')).toBe('other')
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('is not stored before somebody agreed, by what came before it', async () => {
    const asked: object[] = []
    options.authorize = (fields) => {
      asked.push({ ...fields })
      if (!('token' in fields)) throw new ApiError('forbidden', 'No')
    }
    expect(await send(text('token', 't'), file('update', 'x'), text('note'), file('second', 'y'))).toMatchObject({
      files: { update: { size: 1 }, second: { size: 1 } },
    })
    expect(asked).toEqual([{ token: 't' }, { token: 't', note: 'x' }])
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    expect(await send(file('update', bytes(LIMIT)), text('token', 't'))).toEqual([403, 'No'])
    expect(readdirSync(folder)).toEqual([])
  })

  it('whose sender goes away is gone as well', async () => {
    const { type, body } = multipart([file('update', bytes(LIMIT))])
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`
    const left = raw(url, head + body.subarray(0, 60_000)).catch(() => undefined)
    await until('it arrives', () => readdirSync(folder).length > 0)
    server.closeAllConnections()
    await until('it is gone', () => readdirSync(folder).length === 0)
    await left
  })
})

describe('a part of a form', () => {
  it('has to be one of the form’s own, or of the surface’s, and of its kind', async () => {
    expect(await send(text('other'))).toEqual([400, 'Unknown parameter'])
    expect(await send(file('other', 'x'))).toEqual([400, 'Unknown parameter'])
    expect(await send(text('constructor'))).toEqual([400, 'Unknown parameter'])
    expect(await send(file('token', 'x'))).toEqual([400, 'Unknown parameter'])
    expect(await send(text('update'))).toEqual([400, 'Expected a file for option: update'])
    expect(await send(file('note', 'x'))).toEqual([400, 'Expected text, not a file, for option: note'])
    expect(readdirSync(folder)).toEqual([])
  })

  it('may come again with the same value; with another, only where the last counts', async () => {
    expect((await send(text('note', 'a'), text('note', 'a'))).fields).toEqual({ note: 'a' })
    const words = 'The option "note" came more than once, with different values'
    expect(await send(text('note', 'a'), text('note', 'b'))).toEqual([400, words])
    Object.assign(options, { read: originalQuery.readForm, lastWins: true })
    expect((await send(text('note', 'a'), text('note', 'b'))).fields).toEqual({ note: 'b' })
  })

  it('has text of less than 4096 bytes', async () => {
    expect((await send(text('note', 'x'.repeat(4095)))).fields.note).toHaveLength(4095)
    expect(await send(text('note', 'x'.repeat(4097)))).toEqual([400, 'A text part is longer than 4096 bytes'])
  })

  it('is one of less than twenty-four', async () => {
    const parts = (count: number) => Array.from({ length: count }, () => text('note'))
    expect((await send(...parts(23))).fields).toEqual({ note: 'x' })
    expect(await send(...parts(24))).toEqual([400, 'Too many parts in the form'])
  })
})

describe('the whole of a form', () => {
  /** What stands before the first part is read, and dropped. */
  const padded = (total: number, ...parts: Part[]) => {
    const { type, body } = multipart(parts)
    return answerTo({
      body: Buffer.concat([bytes(total - body.length - 2), Buffer.from('\r\n'), body]),
      headers: { 'content-type': type },
    })
  }

  it('may hold two mebibytes beside its files, and not a byte more', async () => {
    expect((await padded(2 << 20, text('note'))).fields).toEqual({ note: 'x' })
    expect(await padded((2 << 20) + 1, text('note'))).toEqual([413, 'Too much in the form besides its files'])
  })

  it('is as large as its files are, which do not count', async () => {
    options.limit = () => 5 << 20
    expect((await send(file('update', bytes(3 << 20)))).files.update.size).toBe(3 << 20)
  })

  it.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['that ends in a header', 'multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="note"'],
    [
      'that ends in a part',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name=note\r\n\r\nx',
    ],
  ])('%s is malformed', async (_what, type, body) => {
    expect(await sendText(body, type)).toEqual([400, 'Malformed multipart body'])
  })
})

describe('a body that is slow', () => {
  const IDLE = 1000
  const FORM = 'multipart/form-data; boundary=b'
  const part = (name: string) => `--b\r\nContent-Disposition: form-data; name="${name}"`
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    options.idle = IDLE
  })
  afterEach(() => void vi.useRealTimers())

  /** The body of a request, sent piece by piece, each after almost as long as a silence may last. */
  async function slowly(type: string, first: string, pieces: number, last = '') {
    let answer = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    let arrived = 0
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    server.once('request', (incoming) => incoming.on('data', (chunk: Buffer) => (arrived += chunk.length)))
    const length = first.length + pieces + (last.length || 1)
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`,
    )
    const write = async (text: string) => {
      const before = arrived
      socket.write(text)
      while (arrived < before + text.length && answer === '') await turn()
    }
    await write(first)
    for (let i = 0; i < pieces && answer === ''; i++) {
      vi.advanceTimersByTime(IDLE - 1)
      await write('x')
    }
    if (last === '') vi.advanceTimersByTime(IDLE)
    else await write(last)
    await ended
    expect(vi.getTimerCount()).toBe(0)
    return [answer.slice(9, 12), answer.split('\r\n\r\n')[1]]
  }

  it.each([FORM, 'application/x-www-form-urlencoded'])('is given up once it stops: %s', async (type) => {
    expect(await slowly(type, 'note', 2)).toEqual(['408', 'The body stopped arriving'])
  })

  it.each([FORM, 'application/x-www-form-urlencoded'])('is given up before it took too long: %s', async (type) => {
    expect(await slowly(type, 'note', 9)).toEqual(['408', 'The body arrives too slowly'])
  })

  it('may take as long as it likes once its file has begun', async () => {
    const [status, body = ''] = await slowly(FORM, `${part('update')}; filename="f"\r\n\r\n`, 9, '\r\n--b--\r\n')
    expect([status, JSON.parse(body).files.update.size]).toEqual(['200', 9])
  })
})

describe('a form of text alone', () => {
  it('is read like a query, in the words of its surface', async () => {
    expect((await sendText('note=a+b&word=%41&token=t')).fields).toEqual({ note: 'a+b', word: 'A', token: 't' })
    expect(await sendText('note=a&note=b')).toEqual([
      400,
      `The option "note" came more than once, with different values${HOW}`,
    ])
    Object.assign(options, { read: originalQuery.readForm, lastWins: true })
    expect((await sendText('note=a&note=b')).fields).toEqual({ note: 'b' })
  })

  it('says how a file is sent, where the form has one', async () => {
    expect(await sendText('other=1')).toEqual([400, `Unknown parameter${HOW}`])
    expect(await sendText('update=1')).toEqual([400, `Expected a file for option: update${HOW}`])
    // A surface that stands in for the original says nothing where that said nothing.
    expect(await sendText('note=%ff')).toEqual([400, `Expected percent-encoded UTF-8 in the parameters${HOW}`])
    options.form = { note: { kind: 'text', description: 'x', required: false } }
    expect(await sendText('other=1')).toEqual([400, 'Unknown parameter'])
  })

  it('may have 64 kibibytes, and not a byte more', async () => {
    expect((await sendText(`note=${'x'.repeat(65_531)}`)).fields.note).toHaveLength(65_531)
    expect(await sendText(`note=${'x'.repeat(65_532)}`)).toEqual([413, `Body too large. Allowed: <= 65536 bytes${HOW}`])
  })
})

describe('a body that is no form', () => {
  it('is refused with how a form is sent, unless there is none', async () => {
    const words = `Expected a body of type multipart/form-data${HOW}`
    expect(await sendText('{}', 'application/json')).toEqual([415, words])
    expect(await sendText('x', 'multipart/form-datax')).toEqual([415, words])
    expect(await answerTo({ body: 'x' })).toEqual([400, words])
    expect(await answerTo({ body: 'x', headers: { 'transfer-encoding': 'chunked' } })).toEqual([400, words])
    expect(await answerTo({})).toEqual({ fields: {}, files: {} })
    expect(await answerTo({ headers: { 'content-type': 'application/json' } })).toEqual({ fields: {}, files: {} })
    options.form = {}
    expect(await answerTo({ body: 'x' })).toEqual([400, 'Expected a body of type multipart/form-data'])
  })
})
