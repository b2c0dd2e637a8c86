// What each kind of error is answered with. The kinds are the features' words and the statuses are the surfaces'; what clients have always
// been answered must not change when a kind becomes finer.
import { expect, it } from 'vitest'
import { ApiError, ERROR_KINDS, type ErrorKind } from '../../src/errors.ts'
import { codedFailure } from '../../src/http/reply/coded-failure.ts'
import { failure as adminFailure } from '../../src/surfaces/admin/shapes.ts'
import { failure as controllerFailure } from '../../src/surfaces/controller/shapes.ts'
import { declare, small } from './small-surface.ts'

const ANSWERS = {
  invalid: [400, 'BAD_REQUEST', 'Bad Request'],
  unauthenticated: [401, 'UNAUTHORIZED', 'Unauthorized'],
  forbidden: [403, 'FORBIDDEN', 'Forbidden'],
  'not-found': [404, 'NOT_FOUND', 'Not Found'],
  'wrong-method': [405, 'METHOD_NOT_ALLOWED', 'Method Not Allowed'],
  timeout: [408, 'REQUEST_TIMEOUT', 'Request Timeout'],
  exists: [409, 'CONFLICT', 'Conflict'],
  'in-use': [409, 'CONFLICT', 'Conflict'],
  locked: [409, 'CONFLICT', 'Conflict'],
  busy: [409, 'CONFLICT', 'Conflict'],
  'confirm-required': [409, 'CONFLICT', 'Conflict'],
  changed: [409, 'CONFLICT', 'Conflict'],
  'failed-precondition': [409, 'CONFLICT', 'Conflict'],
  cancelled: [409, 'CONFLICT', 'Conflict'],
  'condition-failed': [412, 'PRECONDITION_FAILED', 'Precondition Failed'],
  'too-large': [413, 'PAYLOAD_TOO_LARGE', 'Content Too Large'],
  unsupported: [415, 'UNSUPPORTED_MEDIA_TYPE', 'Unsupported Media Type'],
  'out-of-range': [416, 'RANGE_NOT_SATISFIABLE', 'Range Not Satisfiable'],
  unprocessable: [422, 'UNPROCESSABLE', 'Unprocessable Content'],
  'too-many': [429, 'TOO_MANY_REQUESTS', 'Too Many Requests'],
  'headers-too-large': [431, 'REQUEST_HEADER_FIELDS_TOO_LARGE', 'Request Header Fields Too Large'],
  internal: [500, 'INTERNAL_ERROR', 'Internal Server Error'],
  'not-implemented': [501, 'NOT_IMPLEMENTED', 'Not Implemented'],
  'command-failed': [502, 'COMMAND_FAILED', 'Bad Gateway'],
  unavailable: [503, 'SERVICE_UNAVAILABLE', 'Service Unavailable'],
  'wrong-version': [505, 'HTTP_VERSION_NOT_SUPPORTED', 'HTTP Version Not Supported'],
  'no-space': [507, 'INSUFFICIENT_STORAGE', 'Insufficient Storage'],
} satisfies Record<ErrorKind, [status: number, code: string, reason: string]>

it.each(ERROR_KINDS)('%s has a status and a word on each surface', (kind) => {
  const [status, code, reason] = ANSWERS[kind]
  const error = new ApiError(kind, 'Why')
  for (const render of [controllerFailure, codedFailure]) {
    const reply = render(error)
    expect([reply.status, JSON.parse(String(reply.body))]).toEqual([status, { code, message: 'Why' }])
  }
  for (const mode of ['strict', 'original'] as const) {
    const reply = adminFailure(error, undefined, mode)
    expect([reply.status, JSON.parse(String(reply.body))]).toEqual([
      status,
      { Status: `${status} ${reason}`, 'Error-Message': 'Why' },
    ])
  }
})

it('tells a client of the controller how to prove who it is, and only where that is asked', () => {
  const asks = (kind: ErrorKind) => 'WWW-Authenticate' in controllerFailure(new ApiError(kind, '')).headers
  expect(ERROR_KINDS.filter(asks)).toEqual(['unauthenticated'])
})

it('enters the status that the surface answers, whatever its table says', async () => {
  const handle = () => {
    throw new ApiError('locked', 'No')
  }
  const statuses = (error: ApiError) => ({ ...codedFailure(error), status: 510 })
  const { told, entries, answered } = small([declare({ method: 'POST', handle })], { renderError: statuses })
  expect(await told('POST', '/things?token=operator')).toBe('510 No')
  expect(entries).toMatchObject([{ target: '510', failure: '510 No', refusal: true }])
  expect(answered.map(([status]) => status)).toEqual([510])
})
