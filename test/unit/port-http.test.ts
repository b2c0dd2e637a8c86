// HTTP that could be read in two ways is refused, requests of one connection take turns, and plain HTTP on the TLS port hears where to go.
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { answerPlain, plainAnswer } from '../../src/http/server/first-byte.ts'
import { plainHost } from '../../src/http/server/refusal.ts'
import { until } from '../api/client.ts'
import { answerTo, dial, GET, hear, openPort, type Port, speak, works } from './port.ts'

let port: Port
afterEach(() => port?.close())
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

describe('a request is refused', () => {
  const cases: [string, string, number][] = [
    ['without a Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['with two', 'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n', 400],
    ['with two, spelled differently', 'GET / HTTP/1.1\r\nhost: x\r\nX: y\r\nHOST: y\r\n\r\n', 400],
    ['with two, by HTTP/1.0', 'GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n', 400],
    ['with an empty one', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
    ['with a list', 'GET / HTTP/1.1\r\nHost: x, y\r\n\r\n', 400],
    ['with a user', 'GET / HTTP/1.1\r\nHost: a@x\r\n\r\n', 400],
    ['with a path', 'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n', 400],
    ['with a port that is none', 'GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n', 400],
    ['with a port of letters', 'GET / HTTP/1.1\r\nHost: x:http\r\n\r\n', 400],
    ['with an open bracket', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
    ['with brackets around no address', 'GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n', 400],
    ['with another letter', 'GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n', 400],
    ['of HTTP/0.9', 'GET /\r\n\r\n', 400],
    ['of HTTP/2.0', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n', 505],
    ['of HTTP/1.2', 'GET / HTTP/1.2\r\nHost: x\r\n\r\n', 505],
    ['of HTTP/3.0', 'GET / HTTP/3.0\r\nHost: x\r\n\r\n', 505],
    ['with two Authorization headers', GET('/', 'Authorization: Bearer a\r\nauthorization: Bearer b\r\n'), 400],
    ['with two kinds of body', GET('/', 'Content-Type: a/b\r\nContent-Type: c/d\r\n'), 400],
    ['with two CSRF headers', GET('/', 'X-CSRF-Token: a\r\nX-CSRF-Token: a\r\n'), 400],
    ['with two lengths', GET('/', 'Content-Length: 1\r\nContent-Length: 1\r\n'), 400],
    ['with a length and chunks', GET('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), 400],
    ['with chunks twice', GET('/', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 400],
    ['with more headers than are read', GET('/', `${'a:\r\n'.repeat(1200)}If-Match: "x"\r\n`), 431],
    ['with a second Host behind them', GET('/', `${'a:\r\n'.repeat(1200)}Host: y\r\n`), 431],
    ['with as many headers as are read', GET('/', 'a:\r\n'.repeat(999)), 431],
    ['with a coding that is not undone', GET('/', 'Transfer-Encoding: gzip, chunked\r\n'), 501],
    ['with a backslash', GET('/a\\b'), 400],
    ['with chunks by HTTP/1.0', 'POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ]

  it.each(cases)('%s', async (_what, text, status) => {
    port = await openPort()
    // What comes behind it must not be served: it may be part of what was refused.
    const answer = await answerTo(port, text + GET('/behind'))
    expect([statusOf(answer), port.served]).toEqual([status, []])
    expect(answer).toMatch(/\r\nConnection: close\r\n/i)
    expect(answer).toMatch(new RegExp(`\\{"Status":"${status} [A-Za-z ]+"\\}$`))
  })

  it.each([
    ['HTTP/1.0 without a Host', 'GET /a HTTP/1.0\r\n\r\n'],
    ['HTTP/1.0 with one', 'GET /a HTTP/1.0\r\nHost: x:80\r\n\r\n'],
    ['HTTP/1.0 with an empty one', 'GET /a HTTP/1.0\r\nHost: \r\n\r\n'],
    ['998 headers more', GET('/a', `${'a:\r\n'.repeat(997)}Connection: close\r\n`)],
    ...[
      ...['[0:0:0:0:0:0:0:1]:8443', '[::ffff:192.168.1.10]:8443', '[2001:DB8::0001]', '[2001:db8::0001]:', '[::]:443'],
      ...['nas:', 'NAS.Local:', '192.0.2.1:'],
    ].map((host): [string, string] => [host, `GET /a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`]),
    ['a name with a port', 'GET /a HTTP/1.1\r\nHost: Nas_1.example-x.com:8443\r\nConnection: close\r\n\r\n'],
    ['an IPv6 address', 'GET /a HTTP/1.1\r\nHost: [::1]:8443\r\nConnection: close\r\n\r\n'],
    ['an IPv4 address', 'GET /a HTTP/1.1\r\nHost: 192.0.2.1\r\nConnection: close\r\n\r\n'],
    [
      'two headers that may be lists',
      GET('/a', 'Accept: a/b\r\nAccept: c/d\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n'),
    ],
  ])('but not for %s', async (_what, text) => {
    port = await openPort()
    expect([statusOf(await answerTo(port, text)), port.served]).toEqual([200, ['/a']])
  })
})

it('a Host is spelled as the Origin of a browser is', () => {
  expect(
    ['[0:0:0:0:0:0:0:1]:8443', '[::FFFF:192.168.1.10]', '[2001:DB8::01]:', 'nas:', 'nas:443', '192.0.2.1:8443'].map(
      plainHost,
    ),
  ).toEqual(['[::1]:8443', '[::ffff:c0a8:10a]', '[2001:db8::1]', 'nas', 'nas:443', '192.0.2.1:8443'])
})

describe('requests on one connection', () => {
  const many = (count: number, path: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => GET(path(i))).join('')

  it.each([false, true])('are all answered, in their order (TLS: %s)', async (tls) => {
    port = await openPort({ tls })
    const answer = await answerTo(port, many(1400, (i) => `/${i}`) + GET('/last', 'Connection: close\r\n'))
    const bodies = answer.match(/ok \/(?:last|\d+)/g)
    expect(bodies).toEqual([...Array.from({ length: 1400 }, (_, i) => `ok /${i}`), 'ok /last'])
  })

  it('SEC-36 let others in between', async () => {
    port = await openPort()
    const [greedy, other] = [await speak(port), await speak(port)]
    const first = hear(greedy, (text) => text.includes('ok /'))
    greedy.write(many(1400, () => '/greedy'))
    await first
    other.write(GET('/other', 'Connection: close\r\n'))
    expect(await hear(other)).toContain('ok /other')
    // A few turns for the other one, not all that one packet brought.
    expect(port.served.indexOf('/other')).toBeLessThan(700)
    await until('the rest is served as well', () => port.served.length === 1401)
    greedy.destroy()
  })

  it('are not served while their answers are not read', async () => {
    port = await openPort()
    const greedy = await speak(port)
    greedy.pause()
    greedy.write(many(300, () => '/big'))
    await until('the first is served', () => port.served.length > 0)
    for (let i = 0; i < 50; i++) expect(await works(port)).toBe(true)
    // What the kernel holds is a few megabytes.
    expect(port.served.filter((path) => path === '/big').length).toBeLessThan(100)
    greedy.resume()
    await until('all are served once they are read', () => port.served.length === 350)
    greedy.destroy()
  })

  it('behind the last one are not served', async () => {
    port = await openPort()
    const answer = await answerTo(port, GET('/a', 'Connection: close\r\n') + GET('/b'))
    expect([answer.match(/ok \/\w/g), port.served]).toEqual([['ok /a'], ['/a']])
    const slow = await speak(port)
    slow.write(GET('/slow') + GET('/c'))
    await until('the slow one is served', () => port.served.includes('/slow'))
    slow.destroy()
    expect(await works(port)).toBe(true)
    expect(port.served).not.toContain('/c')
  })

  it.each([false, true])('are answered where the rest of a body comes behind them (TLS: %s)', async (tls) => {
    port = await openPort({ tls })
    const post = (size: number) =>
      `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n${'b'.repeat(size)}`
    const answer = await answerTo(port, `${post(9)}${post(200_000)}${GET('/last', 'Connection: close\r\n')}`)
    expect(answer.match(/b{9,}|ok \/\w+/g)?.map(({ length }) => length)).toEqual([9, 200_000, 'ok /last'.length])
  })

  it('end behind one that asks for another protocol with a body: Node loses what comes with its end', async () => {
    port = await openPort()
    const socket = await speak(port)
    const answers = hear(socket)
    const upgrade = 'Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc'
    socket.write(
      `POST /echo HTTP/1.1\r\nHost: x\r\n${upgrade}POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n`,
    )
    await until('the first is served', () => port.served.length > 0)
    socket.write(GET('/body'))
    expect(await answers).toMatch(/\r\nConnection: close\r\n[\s\S]*\r\n\r\nabc$/)
    expect(port.served).toEqual(['/echo'])
    socket.destroy()
  })

  it.each([0, 1, 2, 3])(
    'go on behind one that asks for another protocol, whose end comes with them (%i bytes)',
    async (rest) => {
      port = await openPort()
      const socket = await speak(port)
      socket.setNoDelay(true)
      const upgrade = GET('/a', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')
      const answers = hear(socket)
      socket.write(upgrade.slice(0, upgrade.length - rest))
      // By then the first packet was read.
      expect(await works(port)).toBe(true)
      socket.write(upgrade.slice(upgrade.length - rest) + GET('/last', 'Connection: close\r\n'))
      expect((await answers).match(/ok \/[a-z]+/g)).toEqual(['ok /a', 'ok /last'])
    },
  )

  it('bring their bodies with them', async () => {
    port = await openPort()
    const post = (path: string, size: number) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n${'b'.repeat(size)}`
    const answer = await answerTo(
      port,
      `${post('/1', 9)}${post('/2', 200_000)}${post('/3', 0)}${GET('/4', 'Connection: close\r\n')}`,
    )
    expect(answer.match(/ok \/\w/g)).toEqual(['ok /1', 'ok /2', 'ok /3', 'ok /4'])
  })
})

describe('plain HTTP on the TLS port', () => {
  it('hears what to do, a browser is sent there, and TLS is served beside it', async () => {
    port = await openPort({ tls: true, timing: { grace: 200 } })
    const ask = async (text: string) => {
      const socket = await dial(port)
      socket.write(text)
      return hear(socket)
    }
    expect(await ask(GET())).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\n\r\n[^\n]*https:\/\/[^\n]*\n$/)
    expect(await ask(GET('/a?b=c', 'Accept: text/html,*/*\r\n'))).toContain('\r\nLocation: https://x/a?b=c\r\n')
    // Slowly, and never wholly: an answer all the same.
    expect(await ask('GET / HT')).toMatch(/^HTTP\/1\.1 400 /)
    // Behind an empty line, in small letters, or something else that is text.
    for (const first of ['\r\n', '\n', ' ', 'get', '*', '~'])
      expect(await ask(`${first}${GET()}`)).toMatch(/^HTTP\/1\.1 400 [\s\S]*https:\/\//)
    // What begins no text is TLS's to answer.
    for (const first of ['\x1f', '\x7f', '\x80']) expect(await ask(`${first}${GET()}`)).not.toContain('HTTP')
    expect(await works(port)).toBe(true)
    expect(port.served).toEqual(['/ok'])
  })

  it('is answered once, also where its peer ends its half after it', async () => {
    const peer = new PassThrough()
    const answers: string[] = []
    answerPlain(peer as unknown as Socket, 60_000, (text) => answers.push(text))
    peer.end(GET())
    await new Promise((resolve) => peer.once('close', resolve))
    expect(answers).toHaveLength(1)
  })

  const head = (first: string, ...lines: string[]) => `${[first, ...lines].join('\r\n')}\r\n\r\n`
  const HTML = 'Accept: text/html'

  it.each([
    ['/', 'nas.example:8443'],
    ['/a/b?c=%20', '[2001:db8::1]:8443'],
    ['//evil.example/', '192.0.2.1'],
  ])('sends a browser from %s of %s to the same place', (target, host) => {
    const answer = plainAnswer(head(`GET ${target} HTTP/1.1`, `Host: ${host}`, HTML))
    expect(answer).toContain(`\r\nLocation: https://${host}${target}\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 308 [\s\S]*no-store/)
  })

  it.each([
    ['a host that is none', head('GET / HTTP/1.1', 'Host: a b', HTML)],
    ['a host with a user', head('GET / HTTP/1.1', 'Host: x@evil.example', HTML)],
    ['no host', head('GET / HTTP/1.0', HTML)],
    ['two hosts', head('GET / HTTP/1.1', 'Host: a', 'Host: b', HTML)],
    ['another path than one', head('GET http://evil.example/ HTTP/1.1', 'Host: a', HTML)],
    ['a line end in its path', head('GET /\nX: y HTTP/1.1', 'Host: a', HTML)],
    ['a form', head('POST / HTTP/1.1', 'Host: a', HTML)],
    ['a program', head('GET / HTTP/1.1', 'Host: a', 'Accept: */*')],
    ['nothing', ''],
  ])('does not redirect %s', (_what, text) => {
    const answer = plainAnswer(text)
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*https:/)
    expect(answer).not.toMatch(/location|strict-transport/i)
  })

  it('has no body for HEAD', () => {
    expect(plainAnswer(head('HEAD / HTTP/1.1', 'Host: a', HTML))).toMatch(/^HTTP\/1\.1 308 [\s\S]*\r\n\r\n$/)
  })
})

it('without TLS there is no certificate, and none to take over', async () => {
  port = await openPort({ tls: false })
  expect(port.certificate()).toBeUndefined()
  await expect(port.reloadCertificate()).resolves.toBeUndefined()
})

describe('an IPv6 address', () => {
  it('is served, and counts with its whole /64', async (context) => {
    port = await openPort({ tls: true, host: '::1', places: { perAddress: 1 } }).catch(() => undefined as never)
    if (!port) context.skip('this machine has no IPv6')
    expect(port.url).toMatch(/^https:\/\/\[::1\]:\d+$/)
    expect(await works(port)).toBe(true)
  })
})
