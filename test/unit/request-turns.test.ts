// What requests that wait for the one ahead of them may hold: by bytes, for few of them can be large.
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import type { Connections } from '../../src/http/connections.ts'
import { RequestTurns } from '../../src/http/turns.ts'

class Peer extends EventEmitter {
  readonly address: string
  writable = true
  destroyed = false
  paused = false
  last: ServerResponse | undefined
  constructor(address: string) {
    super()
    this.address = address
  }
  pause = () => {
    this.paused = true
  }
  resume = () => {
    this.paused = false
  }
  destroy() {
    this.destroyed = true
    this.writable = false
    this.emit('close')
  }
}

const KB12 = 12 << 10
const served: Peer[] = []
const make = () =>
  new RequestTurns({ of: (peer: unknown) => peer } as unknown as Connections, ({ socket }) => {
    served.push(socket as unknown as Peer)
  })
/** A request with 12 KB of headers; the answer to it. */
function ask(turns: RequestTurns, peer: Peer): EventEmitter & { destroyed: boolean } {
  const answer = Object.assign(new EventEmitter(), { destroyed: false })
  const incoming = { socket: peer as unknown as Socket, url: '/', rawHeaders: ['X-A', 'b'.repeat(KB12)] }
  turns.take(incoming as unknown as IncomingMessage, answer as unknown as ServerResponse)
  return answer
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
/** One that is served, and three that wait: 40 KB and more. */
const fill = (turns: RequestTurns, peer: Peer) => {
  for (let i = 0; i < 4; i++) ask(turns, peer)
  return peer
}

it('a connection is not read on from 32 KB, and is again once they are served', async () => {
  const turns = make()
  const peer = new Peer('192.0.2.1')
  const answers = [ask(turns, peer), ask(turns, peer), ask(turns, peer)]
  await turn()
  expect(peer.paused).toBe(false)
  answers.push(ask(turns, peer))
  await turn()
  expect(peer.paused).toBe(true)
  for (const answer of answers) {
    answer.destroyed = true
    answer.emit('close')
    await turn()
  }
  expect([peer.paused, served.filter((one) => one === peer).length]).toEqual([false, 4])
})

it('one address holds four megabytes, in any number of connections, and has them again', () => {
  const turns = make()
  const peers = Array.from({ length: 200 }, (_, i) => fill(turns, new Peer(`2001:db8::${i.toString(16)}`)))
  const open = peers.filter(({ destroyed }) => !destroyed)
  expect(open.length).toBeGreaterThan(60)
  expect(open.length * 3 * KB12).toBeLessThanOrEqual(4 << 20)
  expect(fill(turns, new Peer('192.0.2.1')).destroyed).toBe(false)
  for (const peer of open) peer.destroy()
  expect(fill(turns, new Peer('2001:db8::1')).destroyed).toBe(false)
})

it('all hold sixteen megabytes, and who holds most makes room', () => {
  const turns = make()
  const small = Array.from({ length: 20 }, (_, i) => fill(turns, new Peer(`198.51.100.${i}`)))
  const large = Array.from({ length: 20 * 60 }, (_, i) => fill(turns, new Peer(`203.0.113.${i % 20}`)))
  const more = fill(turns, new Peer('192.0.2.1'))
  expect([...small, more].filter(({ destroyed }) => destroyed)).toEqual([])
  const open = large.filter(({ destroyed }) => !destroyed).length
  expect(open).toBeGreaterThan(200)
  expect((open + 21) * 3 * KB12).toBeLessThanOrEqual(16 << 20)
})
