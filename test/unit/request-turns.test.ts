// One request after the other on each connection: what is parsed when, and what may wait.
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import type { Connection, Connections } from '../../src/http/server/connections.ts'
import { RequestTurns } from '../../src/http/server/turns.ts'

type Answer = EventEmitter & { destroyed: boolean; req: { complete: boolean } }

/** A connection whose parser takes a request at each end of headers, and writes down what it was given. */
class Peer {
  readonly parsed: string[] = []
  readonly answers: Answer[] = []
  readonly socket = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() }) as Socket
  /** `body`: the bytes of the body of its first request. */
  constructor(server: Server, address: string, body = 0) {
    const { socket } = this
    server.of.set(socket, { address, last: undefined, ended: false } as Connection)
    let text = ''
    let left = 0
    socket.on('data', (bytes: Buffer) => {
      this.parsed.push(bytes.toString('latin1'))
      text += bytes.toString('latin1')
      for (;;) {
        const read = Math.min(left, text.length)
        text = text.slice(read)
        left -= read
        const [first] = this.answers
        if (first && left === 0) first.req.complete = true
        if (left > 0 || !text.includes('\r\n\r\n')) return
        text = text.slice(text.indexOf('\r\n\r\n') + 4)
        if (!first) left = body
        const answer = Object.assign(new EventEmitter(), { destroyed: false, req: { complete: left === 0 } })
        this.answers.push(answer)
        server.turns.take({ socket, headers: {} } as IncomingMessage, answer as unknown as ServerResponse)
      }
    })
    server.turns.follow(socket)
  }
  /** What comes next, in so many packets. */
  async sends(...packets: string[]): Promise<this> {
    for (const packet of packets) this.socket.push(new TextEncoder().encode(packet))
    await turn()
    return this
  }
  goes(answer = this.answers.at(-1)): void {
    if (answer) answer.destroyed = true
    answer?.emit('close')
  }
}

class Server {
  readonly of = new Map<Socket, Connection>()
  readonly served: ServerResponse[] = []
  readonly turns = new RequestTurns(this.of as unknown as { get: Connections['of'] } & Connections, (_, outgoing) => {
    this.served.push(outgoing)
  })
  constructor() {
    Object.assign(this.of, { of: (socket: Socket) => this.of.get(socket) })
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const POST = 'POST / HTTP/1.1\r\n\r\n'
/** Longer than what is parsed at once at the least: the headers behind it come with its end. */
const BODY = 'b'.repeat(1100)
const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`

it('the next request is parsed once the answer before has gone', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1').sends(GET('/1') + GET('/2'), GET('/3'), 'GET')
  expect(peer.parsed).toEqual([GET('/1')])
  peer.goes()
  expect(peer.parsed).toEqual([GET('/1')])
  await turn()
  expect(peer.parsed).toEqual([GET('/1'), GET('/2')])
  peer.goes()
  await turn()
  expect(peer.parsed).toEqual([GET('/1'), GET('/2'), GET('/3')])
  peer.goes()
  await turn()
  expect(peer.parsed.at(-1)).toBe('GET')
  await peer.sends(' /4 HTTP/1.1\r\n\r\n')
  expect(peer.answers).toHaveLength(4)
})

it.each([1, 2, 3])(
  'headers that end across packets end there: what comes behind them waits (%i bytes)',
  async (rest) => {
    const [one, end] = [GET('/1').slice(0, -rest), GET('/1').slice(-rest)]
    const peer = await new Peer(new Server(), '192.0.2.1').sends(one, end + GET('/2'))
    expect(peer.parsed).toEqual([one, end])
    const slow = await new Peer(new Server(), '192.0.2.1').sends(one, ...end.slice(0, -1), `\n${GET('/2')}`)
    expect(slow.parsed).toEqual([one, ...end])
    // What only looks like the end is none.
    const other = await new Peer(new Server(), '192.0.2.1').sends(one, `x${end}${GET('/2')}`)
    expect(other.parsed.join('')).toBe(`${one}x${end}${GET('/2')}`)
  },
)

it('one whose headers come with the end of a body is whole, and the one behind it waits', async () => {
  const server = new Server()
  const peer = await new Peer(server, '192.0.2.1', BODY.length).sends(POST, `${BODY}${GET('/2')}${GET('/3')}`)
  expect([peer.answers.length, server.served.length, peer.parsed.join('')]).toEqual([2, 1, POST + BODY + GET('/2')])
  peer.goes(peer.answers[0])
  await turn()
  expect([peer.answers.length, server.served.length]).toEqual([2, 2])
  peer.goes(peer.answers[1])
  await turn()
  expect([peer.answers.length, server.served.length]).toEqual([3, 3])
})

it('a body is parsed as it comes, in large pieces, whatever it contains', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1', Number.POSITIVE_INFINITY).sends(
    `POST / HTTP/1.1\r\n\r\n${'b'.repeat(9000)}`,
  )
  expect(peer.parsed.map(({ length }) => length)).toEqual([19, 9000])
})

it('what comes while a request waits is parsed once that one is served, if it is the rest of its body', async () => {
  const server = new Server()
  const peer = await new Peer(server, '192.0.2.1', BODY.length).sends(POST, BODY + GET('/2'), 'body')
  const [first, second] = peer.answers
  if (second) second.req.complete = false
  expect(peer.parsed).not.toContain('body')
  peer.goes(first)
  await turn()
  expect([server.served.length, peer.parsed.at(-1)]).toEqual([2, 'body'])
})

it('headers that have begun are parsed to their end, or they would be too late for Node, and one request ahead of its turn', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1', BODY.length).sends(POST, `${BODY}GET /2`, ' HTTP/1.1')
  await peer.sends(`\r\n\r\n${GET('/3')}`, GET('/4'))
  expect([peer.answers.length, peer.parsed.join('')]).toEqual([2, `${POST}${BODY}GET /2 HTTP/1.1\r\n\r\n`])
})

it('nothing is parsed once our half has ended: no answer could be given', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1').sends(GET('/1'))
  peer.socket.end()
  peer.goes()
  await peer.sends(GET('/2'))
  expect(peer.parsed).toEqual([GET('/1')])
})

it('ends of headers in a body do not cost a piece each', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1', Number.POSITIVE_INFINITY).sends(
    'POST / HTTP/1.1\r\n\r\n',
    '\r\n\r\n'.repeat(2048),
  )
  expect(peer.answers).toHaveLength(1)
  expect(peer.parsed.length).toBeLessThanOrEqual(10)
})

it('nothing is parsed once the last words were said: the parser may be another connection’s', async () => {
  const server = new Server()
  const peer = await new Peer(server, '192.0.2.1').sends(GET('/1') + GET('/2'))
  const connection = server.of.get(peer.socket)
  if (connection) connection.ended = true
  peer.goes()
  await turn()
  await peer.sends(GET('/3'))
  expect(peer.parsed).toEqual([GET('/1')])
})

it('some connections are let on in one turn, the others in the next', async () => {
  const server = new Server()
  const peers = Array.from({ length: 40 }, () => new Peer(server, '192.0.2.1'))
  for (const peer of peers) await peer.sends(GET('/1') + GET('/2'))
  for (const peer of peers) peer.goes()
  const counts: number[] = []
  for (let i = 0; i < 4; i++) {
    await turn()
    counts.push(peers.filter(({ answers }) => answers.length === 2).length)
  }
  expect(counts).toEqual([16, 32, 40, 40])
})

it('a connection is not read on from 64 KB, and is again once there is room', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1').sends(GET('/1'), GET('/2'), 'b'.repeat(60 << 10))
  expect(peer.socket.isPaused()).toBe(false)
  await peer.sends('b'.repeat(5 << 10))
  expect(peer.socket.isPaused()).toBe(true)
  peer.goes()
  await turn()
  peer.goes()
  await turn()
  expect(peer.socket.isPaused()).toBe(false)
  expect(peer.parsed.join('').length).toBe(GET('/1').length * 2 + (65 << 10))
})

it('single bytes count for what they take', async () => {
  const peer = await new Peer(new Server(), '192.0.2.1').sends(GET('/1'))
  await peer.sends(...Array.from({ length: 300 }, () => 'b'))
  expect(peer.socket.isPaused()).toBe(true)
})

it('a peer that does not take its answers is not served', async () => {
  const server = new Server()
  const peer = new Peer(server, '192.0.2.1')
  Object.defineProperty(peer.socket, 'writableNeedDrain', { value: true, configurable: true })
  await peer.sends(GET('/1') + GET('/2'))
  peer.goes()
  await turn()
  expect(server.served).toHaveLength(1)
  Object.defineProperty(peer.socket, 'writableNeedDrain', { value: false })
  peer.socket.emit('drain')
  await turn()
  expect(server.served).toHaveLength(2)
})

/** A connection with a request that is served, and 40 KB that wait. */
const fill = (server: Server, address: string) =>
  new Peer(server, address).sends(GET('/1') + GET(`/${'b'.repeat(40 << 10)}`))
const isOpen = ({ socket }: Peer) => !socket.destroyed

it('one address holds four megabytes, in any number of connections, and has them again', async () => {
  const server = new Server()
  const peers: Peer[] = []
  for (let i = 0; i < 200; i++) peers.push(await fill(server, `2001:db8::${i.toString(16)}`))
  const open = peers.filter(isOpen)
  expect(open.length).toBeGreaterThan(60)
  expect(open.length * (40 << 10)).toBeLessThanOrEqual(4 << 20)
  expect(isOpen(await fill(server, '192.0.2.1'))).toBe(true)
  for (const { socket } of open) socket.destroy()
  await turn()
  expect(isOpen(await fill(server, '2001:db8::1'))).toBe(true)
})

it('all hold sixteen megabytes, and who holds most makes room', async () => {
  const server = new Server()
  const small: Peer[] = []
  const large: Peer[] = []
  for (let i = 0; i < 20; i++) small.push(await fill(server, `198.51.100.${i}`))
  for (let i = 0; i < 20 * 40; i++) large.push(await fill(server, `203.0.113.${i % 20}`))
  const more = await fill(server, '192.0.2.1')
  expect([...small, more].filter((peer) => !isOpen(peer))).toEqual([])
  const open = large.filter(isOpen).length
  expect(open).toBeGreaterThan(200)
  expect((open + 21) * (40 << 10)).toBeLessThanOrEqual(16 << 20)
})
