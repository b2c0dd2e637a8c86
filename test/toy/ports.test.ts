// More ports beside the first: which surfaces each serves, in whose shape it refuses the others, and that they share the server's certificate,
// places and end.
import { connect, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSelfSigned } from '../../src/http/server/self-made.ts'
import { fingerprint, installPair, servedFingerprint } from '../../src/http/server/tls.ts'
import { type InProcess, startAppliance } from '../api/appliance.ts'
import { call } from '../api/client.ts'
import { toy, twins } from './entry.ts'
import { HABITS } from './habits.ts'

const FORM = { body: 'token=marble', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
const JSON_BODY = { body: '{"user":"a"}', headers: { 'content-type': 'application/json' } }

/** What comes back for these bytes. */
const bytes = (url: string, text: string): Promise<string> =>
  new Promise((resolve) => {
    const { port, hostname } = new URL(url)
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.once('close', () => resolve(answer))
  })

describe('a port', () => {
  let appliance: InProcess
  let [first, own, all, twin] = ['', '', '', '']
  beforeAll(async () => {
    appliance = await startAppliance({
      surfaces: [toy('usual', HABITS.usual), ...twins('claimed', { claims: true })],
      ports: [
        { port: 0, surfaces: ['usual'] },
        { port: 0 },
        { port: 0, surfaces: ['claimed-form', 'usual'] },
        { port: 0, surfaces: ['console'] },
      ],
      config: { surfaces: { controller: { enabled: false }, console: { enabled: false } } },
    })
    first = appliance.url
    ;[own = '', all = '', twin = ''] = appliance.listener.more
  })
  afterAll(() => appliance?.close())

  it('serves every surface, or those that it names', async () => {
    const status = async (url: string, path: string) => (await call(url, 'GET', path)).status
    for (const url of [first, all]) {
      expect([await status(url, '/toys/usual/vm'), await status(url, '/api/v1/admin/endpoints')]).toEqual([200, 403])
    }
    expect([await status(own, '/toys/usual/vm'), await status(own, '/api/v1/admin/endpoints')]).toEqual([200, 404])
  })

  it('refuses what it does not serve in the shape of the first surface that it does', async () => {
    for (const path of ['/api/v1/admin/version', '/api/v1/admin/no-such', '/x', '/%ff']) {
      const { body, headers } = await call(own, 'GET', path)
      const shape = path === '/%ff' ? expect.stringContaining('"kind":"invalid"') : 'No such toy\n'
      expect([path, body, headers['x-toy']]).toEqual([path, shape, expect.any(String)])
    }
    expect(JSON.parse((await call(all, 'GET', '/x')).body)).toHaveProperty('Status')
  })

  it('gives a shared path to the surface that it serves, whatever is claimed', async () => {
    expect(JSON.parse((await call(twin, 'POST', '/toys/claimed/login', FORM)).body)).toEqual({ by: 'claimed-form' })
    expect(JSON.parse((await call(twin, 'POST', '/toys/claimed/login', JSON_BODY)).body)).toMatchObject({
      fault: { kind: 'unsupported' },
    })
    expect(JSON.parse((await call(all, 'POST', '/toys/claimed/login', JSON_BODY)).body)).toEqual({ by: 'claimed-json' })
  })

  it.each([
    ['what is no HTTP', 'no HTTP\r\n\r\n', 'invalid'],
    ['a version that is too new', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', ''],
    ['a request for a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 'wrong-method'],
    ['an address that is no web address', 'GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n', 'invalid'],
    ['a broken address', 'GET http://[x/ HTTP/1.1\r\nHost: x\r\n\r\n', 'invalid'],
    ['a question about the whole server', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 'invalid'],
    ['two Host headers', 'GET /toys/usual/vm HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 'invalid'],
    ['two Host headers for another surface', 'GET /api/v1/admin/x HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 'invalid'],
  ])('refuses %s in the shape of its surface; the first one as always', async (_what, text, kind) => {
    const answer = await bytes(own, text)
    expect(answer).toMatch(/^HTTP\/1\.1 \d{3} /)
    expect(answer).toContain(`{"fault":{"kind":"${kind}`)
    expect(answer).toMatch(/^X-Request-Id: \S/im)
    expect(answer).toMatch(/^Connection: close/im)
    const [, told] = /^content-length: (\d+)/im.exec(answer) ?? []
    expect(Number(told)).toBe(Buffer.byteLength(answer.slice(answer.indexOf('\r\n\r\n') + 4)))
    if (!text.includes('/toys/')) expect(await bytes(first, text)).toContain('{"Status":"')
  })

  it('that would serve nothing is not opened, and the log says so', () => {
    expect(appliance.listener.more).toHaveLength(3)
    expect(appliance.warnings.filter((text) => text.startsWith('listen.ports'))).toEqual([
      'listen.ports.3: port 0 is not opened, since every surface that it names is switched off',
    ])
  })
})

describe('ports of one server', () => {
  it('have one certificate, also a new one', async () => {
    const appliance = await startAppliance({ tls: true, ports: [{ port: 0 }, { port: 0, surfaces: ['admin'] }] })
    try {
      const served = () =>
        Promise.all(
          [appliance.url, ...appliance.listener.more].map((url) =>
            servedFingerprint('127.0.0.1', Number(new URL(url).port)),
          ),
        )
      const before = await served()
      expect(new Set(before).size).toBe(1)
      const names = { hosts: ['box'], addresses: [] }
      const pair = await makeSelfSigned({ names, now: Date.now() })
      installPair(appliance.folders, pair)
      await appliance.listener.reloadCertificate()
      expect(new Set(await served())).toEqual(new Set([fingerprint(pair)]))
    } finally {
      await appliance.close()
    }
  })

  it('end together, with the answers that are under way', async () => {
    const appliance = await startAppliance({ ports: [{ port: 0 }], surfaces: [toy('usual', HABITS.usual)] })
    const [more = ''] = appliance.listener.more
    const port = Number(new URL(more).port)
    const kept = connect({ host: '127.0.0.1', port })
    await new Promise((resolve) => kept.once('connect', resolve))
    const ended = new Promise((resolve) => kept.once('close', resolve))
    await appliance.close()
    await ended
    // It can be had again.
    const next = createServer()
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject)
      next.listen(port, '127.0.0.1', resolve)
    })
    next.close()
  })
})
