// Errors in the dialect of the controller and the console: the words, the field, and the headers that come with some of them.
import { expect, it } from 'vitest'
import { ApiError, type ErrorKind, type ErrorOptions } from '../../src/errors.ts'
import { codedFailure } from '../../src/http/reply/coded-failure.ts'
import { kindOf } from '../../src/http/server/refusal.ts'

const render = (kind: ErrorKind, message = '', options: ErrorOptions = {}) => {
  const { status, headers, body } = codedFailure(new ApiError(kind, message, options))
  const { 'Content-Type': _, ...rest } = headers
  return { status, headers: rest, body: JSON.parse(String(body)) }
}

it('says what was thrown, else what is usual for its kind, else its code', () => {
  expect(render('invalid', 'A name is missing').body).toEqual({ code: 'BAD_REQUEST', message: 'A name is missing' })
  expect(render('invalid', '', { words: 'A body is missing' }).body.message).toBe('A body is missing')
  expect(render('invalid').body.message).toBe('The request is not well-formed')
  expect(render('not-found').body).toEqual({ code: 'NOT_FOUND', message: 'Not found' })
  expect(render('locked').body).toEqual({ code: 'CONFLICT', message: 'CONFLICT' })
  expect(render('internal').body.message).toMatch(/^Internal error; /)
})

it('has words for each kind that a request comes to before it is parsed', () => {
  for (const status of [400, 405, 408, 413, 431, 505] as const) {
    const { code, message } = render(kindOf(status)).body
    expect([code, message]).not.toEqual([code, code])
  }
})

it('names the field, or the object, that it is about', () => {
  expect(render('invalid', 'Too long', { details: { field: 'name' } }).body).toEqual({
    ...{ code: 'VALIDATION_ERROR', message: 'Too long', details: 'name' },
    errors: [{ field: 'name', message: 'Too long' }],
  })
  expect(render('in-use', 'In use', { details: { field: 'name' } }).body.code).toBe('CONFLICT')
  expect(render('in-use', 'In use', { details: { object: 'tank/a' } }).body).toEqual({
    ...{ code: 'CONFLICT', message: 'In use', details: 'tank/a' },
  })
  expect(render('in-use', 'In use', { details: { field: 'name', object: 'tank/a' } }).body.details).toBe('name')
  // Wrong as a whole: there is no member to point at.
  expect(render('invalid', 'Expected an object', { details: { field: '' } }).body).toEqual({
    ...{ code: 'VALIDATION_ERROR', message: 'Expected an object' },
  })
  const errors = ['a', 'b'].map((field) => ({ field, message: 'x' }))
  expect(render('invalid', 'x', { details: { field: 'a', errors } }).body.errors).toEqual(errors)
})

it('has the headers that belong to it, and no others', () => {
  expect(render('invalid', 'x').headers).toEqual({})
  expect(render('too-many', 'x', { retryAfter: 7 }).headers).toEqual({ 'Retry-After': '7' })
  expect(render('wrong-method', 'x', { details: { allow: 'GET, HEAD' } }).headers).toEqual({ Allow: 'GET, HEAD' })
  const details = { field: 'Range', contentRange: 'bytes */9' }
  expect(render('out-of-range', 'x', { details }).headers).toEqual({ 'Content-Range': 'bytes */9' })
})
