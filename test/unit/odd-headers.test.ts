// Headers that are empty or odd, and still plain: on reads, and on bodies.
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { checkJsonHeaders } from '../../src/http/body/json-body.ts'
import { isListed, isUnchanged } from '../../src/http/pipeline/resource.ts'
import { inParts } from '../../src/http/reply/ranges.ts'

describe('If-None-Match of a read', () => {
  it.each(['', ' ', 'x', '"open', '"a" "b"', "'a'"])('that is no list matches nothing: %j', (header) => {
    expect(isUnchanged(header, '"a"')).toBe(false)
    const reply = { status: 200, headers: { ETag: '"a"' }, body: Buffer.from('x'), bytes: true as const }
    expect(inParts(reply, { 'if-none-match': header }, { head: false, fresh: false }).status).toBe(200)
    // On a change it must not be dropped.
    expect(() => isListed(header, '"a"', 'If-None-Match')).toThrow('Expected * or a list of entity tags')
  })

  it.each(['*', '"a"', 'W/"a"', '"b", "a"'])('that is one matches: %s', (header) => {
    expect(isUnchanged(header, '"a"')).toBe(true)
  })
})

describe('a JSON body', () => {
  const check = (headers: Record<string, string | undefined>) =>
    checkJsonHeaders({ headers } as unknown as IncomingMessage, 100)
  const type = 'application/json'

  it.each([
    { 'content-type': type, 'content-encoding': '' },
    { 'content-type': type, 'content-encoding': 'Identity' },
    { 'content-type': `${type};` },
    { 'content-type': `${type}; ` },
    { 'content-type': `${type};charset=utf-8;` },
  ])('is taken with %j', (headers) => expect(() => check(headers)).not.toThrow())

  it.each([
    { 'content-type': type, 'content-encoding': 'gzip' },
    { 'content-type': type, 'content-encoding': 'identity, gzip' },
    { 'content-type': `${type}; charset=latin1` },
    { 'content-type': `${type}x;` },
  ])('is refused with %j', (headers) => expect(() => check(headers)).toThrow('Expected a body of type'))
})
