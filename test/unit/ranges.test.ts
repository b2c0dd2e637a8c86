// Which bytes of a file a Range header selects: at both ends of the file and one byte beyond. After every answer the file is closed exactly once.
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import type { OpenFile } from '../../src/http/reply/open-file.ts'
import { headOnly, inParts } from '../../src/http/reply/ranges.ts'
import type { Reply } from '../../src/http/reply/reply.ts'
import { STATUS } from '../../src/http/status.ts'

const TAG = '"tag-of-the-file"'
const TEXT = '0123456789'
interface Asked {
  head?: boolean
  fresh?: boolean
  text?: string
  status?: number
}

/** What is answered about a file of ten bytes: status, headers, the text of its stream, and how often it was closed without one. */
function ask(headers: Record<string, string>, { head = false, fresh = false, text = TEXT, status = 200 }: Asked = {}) {
  let [closed, sent] = [0, '']
  const file = {
    size: text.length,
    tag: TAG,
    close: () => void closed++,
    stream: (start: number, end: number) => {
      sent = text.slice(start, end + 1)
      return Readable.from([sent])
    },
  } as unknown as OpenFile
  try {
    const reply = inParts({ status, headers: { 'X-Own': 'kept' }, body: '', file }, headers, { head, fresh })
    return { status: reply.status, headers: reply.headers, sent, closed }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return {
      status: STATUS[error.kind],
      field: error.details?.field,
      range: error.details?.contentRange,
      sent,
      closed,
    }
  }
}
const part = (range: string, more: Asked = {}) => {
  const { status, headers, sent, range: refused } = ask({ range }, more)
  return [status, headers?.['Content-Range'] ?? refused, sent]
}

it('a whole file has its length, its tag, and what it had before', () => {
  expect(ask({})).toEqual({
    ...{ status: 200, sent: TEXT, closed: 0 },
    headers: { 'X-Own': 'kept', 'Accept-Ranges': 'bytes', ETag: TAG, 'Content-Length': '10' },
  })
  expect(ask({}, { text: '' })).toMatchObject({ status: 200, sent: '', closed: 1, headers: { 'Content-Length': '0' } })
  expect(ask({}, { head: true })).toMatchObject({
    status: 200,
    sent: '',
    closed: 1,
    headers: { 'Content-Length': '10' },
  })
})

it.each([
  ['bytes=0-0', 'bytes 0-0/10', '0'],
  ['bytes=0-9', 'bytes 0-9/10', TEXT],
  ['bytes=0-10', 'bytes 0-9/10', TEXT],
  ['bytes=9-9', 'bytes 9-9/10', '9'],
  ['bytes=9-', 'bytes 9-9/10', '9'],
  ['bytes=3-5', 'bytes 3-5/10', '345'],
  ['bytes=-1', 'bytes 9-9/10', '9'],
  ['bytes=-10', 'bytes 0-9/10', TEXT],
  ['bytes=-11', 'bytes 0-9/10', TEXT],
  ['Bytes= 2-4 ', 'bytes 2-4/10', '234'],
  // What some write for "to the end": the largest number that they have.
  ['bytes=3-9223372036854775807', 'bytes 3-9/10', TEXT.slice(3)],
  ['bytes=3-18446744073709551615', 'bytes 3-9/10', TEXT.slice(3)],
  ['bytes=-18446744073709551615', 'bytes 0-9/10', TEXT],
  ['bytes=0000000000000000003-5', 'bytes 3-5/10', '345'],
])('%s is a part', (range, told, sent) => {
  expect(part(range)).toEqual([206, told, sent])
  expect(ask({ range }).headers?.['Content-Length']).toBe(`${sent.length}`)
  const whole = ask({ range }, { head: true })
  expect(whole).toMatchObject({ status: 200, sent: '', closed: 1, headers: { 'Content-Length': '10' } })
  expect(whole.headers).not.toHaveProperty('Content-Range')
})

it.each(['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=9223372036854775807-'])('%s is beyond it', (range) => {
  expect(part(range)).toEqual([416, 'bytes */10', ''])
  expect(ask({ range }).closed).toBe(1)
  expect(ask({ range }, { head: true })).toMatchObject({ status: 200, closed: 1 })
})

it.each(['bytes=5-4', 'bytes=-', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=a-b', 'bytes 0-1', ''])(
  '%j is no part: the whole is sent',
  (range) => expect(part(range)).toEqual([200, undefined, TEXT]),
)

it('a part of an empty file is beyond it', () => {
  expect(part('bytes=0-0', { text: '' })).toEqual([416, 'bytes */0', ''])
})

it('If-Range gives the part of the same file, and the whole of another', () => {
  const range = 'bytes=1-2'
  expect(ask({ range, 'if-range': TAG })).toMatchObject({ status: 206, sent: '12' })
  expect(ask({ range, 'if-range': ` ${TAG} ` })).toMatchObject({ status: 206, sent: '12' })
  for (const other of ['"another"', `W/${TAG}`, 'Sun, 29 Nov 2026 12:00:00 GMT', ''])
    expect(ask({ range, 'if-range': other })).toMatchObject({ status: 200, sent: TEXT })
})

it('a file made for this request has a part from its start, and the rest under If-Range only', () => {
  expect(part('bytes=0-3', { fresh: true })).toEqual([206, 'bytes 0-3/10', '0123'])
  expect(part('bytes=1-3', { fresh: true })).toEqual([200, undefined, TEXT])
  expect(ask({ range: 'bytes=1-3', 'if-range': TAG }, { fresh: true })).toMatchObject({ status: 206, sent: '123' })
})

it('conditions are asked of its tag', () => {
  expect(ask({ 'if-match': TAG })).toMatchObject({ status: 200, sent: TEXT })
  expect(ask({ 'if-match': '"other"', range: 'bytes=0-1' })).toMatchObject({
    status: 412,
    field: 'If-Match',
    closed: 1,
  })
  expect(ask({ 'if-none-match': TAG })).toMatchObject({ status: 304, sent: '', closed: 1, headers: { ETag: TAG } })
  expect(ask({ 'if-none-match': '"other"' })).toMatchObject({ status: 200, sent: TEXT })
  expect(ask({ 'if-match': 'no list' })).toMatchObject({ status: 400, closed: 1 })
})

describe('an answer that is no file', () => {
  const bytes = (more: Partial<Reply> = {}): Reply => ({
    ...{ status: 200, headers: {}, body: Buffer.from(TEXT), bytes: true, ...more },
  })
  const both = { head: false, fresh: false }

  it('has parts where it says so, under the tag of its version', () => {
    const whole = inParts(bytes({ version: 'one' }), {}, both)
    expect([whole.status, String(whole.body), whole.headers['Content-Length']]).toEqual([200, TEXT, '10'])
    expect(whole.headers['ETag']).toMatch(/^"[\w-]{27}"$/)
    const some = inParts(bytes({ version: 'one' }), { range: 'bytes=2-4' }, both)
    expect([some.status, String(some.body), some.headers['ETag']]).toEqual([206, '234', whole.headers['ETag']])
    expect(inParts(bytes({ version: 'two' }), {}, both).headers['ETag']).not.toBe(whole.headers['ETag'])
    expect(inParts(bytes({ headers: { ETag: '"own"' }, version: 'one' }), {}, both).headers['ETag']).toBe('"own"')
    expect(inParts(bytes(), { range: 'bytes=2-4' }, { ...both, head: true })).toMatchObject({ status: 200, body: '' })
  })

  it('is left as it is otherwise, and so is one that is not 200', () => {
    for (const reply of [{ status: 200, headers: {}, body: TEXT }, bytes({ body: TEXT }), bytes({ status: 201 })])
      expect(inParts(reply, { range: 'bytes=2-4' }, both)).toBe(reply)
    expect(ask({ range: 'bytes=2-4' }, { status: 201 })).toEqual({
      ...{ status: 201, headers: { 'X-Own': 'kept' }, sent: '', closed: 0 },
    })
  })
})

it('HEAD tells the length of a text, not of a stream, nor of nothing', () => {
  const told = (reply: Partial<Reply>, headers: Record<string, string> = {}) => {
    headOnly({ status: 200, headers: {}, body: '', ...reply }, headers)
    return headers['Content-Length']
  }
  expect(told({ body: 'é' })).toBe('2')
  expect(told({ body: '' })).toBe('0')
  expect(told({ body: '' }, { 'Content-Length': '9' })).toBe('9')
  expect(told({ body: '', status: 304 })).toBeUndefined()
  expect(told({ body: '', follow: () => {} })).toBeUndefined()
  const body = Readable.from(['x'])
  expect([told({ body }), body.destroyed]).toEqual([undefined, true])
})
