// What a peer does, or leaves undone, never keeps its place. The peers here keep their own half open for ever, as
// attackers do; a socket of Node closes itself, and a test with one finds nothing.
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Timing } from '../../src/http/server/timing.ts'
import { until } from '../api/client.ts'
import { answerTo, dial, GET, hear, openPort, type Port, SHORT, speak, works } from './port.ts'

let port: Port
const peers: Socket[] = []
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy()
  await port.close()
})
const keep = async (peer: Promise<Socket>) => {
  peers.push(await peer)
  return peer
}
const every = (socket: Socket, text: string) => {
  const timer = setInterval(() => socket.destroyed || socket.write(text), 50)
  socket.once('close', () => clearInterval(timer))
}
/** A second ClientHello would be on its way: this is the beginning of one. */
const HALF_HELLO = Buffer.from('16030100f8010000f40303', 'hex')

const behaviors: [string, (socket: Socket) => void][] = [
  ['says nothing', () => {}],
  ['stops within the headers', (socket) => socket.write('GET / HTTP/1.1\r\nHost: x\r\nAcc')],
  [
    'sends a header now and then',
    (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
      every(socket, 'X-A: b\r\n')
    },
  ],
  [
    'sends a byte of a header now and then',
    (socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-A: ')
      every(socket, 'b')
    },
  ],
  ['sends empty lines', (socket) => every(socket, '\r\n')],
  [
    'sends empty lines after an answer',
    (socket) => {
      socket.write(GET())
      every(socket, '\r\n')
    },
  ],
  ['stays after an answer', (socket) => socket.write(GET())],
  ['stays after a last answer', (socket) => socket.write(GET('/', 'Connection: close\r\n'))],
  ['sends what is no HTTP', (socket) => socket.write('hello\r\n\r\n')],
  ['sends what is no HTTP, and goes on', (socket) => every(socket, 'hello\r\n\r\n')],
  ['sends too many headers', (socket) => socket.write(GET('/', `X-A: ${'b'.repeat(40_000)}\r\n`))],
  ['sends no Host', (socket) => socket.write('GET / HTTP/1.1\r\n\r\n')],
  ['asks for a tunnel', (socket) => socket.write('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['asks for another protocol', (socket) => socket.write(GET('/', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'))],
  ['speaks HTTP/2', (socket) => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  [
    'reads nothing of a large answer',
    (socket) => {
      socket.pause()
      socket.write(GET('/big').repeat(40))
    },
  ],
  [
    'reads nothing, and sends empty lines',
    (socket) => {
      socket.pause()
      socket.write(GET('/big').repeat(40))
      every(socket, '\r\n')
    },
  ],
  [
    'goes while an answer is made',
    (socket) => {
      socket.write(GET('/slow'))
      setTimeout(() => socket.destroy(), 50)
    },
  ],
  ['ends in the middle of a header', (socket) => socket.end('GET / HT')],
]

/** The server lets go of it, while the peer holds on; and serves. */
async function comesBack(
  open: () => Promise<Socket>,
  behave: (socket: Socket) => void,
  timing: Timing = SHORT,
): Promise<void> {
  port = await openPort({ tls: port.tls, timing })
  for (let i = 0; i < 3; i++) behave(await keep(open()))
  await until('the connections are gone', () => port.connections() === 0)
  expect(await works(port)).toBe(true)
}

for (const tls of [false, true]) {
  describe(`a place comes back from a peer that, over ${tls ? 'TLS' : 'TCP'},`, () => {
    it.each(behaviors)('%s', async (_what, behave) => {
      port = { tls } as Port
      await comesBack(() => speak(port), behave)
    })
  })
}

describe('a place comes back, before TLS is spoken, from a peer that', () => {
  it.each([
    ['says nothing', () => {}],
    ['sends half a ClientHello', (socket: Socket) => socket.write(HALF_HELLO)],
    [
      'sends a ClientHello byte by byte',
      (socket: Socket) => {
        const bytes = [...HALF_HELLO]
        const timer = setInterval(
          () =>
            bytes.length === 0 || socket.destroyed
              ? clearInterval(timer)
              : socket.write(Buffer.from([bytes.shift() ?? 0])),
          40,
        )
      },
    ],
    ['sends garbage', (socket: Socket) => socket.write(Buffer.from([0, 1, 2, 3, 255]))],
    ['speaks plain HTTP', (socket: Socket) => socket.write(GET())],
    ['speaks plain HTTP, and stops', (socket: Socket) => socket.write('GET / HT')],
    ['speaks plain HTTP, byte by byte, for ever', (socket: Socket) => every(socket, 'G')],
    ['speaks plain HTTP without reading', (socket: Socket) => void socket.pause().write(GET())],
    ['resets the connection', (socket: Socket) => socket.resetAndDestroy()],
    ['closes its half', (socket: Socket) => socket.end()],
  ])('%s', async (_what, behave) => {
    port = { tls: true } as Port
    await comesBack(() => dial(port), behave, { ...SHORT, handshake: 600 })
  })
})

describe('a connection that', () => {
  it.each([false, true])('never said anything is closed without a word (TLS: %s)', async (tls) => {
    port = await openPort({ tls, timing: SHORT })
    expect(await hear(await keep(speak(port)))).toBe('')
  })

  it.each([false, true])('rests after an answer is closed without a word (TLS: %s)', async (tls) => {
    port = await openPort({ tls, timing: SHORT })
    const socket = await keep(speak(port))
    socket.write(GET('/a'))
    expect(await hear(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok \/a$/)
  })

  it.each([false, true])('began a request and stops hears 408, also after an answer (TLS: %s)', async (tls) => {
    port = await openPort({ tls, timing: { ...SHORT, idle: 5000 } })
    for (const before of ['', GET('/a')]) {
      const socket = await keep(speak(port))
      socket.write(`${before}GET / HTTP/1.1\r\nHo`)
      const answer = await hear(socket)
      expect([before, answer.endsWith('{"Status":"408 Request Timeout"}')]).toEqual([before, true])
      expect(answer.includes('ok /a')).toBe(before !== '')
    }
  })

  it('brings what is no HTTP hears the answers to what it asked before, and 400', async () => {
    port = await openPort({ timing: SHORT })
    const answer = await answerTo(port, `${GET('/a')}${GET('/b')}hello\r\n\r\n`)
    expect(answer.match(/ok \/\w|HTTP\/1.1 \d+/g)).toEqual([
      ...['HTTP/1.1 200', 'ok /a', 'HTTP/1.1 200', 'ok /b', 'HTTP/1.1 400'],
    ])
  })

  it('takes a large answer slowly, but takes it, stays until the end', async () => {
    port = await openPort({ tls: true, timing: { ...SHORT, stalled: 2000 } })
    const socket = await keep(speak(port))
    let bytes = 0
    socket.write(
      GET('/big', 'Connection: close\r\n').replace('Connection: close\r\n', '').repeat(19) +
        GET('/big', 'Connection: close\r\n'),
    )
    socket.on('data', (chunk) => {
      bytes += chunk.length
      socket.pause()
      setTimeout(() => socket.resume(), 2)
    })
    await new Promise((resolve) => socket.once('end', resolve))
    expect(bytes).toBeGreaterThan(20 << 20)
  }, 60_000)

  it('waits for an answer for longer than every limit stays', async () => {
    port = await openPort({ timing: SHORT })
    const socket = await keep(speak(port))
    socket.write(GET('/slow'))
    await until('the server has it', () => port.served.length === 1)
    // Everybody else who is silent for so long is gone.
    for (let i = 0; i < 3; i++) expect(await hear(await keep(dial(port)))).toBe('')
    expect(socket.readableEnded || socket.destroyed).toBe(false)
  })
})

describe('one address', () => {
  const LONG = { ...SHORT, handshake: 60_000, headers: 60_000, idle: 60_000 }
  /** A connection that has asked something, has its answer, and stays. */
  const idle = async (from: string) => {
    const socket = await keep(speak(port, from))
    const heard = hear(socket, (text) => text.includes('ok /'))
    socket.write(GET())
    expect(await heard).toContain('ok /')
    return socket
  }
  /** One that waits for its answer. */
  const busy = async (from: string) => {
    const socket = await keep(speak(port, from))
    const before = port.served.length
    socket.write(GET('/slow'))
    await until('it has asked', () => port.served.length > before)
    return socket
  }

  it('has as many connections as the limit says, and others have theirs', async () => {
    port = await openPort({ tls: true, places: { perAddress: 2 }, timing: LONG })
    await busy('127.0.0.2')
    const second = await busy('127.0.0.2')
    expect(await works(port, '127.0.0.2')).toBe(false)
    expect(await works(port, '127.0.0.3')).toBe(true)
    second.destroy()
    await until('the place of the closed one is free', () => works(port, '127.0.0.2'))
  })

  it('cannot take the last places, and neither can many; this machine can', async () => {
    port = await openPort({ places: { most: 8 }, timing: LONG })
    for (let i = 0; i < 6; i++) await busy(`127.0.0.${10 + i}`)
    expect(await works(port, '127.0.0.30')).toBe(false)
    expect(await works(port, '127.0.0.1')).toBe(true)
  })

  it('cannot take a kept place away from whoever is in the middle of a handshake', async () => {
    port = await openPort({ tls: true, places: { most: 8 }, timing: LONG })
    for (let i = 0; i < 6; i++) await busy(`127.0.0.${10 + i}`)
    const owner = await keep(dial(port, '127.0.0.1'))
    owner.write(HALF_HELLO)
    await until('the owner has his place', () => port.connections() === 7)
    owner.resume()
    for (let i = 0; i < 5; i++) expect(await works(port, `127.0.0.${30 + i}`)).toBe(false)
    expect([owner.destroyed || owner.readableEnded, port.connections()]).toEqual([false, 7])
  })

  it('loses no connection to a newcomer who gets no place by it', async () => {
    port = await openPort({ places: { most: 8 }, timing: LONG })
    for (let i = 0; i < 5; i++) await busy(`127.0.0.${10 + i}`)
    const silent = await keep(dial(port, '127.0.0.20'))
    await until('it is there', () => port.connections() === 6)
    await busy('127.0.0.1')
    silent.resume()
    for (let i = 0; i < 3; i++) expect(await works(port, '127.0.0.30')).toBe(false)
    expect([silent.destroyed || silent.readableEnded, port.connections()]).toEqual([false, 7])
  })

  it('keeps out nobody with connections that rest after an answer', async () => {
    port = await openPort({ places: { most: 8 }, timing: LONG })
    const other = await idle('127.0.0.3')
    const resting: Socket[] = []
    for (let i = 0; i < 5; i++) resting.push(await idle('127.0.0.2'))
    for (const socket of [other, ...resting]) socket.resume()
    expect(await works(port, '127.0.0.30')).toBe(true)
    // The one that rests longest, of the address that has most.
    const first = resting[0] as Socket
    await until('it is closed', () => first.destroyed || first.readableEnded)
    expect([other, ...resting].filter((one) => one.destroyed || one.readableEnded)).toEqual([first])
  })

  it.each([false, true])('that is silent on all of them keeps out nobody who asks (TLS: %s)', async (tls) => {
    port = await openPort({ tls, places: { most: 8, perAddress: 4 }, timing: LONG })
    const stays = await idle('127.0.0.2')
    for (let i = 0; i < 10; i++) await keep(dial(port, '127.0.0.2'))
    expect(await works(port, '127.0.0.2')).toBe(true)
    for (let i = 0; i < 20; i++) await keep(dial(port, `127.0.0.${10 + i}`))
    expect(await works(port, '127.0.0.40')).toBe(true)
    // Whoever had asked something is still there.
    expect(stays.destroyed || stays.readableEnded).toBe(false)
    expect(port.connections()).toBeLessThanOrEqual(8)
  })
})

describe('a stop', () => {
  it('does not wait for peers that have not asked anything', async () => {
    port = await openPort({ tls: true, timing: { ...SHORT, handshake: 60_000, headers: 60_000, idle: 60_000 } })
    await keep(dial(port))
    await keep(speak(port))
    const half = await keep(dial(port))
    half.write(HALF_HELLO)
    await port.close()
  })
})
