// Bodies that are read whole, and bodies that nobody reads: their limits at the limit and one above, and that no timer is left.
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { discardBody, hasBody } from '../../src/http/body/discard.ts'
import { checkJsonHeaders, parseJson, readBytes } from '../../src/http/body/json-body.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())
const turn = () => new Promise((resolve) => setImmediate(resolve))
const request = (headers: Record<string, string> = {}) => {
  const stream = new PassThrough()
  const socket = {
    destroyed: false,
    destroy() {
      socket.destroyed = true
    },
  }
  return { stream, socket, incoming: Object.assign(stream, { headers, socket }) as unknown as IncomingMessage }
}

describe('a body that is read', () => {
  const read = () => {
    const { stream, incoming } = request()
    const heard = readBytes(incoming, 10, 1000).then(String, (error: Error) => error.message)
    return { stream, heard }
  }

  it('is whole, up to its limit', async () => {
    const one = read()
    one.stream.write('01234')
    one.stream.end('56789')
    expect([await one.heard, vi.getTimerCount()]).toEqual(['0123456789', 0])
    const more = read()
    more.stream.write('01234567890')
    expect([await more.heard, vi.getTimerCount()]).toEqual(['Body too large. Allowed: <= 10 bytes', 0])
    // What still comes is not taken, and the stream lives: its sender shall read why.
    expect([more.stream.isPaused(), more.stream.destroyed]).toEqual([true, false])
  })

  it('is incomplete where it breaks, or ends without its end', async () => {
    const broken = read()
    broken.stream.destroy(new Error('reset'))
    expect(await broken.heard).toBe('The body is incomplete')
    const closed = read()
    closed.stream.destroy()
    expect([await closed.heard, vi.getTimerCount()]).toEqual(['The body is incomplete', 0])
  })

  it('is given up when it stops, and when it takes too long', async () => {
    const stopped = read()
    vi.advanceTimersByTime(999)
    stopped.stream.write('0')
    await turn()
    vi.advanceTimersByTime(1000)
    expect([await stopped.heard, vi.getTimerCount()]).toEqual(['The body stopped arriving', 0])
    const slow = read()
    for (let i = 0; i < 5; i++) {
      slow.stream.write('0')
      await turn()
      vi.advanceTimersByTime(999)
    }
    expect([await slow.heard, vi.getTimerCount()]).toEqual(['The body arrives too slowly', 0])
  })

  it('is refused by what it announces above the limit', () => {
    const check = (length: string) => () =>
      checkJsonHeaders(request({ 'content-type': 'application/json', 'content-length': length }).incoming, 10)
    expect(check('10')).not.toThrow()
    expect(check('11')).toThrow('Body too large')
  })

  it.each([
    ['{"a":1}', true],
    ['"\\ud83d\\ude00"', true],
    ['{"__proto__":1}', false],
    ['[{"a":{"__proto__":1}}]', false],
    ['"\\ud800"', false],
    ['', false],
    ['{"a":1,"a":2}', false],
  ])('is JSON that nothing is dropped of: %s', (text, good) => {
    const parse = () => parseJson(Buffer.from(text))
    if (good) expect(parse()).toEqual(JSON.parse(text))
    else expect(parse).toThrow()
  })
})

describe('a body that nobody reads', () => {
  const LONG = { 'content-length': '99' }

  it.each([
    [LONG, true],
    [{ 'transfer-encoding': 'chunked' }, true],
    [{ 'content-length': '0' }, false],
    [{}, false],
  ])('is one with %j: %s', (headers, has) => {
    const { incoming, stream } = request(headers)
    expect(hasBody(incoming)).toBe(has)
    discardBody(incoming)
    expect([stream.readableFlowing === true, vi.getTimerCount()]).toEqual([has, has ? 1 : 0])
    expect(hasBody(undefined)).toBe(false)
    discardBody(undefined)
  })

  it('may have a mebibyte, and ends its connection with a byte more', async () => {
    const { incoming, stream, socket } = request(LONG)
    discardBody(incoming)
    stream.write(Buffer.alloc(1 << 20))
    await turn()
    expect(socket.destroyed).toBe(false)
    stream.write('x')
    await turn()
    expect(socket.destroyed).toBe(true)
  })

  it('may take half a minute, and is forgotten once it ended or broke', async () => {
    const slow = request(LONG)
    discardBody(slow.incoming)
    vi.advanceTimersByTime(29_999)
    expect(slow.socket.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(slow.socket.destroyed).toBe(true)
    for (const over of ['end', 'close']) {
      const { incoming, stream, socket } = request(LONG)
      discardBody(incoming)
      stream.emit(over)
      expect([over, vi.getTimerCount(), socket.destroyed]).toEqual([over, 0, false])
    }
  })
})
