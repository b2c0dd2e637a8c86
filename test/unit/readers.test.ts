// The readers of one stream. What they cost must not grow with how many there are, and nothing may tick when nobody
// reads.
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { event, Readers } from '../../src/http/reply/readers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

class Fake extends EventEmitter {
  writableLength = 0
  destroyed = false
  heard = ''
  ended = false
  write(bytes: Buffer) {
    this.heard += bytes.toString()
  }
  end() {
    this.ended = true
    this.emit('close')
  }
  destroy() {
    this.destroyed = true
    this.emit('close')
  }
}
const as = (fake: Fake) => fake as unknown as ServerResponse
const make = (most = 10) => {
  let looks = 0
  const look = () => {
    looks += 1
  }
  return { readers: new Readers({ most, heartbeat: 15_000, look }), looks: () => looks }
}

describe('readers', () => {
  it('share one look every quarter second, and none when there are none', () => {
    const { readers, looks } = make()
    vi.advanceTimersByTime(1000)
    expect(looks()).toBe(0)
    const fakes = Array.from({ length: 5 }, () => new Fake())
    for (const fake of fakes) readers.join(as(fake), () => true)
    vi.advanceTimersByTime(1000)
    expect(looks()).toBe(4)
    for (const fake of fakes) fake.emit('close')
    vi.advanceTimersByTime(60_000)
    expect([looks(), readers.size, vi.getTimerCount()]).toEqual([4, 0, 0])
    readers.join(as(new Fake()), () => true)
    vi.advanceTimersByTime(250)
    expect(looks()).toBe(5)
  })

  it('go on when one of them leaves, and leaving twice is leaving once', () => {
    const { readers, looks } = make()
    const [stays, goes] = [new Fake(), new Fake()]
    for (const fake of [stays, goes]) readers.join(as(fake), () => true)
    for (let i = 0; i < 2; i++) goes.emit('close')
    vi.advanceTimersByTime(15_000)
    expect([looks(), stays.heard, goes.heard, readers.size]).toEqual([60, ': \n\n', '', 1])
  })

  it('hear nothing behind their end, though their connection takes a while to close', () => {
    const { readers } = make()
    const closing = new Fake()
    closing.end = () => {
      closing.ended = true
    }
    readers.join(as(closing), () => true)
    readers.cut()
    readers.send('late')
    expect([closing.ended, closing.heard, readers.size, vi.getTimerCount()]).toEqual([true, '', 0, 0])
  })

  it('get signs of life as long as they may read, and are ended when they may not or nobody can tell', () => {
    const { readers } = make()
    const [may, mayNot, broken] = [new Fake(), new Fake(), new Fake()]
    readers.join(as(may), () => true)
    readers.join(as(mayNot), () => false)
    readers.join(as(broken), () => {
      throw new Error('unreadable')
    })
    vi.advanceTimersByTime(15_000)
    expect([may.heard, mayNot.ended, broken.ended, readers.size]).toEqual([': \n\n', true, true, 1])
  })

  it('are cut off when too much waits for them', () => {
    const { readers } = make()
    const [slow, good] = [new Fake(), new Fake()]
    for (const fake of [slow, good]) readers.join(as(fake), () => true)
    slow.writableLength = 256 * 1024
    readers.send('a')
    slow.writableLength += 1
    readers.send('b')
    expect([slow.heard, slow.destroyed, good.heard, readers.size]).toEqual(['a', true, 'ab', 1])
  })

  it('are written to in slices, each in the order of sending, and only those who were there', () => {
    const { readers } = make(1000)
    const fakes = Array.from({ length: 250 }, () => new Fake())
    for (const fake of fakes) readers.join(as(fake), () => true)
    const heard = () => fakes.map((fake) => fake.heard)
    readers.send('a')
    expect(heard().filter(Boolean)).toHaveLength(100)
    readers.send('b')
    const late = new Fake()
    readers.join(as(late), () => true)
    fakes[249]!.emit('close')
    readers.send('c')
    vi.advanceTimersByTime(20)
    expect(new Set(heard().slice(0, 249))).toEqual(new Set(['abc']))
    expect([late.heard, fakes[249]!.heard]).toEqual(['c', ''])
  })

  it('are no more than there is room for, and none after the end', () => {
    const { readers } = make(1)
    readers.check()
    const [one, late] = [new Fake(), new Fake()]
    readers.join(as(one), () => true)
    expect(() => readers.check()).toThrow('Too many')
    readers.close()
    expect(one.ended).toBe(true)
    expect(() => readers.check()).toThrow('Too many')
    readers.join(as(late), () => true)
    expect([late.ended, readers.size, vi.getTimerCount()]).toEqual([true, 0, 0])
  })

  it('get events as the standard has them', () => {
    expect([event('job', '{}', 'a;b'), event('job', '{}')]).toEqual([
      'id: a;b\nevent: job\ndata: {}\n\n',
      'event: job\ndata: {}\n\n',
    ])
  })
})
