// Path templates (SEC-07): which route a path is, and what its parameters hold. Routes are asked with what `normalize`
// gives for routing, where an encoded slash is still to be seen.
import fc from 'fast-check'
import type { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { Configuration } from '../../src/config.ts'
import { normalize } from '../../src/http/pipeline/path.ts'
import { matcher, shown, sortRoutes } from '../../src/http/pipeline/route.ts'
import { makeAppliance } from '../api/appliance.ts'
import { ON } from '../api/controller.ts'

const routes = (...templates: string[]) => templates.map((template) => ({ template, value: template }))
const find = matcher(
  routes(
    '/s/{name*}',
    '/s/{name*}/restore',
    '/s/{name*}/holds/{tag}',
    '/s/plan',
    '/j/{id}',
    '/j/{id}/log',
    '/j/events',
  ),
)
const at = (raw: string) => {
  const target = normalize(raw)
  const match = target && find(target.route)
  return match && [match.value, { ...match.params }]
}

describe('a template', () => {
  const table: [string, string, Record<string, string>][] = [
    ['/s/tank', '/s/{name*}', { name: 'tank' }],
    ['/s/tank/', '/s/{name*}', { name: 'tank' }],
    ['/s/tank/data@now', '/s/{name*}', { name: 'tank/data@now' }],
    ['/s/tank%2Fdata%40now', '/s/{name*}', { name: 'tank/data@now' }],
    ['/s/tank/data%2fmore', '/s/{name*}', { name: 'tank/data/more' }],
    ['/s/tank/data/restore', '/s/{name*}/restore', { name: 'tank/data' }],
    ['/s/tank%2Fdata/restore/', '/s/{name*}/restore', { name: 'tank/data' }],
    ['/s/tank%2Frestore', '/s/{name*}', { name: 'tank/restore' }],
    ['/s/restore', '/s/{name*}', { name: 'restore' }],
    ['/s/restore/restore', '/s/{name*}/restore', { name: 'restore' }],
    ['/s/a/restore/restore', '/s/{name*}/restore', { name: 'a/restore' }],
    ['/s/a/b/holds/keep', '/s/{name*}/holds/{tag}', { name: 'a/b', tag: 'keep' }],
    ['/s/a/b/holds/ke%2Fep', '/s/{name*}', { name: 'a/b/holds/ke/ep' }],
    ['/s/plan', '/s/plan', {}],
    ['/s/plan/x', '/s/{name*}', { name: 'plan/x' }],
    ['/j/events', '/j/events', {}],
    ['/j/events/log', '/j/{id}/log', { id: 'events' }],
    ['/j/1', '/j/{id}', { id: '1' }],
  ]
  for (const [raw, template, params] of table) {
    it(`${template} takes ${raw}`, () => expect(at(raw)).toEqual([template, params]))
  }
  for (const raw of [
    '/j/a%2Fb',
    '/j/a%2Flog',
    '/j%2Fa',
    '/j/a/b',
    '/s',
    '/s/',
    '/j/',
    '/s%2Ftank',
    '/x',
    '/s/a%252Fb',
  ]) {
    it(`takes nothing of ${raw}`, () => expect(at(raw)).toBeUndefined())
  }

  it('asks the next route that takes the path where the first does not fit, and stays with the first where none does', () => {
    const asked: [string, boolean][] = []
    const fitting = (template: string) =>
      find('/s/a/restore', ({ value }, first) => {
        asked.push([value, first])
        return value === template
      })
    expect(fitting('/s/{name*}')).toMatchObject({ value: '/s/{name*}', params: { name: 'a/restore' } })
    expect(asked).toEqual([
      ['/s/{name*}/restore', true],
      ['/s/{name*}', false],
    ])
    expect(fitting('/s/plan')).toMatchObject({ value: '/s/{name*}/restore', params: { name: 'a' } })
  })

  it('holds slashes in one parameter at most, and parameters are whole segments', () => {
    expect(() => matcher(routes('/{a*}/{b*}'))).toThrow('two parameters')
    expect(() => matcher(routes('/x{a}'))).toThrow('whole segment')
  })

  it('is shown without its star', () => expect(shown('/s/{name*}/holds/{tag}')).toBe('/s/{name}/holds/{tag}'))

  it('gives the name back whichever way its slashes were sent, decoded once', () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((text) => !/[\p{Cc}\p{Cs}/\\;%]|^\.{1,2}$/u.test(text) && text !== '')
      .filter((text) => !/^(?:restore|holds|plan)$/.test(text) && !/%(?:2e)/i.test(encodeURIComponent(text)))
    fc.assert(
      fc.property(fc.array(fc.tuple(segment, fc.boolean()), { minLength: 1, maxLength: 6 }), (parts) => {
        const name = parts.map(([text]) => text).join('/')
        const sent = parts
          .map(([text, hidden], i) => (i === 0 ? '' : hidden ? '%2F' : '/') + encodeURIComponent(text))
          .join('')
        expect(at(`/s/${sent}`)).toEqual(['/s/{name*}', { name }])
        expect(at(`/s/${sent}/restore`)).toEqual(['/s/{name*}/restore', { name }])
      }),
      { numRuns: 5000 },
    )
  })

  it('never lets through a name with empty, dot or control segments', () => {
    const piece = fc.constantFrom(
      ...'/ %2F %2f . .. // %2e %5c %00 %252F a tank @ %40 %c3%a9 ; \\ %0a restore'.split(' '),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (parts) => {
        const match = at(`/s/${parts.join('')}`)
        const name = (match?.[1] as { name?: string } | undefined)?.name
        if (name === undefined) return
        expect(name).not.toMatch(/[\p{Cc}%\\;]/u)
        expect(name.split('/').filter((part) => ['', '.', '..'].includes(part))).toEqual([])
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('routes', () => {
  it('with parameters are kept apart by the shortest text before the first, and take competing literals with them', () => {
    const { plain, stems } = sortRoutes(routes('/a', '/a/{x}', '/a/b', '/a/b/{y}', '/c/{z*}', '/d'))
    expect(plain.map(({ template }) => template)).toEqual(['/a', '/d'])
    expect([...stems].map(([stem, group]) => [stem, group.map(({ template }) => template)])).toEqual([
      ['/a/', ['/a/{x}', '/a/b', '/a/b/{y}']],
      ['/c/', ['/c/{z*}']],
    ])
  })

  it('of ours leave Hono its fast router', async () => {
    const { folders, configuration } = makeAppliance(ON)
    const app = await createApp({
      folders,
      config: Configuration.parse(configuration),
      scripts: '/nowhere',
      version: '0',
    })
    const hono: Hono<never> = app.hono as never
    // All endpoints are loaded to look for one that is near.
    await hono.request('/nowhere')
    // A path without parameters is answered before Hono looks for its route.
    await hono.request('/api/v1/pools/tank')
    expect(hono.router.name).toBe('SmartRouter + RegExpRouter')
    app.close()
  })
})
