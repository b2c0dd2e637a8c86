// One habit each, and the requests that show it. Every row says what the same request gets where the habit is the usual one.
import { type QueryHabits, queryDialect } from '../../src/http/body/query.ts'
import type { CallOptions } from '../api/client.ts'
import type { Habit } from './entry.ts'

const query = (habits: Partial<QueryHabits>): Habit => ({
  wire: {
    query: queryDialect({ plus: 'itself', valueless: 'refuse', doubled: 'refuse', unknown: 'refuse', ...habits }),
  },
})

export const HABITS = {
  usual: {},
  'slash-distinct': { wire: { trailingSlash: 'distinct' }, slash: true },
  'slash-refused': { wire: { trailingSlash: 'refuse' } },
  'unknown-ignored': query({ unknown: 'ignore' }),
  'plus-blank': query({ plus: 'blank' }),
  'valueless-empty': query({ valueless: 'empty' }),
  'valueless-ignored': query({ valueless: 'ignore' }),
  'doubled-first': query({ doubled: 'first' }),
  'doubled-last': query({ doubled: 'last' }),
  'doubled-list': query({ doubled: 'list' }),
  'open-names': { open: true },
  'body-optional': { wire: { body: 'optional' } },
  'head-refused': { wire: { head: 'refuse' } },
  'options-allowed': { wire: { options: 'allow' } },
} satisfies Record<string, Habit>

export type Answered = [status: number, body: unknown]

export interface Row {
  habit: keyof typeof HABITS
  asked: string
  options?: CallOptions
  answer: Answered
  /** Where the habit is the usual one; left out, the same. */
  usual?: Answered
}

const fault = (kind: string, message: unknown): unknown => ({ fault: { kind, message } })
const refused = (message: string): Answered => [510, fault('invalid', message)]
const JSON_BODY = { 'content-type': 'application/json' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const form = (body: string): CallOptions => ({ body, headers: FORM })
const volume = (more: object): unknown => ({ pool: 'p', volume: 'v1', size: '1G', copies: 1, thin: false, ...more })
const VOLUME = 'POST /pool/p/volume?token=marble'
const ONE_VOLUMES = '/v2/projects/p/volumes'

/** The twelve requests of the review, but the log-in of two surfaces. */
export const TWELVE: Row[] = [
  {
    ...{ habit: 'slash-distinct', asked: `GET ${ONE_VOLUMES}/?name=x` },
    ...{ answer: [200, { name: 'x' }], usual: [200, { volumes: ['x'] }] },
  },
  {
    ...{ habit: 'unknown-ignored', asked: `GET ${ONE_VOLUMES}?name=x&unknown=1` },
    ...{ answer: [200, { volumes: ['x'] }], usual: refused('Unknown query parameter "unknown": expected name') },
  },
  {
    ...{ habit: 'body-optional', asked: `POST ${ONE_VOLUMES}`, options: { headers: JSON_BODY } },
    ...{ answer: [200, { name: 'unnamed' }], usual: refused('The body is not valid JSON') },
  },
  {
    ...{ habit: 'body-optional', asked: 'POST /access/v2', answer: [201, { access: {} }] },
    usual: [415, fault('unsupported', 'Expected a body of type application/json')],
  },
  {
    ...{ habit: 'open-names', asked: 'GET /storage/v1/pools?props=true&match_name=x' },
    answer: [200, { props: 'true', 'match_*': { name: 'x' } }],
    usual: refused('Unknown query parameter "match_name": expected props'),
  },
  {
    ...{ habit: 'plus-blank', asked: 'GET /vm?limit=a+b' },
    ...{ answer: [200, { limit: 'a b' }], usual: [200, { limit: 'a+b' }] },
  },
  { habit: 'slash-refused', asked: 'GET /vm/', answer: [404, 'No such toy\n'], usual: [200, {}] },
  { habit: 'head-refused', asked: 'HEAD /vm', answer: [405, 'GET'], usual: [200, undefined] },
  {
    ...{ habit: 'options-allowed', asked: 'OPTIONS /vm', answer: [200, 'GET, HEAD, OPTIONS'] },
    usual: [405, fault('wrong-method', 'No OPTIONS here')],
  },
  {
    ...{ habit: 'doubled-first', asked: `${VOLUME}&size=2G`, options: form('volume=v1&size=1G') },
    ...{ answer: [200, volume({ size: '2G' })] },
    usual: refused('The option "size" came more than once, with different values'),
  },
  { habit: 'usual', asked: `${VOLUME}&volume=v1&size=1G`, answer: [200, volume({})] },
  { habit: 'usual', asked: 'DELETE /vm/one', answer: [204, undefined] },
]

export const MORE: Row[] = [
  {
    ...{ habit: 'valueless-empty', asked: 'GET /vm?limit', answer: [200, { limit: '' }] },
    usual: refused('The query parameter "limit" has no value: expected name=value'),
  },
  {
    ...{ habit: 'valueless-ignored', asked: 'GET /vm?limit', answer: [200, {}] },
    usual: refused('The query parameter "limit" has no value: expected name=value'),
  },
  {
    ...{ habit: 'doubled-first', asked: 'GET /vm?limit=a&limit=b', answer: [200, { limit: 'a' }] },
    usual: refused('The query parameter "limit" came more than once'),
  },
  {
    ...{ habit: 'doubled-last', asked: 'GET /vm?limit=a&limit=b', answer: [200, { limit: 'b' }] },
    usual: refused('The query parameter "limit" came more than once'),
  },
  {
    // Where the schema takes a list, all values are its members, whichever of several counts elsewhere.
    ...{ habit: 'doubled-first', asked: 'GET /vm?node=a&node=b', answer: [200, { node: ['a', 'b'] }] },
    usual: refused('The query parameter "node" came more than once'),
  },
  {
    ...{ habit: 'doubled-list', asked: 'GET /vm?order=a&order=b', answer: [200, { order: ['a', 'b'] }] },
    usual: refused('The query parameter "order" came more than once'),
  },
  { habit: 'usual', asked: 'GET /vm?node=a', answer: [200, { node: ['a'] }] },
  {
    ...{
      habit: 'plus-blank',
      asked: 'GET /vm?limit=a&limit=b',
      answer: refused('The option "limit" came more than once'),
    },
    usual: refused('The query parameter "limit" came more than once'),
  },
  {
    ...{ habit: 'body-optional', asked: `POST ${ONE_VOLUMES}`, options: { body: 'null', headers: JSON_BODY } },
    ...{ answer: [200, { name: 'unnamed' }], usual: refused('Expected an object, found null') },
  },
  {
    ...{ habit: 'body-optional', asked: `POST ${ONE_VOLUMES}`, options: { body: '{"name":"a"}' } },
    ...{ answer: [200, { name: 'a' }], usual: [415, fault('unsupported', 'Expected a body of type application/json')] },
  },
  {
    ...{ habit: 'unknown-ignored', asked: VOLUME, options: form('volume=v1&size=1G&colour=red') },
    ...{ answer: [200, volume({})], usual: refused('Unknown parameter') },
  },
  {
    ...{ habit: 'doubled-last', asked: VOLUME, options: form('volume=v0&size=1G&volume=v1') },
    ...{ answer: [200, volume({})], usual: refused('The option "volume" came more than once, with different values') },
  },
  {
    ...{ habit: 'valueless-ignored', asked: VOLUME, options: form('volume=v1&size=1G&copies') },
    ...{ answer: [200, volume({})], usual: refused('Expected a number of at least 1, found 0') },
  },
  {
    ...{ habit: 'plus-blank', asked: VOLUME, options: form('volume=a+b&size=1G') },
    ...{ answer: [200, volume({ volume: 'a b' })], usual: [200, volume({ volume: 'a+b' })] },
  },
  // Credentials have no schema: of several, the one that counts is the one that counts elsewhere.
  {
    ...{ habit: 'doubled-first', asked: `${VOLUME}&token=other`, options: form('volume=v1&size=1G') },
    ...{ answer: [200, volume({})], usual: refused('The query parameter "token" came more than once') },
  },
  {
    ...{
      habit: 'doubled-last',
      asked: 'POST /pool/p/volume?token=other',
      options: form('volume=v1&size=1G&token=marble'),
    },
    ...{ answer: [200, volume({})], usual: [401, fault('unauthenticated', 'Not yours')] },
  },
  {
    ...{ habit: 'plus-blank', asked: `${VOLUME}&token=marble`, options: form('volume=v1&size=1G') },
    answer: refused('The option "token" came more than once'),
    usual: refused('The query parameter "token" came more than once'),
  },
  // One schema takes text from wherever it comes, and gives the handler numbers and flags.
  {
    habit: 'usual',
    asked: `${VOLUME}&copies=2`,
    options: form('volume=v1&size=1G&thin=true'),
    answer: [200, volume({ copies: 2, thin: true })],
  },
  {
    ...{ habit: 'usual', asked: 'POST /pool/p/volume?size=1G' },
    options: {
      form: [
        { name: 'token', value: 'marble' },
        { name: 'volume', value: 'v1' },
        { name: 'copies', value: '3' },
        { name: 'image', value: 'bytes', filename: 'image.raw' },
      ],
    },
    answer: [200, volume({ copies: 3, image: 5 })],
  },
  { habit: 'usual', asked: `${VOLUME}&pool=other&volume=v1&size=1G`, answer: [200, volume({})] },
  {
    ...{ habit: 'usual', asked: VOLUME, options: form('volume=v1&size=much') },
    answer: refused('Expected a size such as 20G'),
  },
  { habit: 'usual', asked: 'POST /pool/p/volume', answer: [401, fault('unauthenticated', 'Not yours')] },
  // Statuses and shapes of the surface's own.
  { habit: 'usual', asked: 'GET /root', answer: [209, { message: 'a toy' }] },
  { habit: 'usual', asked: 'GET /fault/invalid', answer: refused('On purpose') },
  { habit: 'usual', asked: 'GET /fault/not-implemented', answer: [501, fault('not-implemented', 'On purpose')] },
  { habit: 'usual', asked: 'GET /fault/unavailable', answer: [520, fault('unavailable', 'On purpose')] },
  { habit: 'usual', asked: 'GET /error', answer: [404, fault('not-found', 'No such marble')] },
]
