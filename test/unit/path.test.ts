// SEC-07: the one normalization of request targets. It repairs nothing; a path is plain, or it is refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalize } from '../../src/http/pipeline/path.ts'
import { runs } from '../harness/fuzz.ts'

describe('SEC-07 the path of a request', () => {
  const accepted: [string, string, string][] = [
    ['/', '/', ''],
    ['/api/v1/admin/version', '/api/v1/admin/version', ''],
    ['/api/v1/admin/version/', '/api/v1/admin/version/', ''],
    ['/api/v1/admin/version?token=a&b=%2e', '/api/v1/admin/version', 'token=a&b=%2e'],
    ['/a?b?c#d', '/a', 'b?c#d'],
    ['/%61pi/v1', '/api/v1', ''],
    ['/caf%C3%A9', '/café', ''],
    ['/a..b', '/a..b', ''],
    ['/.well-known', '/.well-known', ''],
    ['/a...', '/a...', ''],
    ['http://host:80/api?x', '/api', 'x'],
    ['https://user@host/api', '/api', ''],
    ['/tank%40snap', '/tank@snap', ''],
  ]
  for (const [raw, path, query] of accepted) {
    it(`is taken: ${raw}`, () => expect(normalize(raw)).toEqual({ path, route: path, query }))
  }

  const refused = [
    ...['', '*', 'api', '//', '//api', '/api//v1', '/api/./v1', '/api/../v1', '/..', '/.', '/api/..', '/a/.'],
    ...[
      '/%2e%2e/x',
      '/%2E',
      '/a%2eb',
      '/version%2Etxt',
      '/a%2f%2fb',
      '/a/%2fb',
      '/a%2f/b',
      '/a%2f',
      '/a%2F..%2Fb',
      '/a%2F.',
      '/a%2F%2e%2e',
      '/a%252fb',
      '/%2fa',
      '/a%5cb',
      '/a\\b',
      '/a;b',
      '/a%3bb',
      '/a%00',
      '/a%0a',
      '/a%0d%0ab',
      '/a%7f',
    ],
    ...[
      '/%252e%252e',
      '/a%25',
      '/a%',
      '/a%4',
      '/a%zz',
      '/%c0%ae%c0%ae',
      '/%e0%80%af',
      '/%ff',
      '/%ed%a0%80',
      '/a#b',
      '/a b',
    ],
    ...['/a\tb', '/a\0', '/é', '/%c2%85', 'http://host', 'ftp://host/api', 'http://host//api', '/http://host/'],
  ]
  for (const raw of refused) {
    it(`is refused: ${JSON.stringify(raw)}`, () => expect(normalize(raw)).toBeUndefined())
  }

  it('keeps an encoded slash apart from a plain one, for whoever routes', () => {
    const both = { path: '/a/b/c', query: '' }
    expect(normalize('/a%2fb/c')).toEqual({ ...both, route: '/a%2Fb/c' })
    expect(normalize('/%61%2Fb%2fc')).toEqual({ ...both, route: '/a%2Fb%2Fc' })
    expect(normalize('/a/b/c')).toEqual({ ...both, route: '/a/b/c' })
  })

  const piece = fc.constantFrom(
    ...'/ . .. // %2e %2E %2f %2F %5c %00 %0a %7f %c0%ae %252e %25 %61 %C3%A9 %e2%82%ac ; # \\ a b-c d_e . ? = api v1 \0 \u0085 %c2%85'.split(
      ' ',
    ),
    '\u2028',
    '%e2%80%a8',
  )
  const hostile = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((parts) => `/${parts.join('')}`),
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `/${text}`),
    fc.webPath(),
    fc.string({ maxLength: 30 }),
  )

  it('never has dots, doubled slashes or control characters once it is taken', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const target = normalize(raw)
        if (!target) return
        expect(target.path).toMatch(/^\//)
        expect(target.path).not.toMatch(/\/\/|\/\.{1,2}(?:\/|$)|\\|\0/)
        expect(target.path).not.toMatch(/[\p{Cc};]/u)
        expect(target.route.replaceAll('%2F', '')).not.toContain('%')
        expect(target.route.replaceAll('%2F', '/')).toBe(target.path)
      }),
      { numRuns: runs(20_000) },
    )
  })

  it('is exactly what percent-decoding makes of it', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const target = normalize(raw)
        if (!target) return
        const origin = raw.replace(/^https?:\/\/[^/?#]*/i, '')
        const mark = origin.indexOf('?')
        expect(target.path).toBe(decodeURIComponent(mark < 0 ? origin : origin.slice(0, mark)))
        expect(target.query).toBe(mark < 0 ? '' : origin.slice(mark + 1))
      }),
      { numRuns: runs(20_000) },
    )
  })

  it('is the same when it is normalized again', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const path = normalize(raw)?.path
        if (path === undefined) return
        expect(normalize(encodeURI(path))?.path).toBe(path)
      }),
      { numRuns: runs(20_000) },
    )
  })

  it('takes every plain path as it is', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,12}$/)
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const path = `/${segments.join('/')}`
        expect(normalize(path)).toEqual({ path, route: path, query: '' })
      }),
    )
  })
})
