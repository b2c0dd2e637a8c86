// The word, or the path, that was most likely meant: what is near enough, at the limit and one beyond.
import { describe, expect, it } from 'vitest'
import { noSuchPath } from '../../src/http/pipeline/near-path.ts'
import { didYouMean, nearest, quoted } from '../../src/nearest.ts'

describe('the nearest word', () => {
  it.each([
    // One step for up to five letters, two for six to eight, three for more.
    ['pol', 'pool', true],
    ['pl', 'pool', false],
    ['abcde', 'abcdx', true],
    ['abcde', 'abcxx', false],
    ['abcdef', 'abcdxx', true],
    ['abcdef', 'abcxxx', false],
    ['abcdefghi', 'abcdefxxx', true],
    ['abcdefghi', 'abcdexxxx', false],
    ['abcdefghijkl', 'abcdefghixxx', true],
    ['abcdefghijkl', 'abcdefghxxxx', false],
    // Put in, taken out, swapped.
    ['snapshots', 'snapshot', true],
    ['snapshot', 'snapshots', true],
    ['psot', 'post', true],
    ['ab', 'ba', true],
    ['ba', 'xab', false],
    ['abcdef', 'badcef', true],
    ['a', 'b', true],
    ['', 'b', true],
    ['', 'bc', false],
    // Case, dashes and blanks are nothing.
    ['Dry-Run', 'dry_run', true],
    ['DRY RUN', 'dryrun', true],
    ['dataset', 'pool', false],
  ])('of %j may be %j: %s', (word, known, near) => expect(nearest(word, [known])).toBe(near ? known : undefined))

  it('is the nearest of several, and the first of those that are as near', () => {
    expect(nearest('snapshto', ['snapshots', 'snapshot', 'snapshut'])).toBe('snapshot')
    expect(nearest('cat', ['bat', 'car'])).toBe('bat')
    expect(nearest('cat', [])).toBeUndefined()
  })

  it('is not the word itself, nor looked for in what is long', () => {
    expect(nearest('pool', ['pool'])).toBeUndefined()
    expect(nearest('x'.repeat(40), [`${'x'.repeat(39)}y`])).toBeDefined()
    expect(nearest('x'.repeat(41), [`${'x'.repeat(39)}y`])).toBeUndefined()
    expect(nearest('x'.repeat(40), ['x'.repeat(41)])).toBeUndefined()
  })

  it('is offered in words, or not at all', () => {
    expect(didYouMean('pol', ['pool'])).toBe(': did you mean "pool"?')
    expect(didYouMean('zzz', ['pool'])).toBe('')
  })

  it('what the caller wrote is shown short, and in plain letters', () => {
    expect(quoted('a"b\\c\nd\u00e9~ ')).toBe('"a?b?c?d?~ "')
    expect(quoted('x'.repeat(40))).toBe(`"${'x'.repeat(40)}"`)
    expect(quoted('x'.repeat(41))).toBe(`"${'x'.repeat(40)}..."`)
  })
})

describe('the nearest path', () => {
  const templates = ['/api/v1/pools', '/api/v1/pools/{pool}', '/api/v1/datasets/{name*}', '/api/v1/pools/{pool}/scrub']
  const meant = (path: string) => /"(.*)"/.exec(noSuchPath(path, templates))?.[1]

  it.each([
    ['/api/v1/pool', '/api/v1/pools'],
    ['/api/v1/pool/', '/api/v1/pools'],
    ['/api/v1/pool/tank', '/api/v1/pools/{pool}'],
    ['/api/v2/pools', '/api/v1/pools'],
    ['/api/v1/pools/tank/scrup', '/api/v1/pools/{pool}/scrub'],
    ['/api/v1/dataset/tank/a/b', '/api/v1/datasets/{name}'],
    ['/api/v1/dataset/tank', '/api/v1/datasets/{name}'],
    ['/api/v1/dataset', undefined],
    ['/api/v2/pool', undefined],
    ['/api/v1/pools', undefined],
    ['/api/v1/volumes', undefined],
    ['/api/v1/pool/tank/more', undefined],
    ['/', undefined],
  ])('of %s is %s', (path, near) => {
    expect(meant(path)).toBe(near)
    expect(noSuchPath(path, templates)).toBe(near ? `There is no such path: did you mean "${near}"?` : '')
  })

  it('is not looked for in what is long, or has many parts', () => {
    const long = (length: number) => `/api/v1/pool/${'x'.repeat(length - 13)}`
    expect([meant(long(200)), meant(long(201))]).toEqual(['/api/v1/pools/{pool}', undefined])
    const deep = (parts: number) => `/api/v1/dataset${'/x'.repeat(parts - 4)}`
    expect([meant(deep(10)), meant(deep(11))]).toEqual(['/api/v1/datasets/{name}', undefined])
  })

  it('is the first that is near', () => {
    expect(noSuchPath('/a/pool', ['/a/pools', '/a/poll'])).toContain('"/a/pools"')
  })
})
