// When a connection's time is over, who makes room, and what is the last word on it: with sockets and clocks that the test holds. What real peers
// do is in port-sockets.test.ts.
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Connection, Connections } from '../../src/http/server/connections.ts'
import { Places, type PlacesOptions } from '../../src/http/server/places.ts'

const TIMES = { handshake: 1000, headers: 600, idle: 400, stalled: 300, grace: 50, look: 1 }
let connections: Connections
let places: Places
const open = (options: Partial<PlacesOptions> = {}) => {
  places = new Places({ most: 3, perAddress: 3, isProxy: () => false, known: () => false, ...options })
  connections = new Connections(places, TIMES)
}
beforeEach(() => {
  vi.useFakeTimers()
  pass(5000)
  open()
})
afterEach(() => {
  connections.close()
  vi.useRealTimers()
})

let ports = 0
class Peer extends EventEmitter {
  remoteAddress: string | undefined
  remotePort = ++ports
  localAddress = '192.0.2.254'
  writable = true
  destroyed = false
  resumed = false
  said = ''
  bytesRead = 1
  bytesWritten = 0
  writableLength = 0
  _handle = { writeQueueSize: 0 }
  constructor(address: string | undefined) {
    super()
    this.remoteAddress = address
  }
  destroy() {
    if (this.destroyed) return
    this.destroyed = true
    this.writable = false
    this.emit('close')
  }
  resume() {
    this.resumed = true
  }
  end(text: string) {
    this.said += text
    this.writable = false
  }
  get state() {
    return this.destroyed ? 'gone' : this.said.slice(9, 12) || 'there'
  }
}
const as = (peer: Peer) => peer as unknown as Socket
/** One whose TCP connection is there; with `speaks`, HTTP has begun on it. */
function come(address: string | undefined = '192.0.2.1', speaks = true) {
  const peer = new Peer(address)
  const connection = connections.enter(as(peer))
  if (connection && speaks) connections.speak(as(peer))
  return { peer, connection: connection as Connection }
}
/** The answer to its newest request; `over` once it has gone. */
function answer({ connection }: { connection: Connection }, over = false, more: object = {}) {
  const one = Object.assign(new EventEmitter(), { destroyed: over, headersSent: false, socket: {}, ...more })
  const outgoing = Object.assign({ req: { complete: true } }, one, {
    once: one.once.bind(one),
    finish() {
      outgoing.destroyed = true
      one.emit('close')
    },
  })
  connection.last = outgoing as unknown as ServerResponse
  return outgoing
}
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds)

describe('a connection', () => {
  it('has its place until it closes', () => {
    const { peer, connection } = come()
    expect([connections.size, places.holds('192.0.2.1'), connections.of(as(peer)) === connection]).toEqual([1, 1, true])
    peer.destroy()
    expect([connections.size, places.holds('192.0.2.1'), connections.of(as(peer))]).toEqual([0, 0, undefined])
  })

  it('without an address, or a place, is nobody’s, and takes nobody’s place', () => {
    const all = [come(), come(), come()]
    for (const one of all) answer(one)
    const [nameless, late] = [come(undefined), come()]
    for (const { peer, connection } of [nameless, late]) expect([peer.state, connection]).toEqual(['gone', undefined])
    expect([connections.size, all.map(({ peer }) => peer.state)]).toEqual([3, ['there', 'there', 'there']])
  })

  it('ends with an error on it, also before HTTP is spoken', () => {
    const { peer } = come('192.0.2.1', false)
    peer.emit('error', new Error('reset'))
    expect([peer.state, connections.size]).toEqual(['gone', 0])
  })

  it('that is not known does not speak', () => {
    const stray = new Peer('192.0.2.1')
    connections.speak(as(stray))
    expect([stray.state, connections.of(as(stray))]).toEqual(['gone', undefined])
  })
})

describe('the time of a connection is over', () => {
  const lastsFor = (peer: Peer, milliseconds: number) => {
    pass(milliseconds)
    const before = peer.destroyed
    pass(1)
    return [before, peer.destroyed]
  }

  it('when it has not finished its handshake', () => {
    expect(lastsFor(come('192.0.2.1', false).peer, TIMES.handshake)).toEqual([false, true])
  })

  it('when it has asked nothing, or rests after an answer, and not while one is made', () => {
    expect(lastsFor(come().peer, TIMES.headers + TIMES.idle)).toEqual([false, true])
    const one = come()
    const outgoing = answer(one)
    pass(50_000)
    expect(one.peer.state).toBe('there')
    outgoing.finish()
    expect(lastsFor(one.peer, TIMES.headers + TIMES.idle)).toEqual([false, true])
  })

  it('counted from where HTTP begins', () => {
    const { peer } = come('192.0.2.1', false)
    pass(900)
    connections.speak(as(peer))
    expect(lastsFor(peer, TIMES.headers + TIMES.idle)).toEqual([false, true])
  })

  it('when nothing of what waits for it is taken', () => {
    const one = come()
    answer(one)
    pass(500)
    Object.assign(one.peer, { bytesWritten: 1000, writableLength: 900 })
    // Until it is looked at.
    pass(TIMES.look)
    expect(lastsFor(one.peer, TIMES.stalled)).toEqual([false, true])
  })

  it.each([
    ['its stream', (peer: Peer) => (peer.writableLength += 100)],
    ['the kernel', (peer: Peer) => (peer._handle.writeQueueSize += 50)],
  ])('also while we go on to write to %s', (_what, wait) => {
    const one = come()
    answer(one)
    Object.assign(one.peer, { bytesWritten: 9000, writableLength: 500 })
    for (let i = 0; i < 6; i++) {
      // What we write and what waits grow alike: nothing is taken.
      one.peer.bytesWritten += 100
      wait(one.peer)
      pass(100)
    }
    expect(one.peer.state).toBe('gone')
  })

  it.each([
    ['its stream', (peer: Peer) => peer.writableLength--],
    ['the kernel, of one large write', (peer: Peer) => peer._handle.writeQueueSize--],
  ])('but not while something goes to %s', (_what, move) => {
    const one = come()
    answer(one)
    Object.assign(one.peer, { bytesWritten: 9000, writableLength: 500, _handle: { writeQueueSize: 500 } })
    for (let i = 0; i < 20; i++) {
      pass(TIMES.stalled - 10)
      move(one.peer)
    }
    pass(TIMES.look)
    expect(one.peer.state).toBe('there')
    expect(lastsFor(one.peer, TIMES.stalled)).toEqual([false, true])
  })

  it('when the server stops, unless it has asked something', () => {
    const [silent, asked] = [come(), come()]
    answer(asked)
    connections.stop()
    expect([silent.peer.state, asked.peer.state]).toEqual(['gone', 'there'])
    connections.close()
    pass(100_000)
    expect([asked.peer.state, vi.getTimerCount()]).toEqual(['there', 0])
  })
})

describe('where there is no place left', () => {
  it('the silent go, the oldest first, then those at rest, the longest first', () => {
    const [busy, first, second] = [come('192.0.2.1'), come('192.0.2.2'), come('192.0.2.3')]
    answer(busy)
    come('192.0.2.4')
    expect([busy, first, second].map(({ peer }) => peer.state)).toEqual(['there', 'gone', 'there'])
    for (const { peer } of [first, second]) peer.destroy()
    open()
    const [one, two, three] = [come('192.0.2.1'), come('192.0.2.2'), come('192.0.2.3')]
    for (const at of [two, one, three]) {
      answer(at, true)
      at.connection.since = performance.now()
      pass(5)
    }
    come('192.0.2.4')
    expect([one, two, three].map(({ peer }) => peer.state)).toEqual(['there', 'gone', 'there'])
  })

  it('of those at rest, one of the address that has most', () => {
    open({ most: 4, perAddress: 4, known: () => true })
    const all = ['192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.3'].map((address) => come(address))
    for (const one of all) {
      answer(one, true)
      pass(1)
    }
    come('192.0.2.9')
    expect(all.map(({ peer }) => peer.state)).toEqual(['there', 'gone', 'there', 'there'])
  })

  it('nobody goes in vain: a stranger who would need more places than strangers can leave', () => {
    open({ most: 8, perAddress: 8 })
    const strangers = Array.from({ length: 6 }, (_, i) => come(`203.0.113.${i}`))
    for (const one of strangers.slice(2)) answer(one)
    for (let i = 0; i < 2; i++) answer(come('127.0.0.1'))
    expect(come('203.0.113.9').connection).toBeUndefined()
    expect(strangers.map(({ peer }) => peer.state)).toEqual(Array(6).fill('there'))
    answer(strangers[2] as (typeof strangers)[0], true)
    expect(come('203.0.113.9').connection).toBeDefined()
    expect(strangers.map(({ peer }) => peer.state)).toEqual([...Array(3).fill('gone'), ...Array(3).fill('there')])
  })

  it('nobody whose place was taken already is asked for it again', () => {
    open({ most: 2, perAddress: 2 })
    const [one, two] = [come(), come()]
    answer(two)
    // It holds on, as a socket may that is being closed.
    one.peer.destroy = () => {}
    expect(come().connection).toBeDefined()
    expect([places.holds('192.0.2.1'), one.connection.placed]).toEqual([2, false])
    answer({ connection: connections.of(as(two.peer)) as Connection })
    const third = come()
    expect(third.connection).toBeDefined()
    one.peer.emit('close')
    expect(places.holds('192.0.2.1')).toBe(2)
  })
})

describe('the last word on a connection', () => {
  const refuse = ({ peer }: { peer: Peer }, code: string | undefined = 'HPE_INVALID_METHOD') => {
    connections.refuse(code, as(peer))
    return peer.state
  }

  it('says what was wrong, and ends it soon, whether or not its peer does', () => {
    const one = come()
    expect([refuse(one), one.peer.resumed]).toEqual(['400', true])
    pass(TIMES.grace - 1)
    expect(one.peer.destroyed).toBe(false)
    pass(1)
    expect(one.peer.destroyed).toBe(true)
  })

  it('is said once', () => {
    const one = come()
    refuse(one)
    refuse(one, 'HPE_HEADER_OVERFLOW')
    expect(one.peer.said.match(/HTTP\/1\.1/g)).toHaveLength(1)
    // It may still be on its way.
    expect(one.peer.destroyed).toBe(false)
    const waits = come()
    const outgoing = answer(waits)
    refuse(waits)
    refuse(waits, 'HPE_HEADER_OVERFLOW')
    outgoing.finish()
    expect(waits.peer.state).toBe('400')
  })

  it('is not said behind an answer that was the last', () => {
    const one = come()
    const outgoing = answer(one)
    refuse(one)
    one.peer.writable = false
    outgoing.finish()
    expect([one.peer.said, one.peer.state]).toEqual(['', 'gone'])
  })

  it('is not said where nobody hears it', () => {
    expect(refuse(come(), 'ECONNRESET')).toBe('gone')
    const ended = come()
    ended.peer.writable = false
    expect(refuse(ended)).toBe('gone')
    const stray = { peer: new Peer('192.0.2.1') }
    expect(refuse(stray)).toBe('gone')
    const other = new Peer('192.0.2.1')
    connections.conclude(as(other), 400)
    expect(other.state).toBe('gone')
  })

  it('is 408 for a request that stopped, and nothing for a connection in reserve, or one that waits', () => {
    const late = 'ERR_HTTP_REQUEST_TIMEOUT'
    expect(refuse(come(), late)).toBe('408')
    const reserve = come()
    reserve.peer.bytesRead = 0
    expect(refuse(reserve, late)).toBe('gone')
    const again = come()
    answer(again, true)
    expect(refuse(again, late)).toBe('408')
    const waiting = come()
    answer(waiting)
    expect(refuse(waiting, late)).toBe('gone')
  })

  it('comes behind the answers before it', () => {
    const one = come()
    const outgoing = answer(one)
    expect(refuse(one)).toBe('there')
    outgoing.finish()
    expect(one.peer.state).toBe('400')
    const done = come()
    answer(done, true)
    expect(refuse(done)).toBe('400')
  })

  it('is the answer to a body that is no HTTP, unless that has begun', () => {
    const body = { req: { complete: false } }
    const one = come()
    answer(one, false).req.complete = false
    expect(refuse(one)).toBe('400')
    const begun = come()
    answer(begun, false, { headersSent: true }).req.complete = false
    expect(refuse(begun)).toBe('gone')
    const behind = come()
    answer(behind, false, { socket: null, ...body }).req.complete = false
    expect(refuse(behind)).toBe('gone')
  })
})
