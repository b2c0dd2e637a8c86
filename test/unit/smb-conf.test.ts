// SEC-03 for Samba: whatever text goes into a section comes out of it again, or is refused; and the real `net conf import` reads it the same.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatList,
  parseFlag,
  parseList,
  parseSections,
  type Section,
  serializeSection,
} from '../../src/drivers/smb-conf.ts'
import { Description, ShareName, SharePath, ValidUsers } from '../../src/features/shares/rules.ts'
import { HAS_SAMBA_TOOLS } from '../api/samba-world.ts'

const section = (name: string, parameters: Record<string, string>): Section => ({
  name,
  parameters: new Map(Object.entries(parameters)),
})
const written = (one: Section) => {
  try {
    return serializeSection(one)
  } catch {
    return undefined
  }
}
const nasty = fc.string({
  unit: fc.constantFrom(
    'a',
    'B',
    ' ',
    '\t',
    '\n',
    '\r',
    '"',
    '\\',
    '[',
    ']',
    '=',
    ';',
    '#',
    '%',
    ',',
    '\0',
    '\u0085',
    '\u2028',
    'é',
    '-',
  ),
  maxLength: 12,
})
const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 20 }))

describe('a section of smb.conf', () => {
  it('is read back as it was written, or is not written (SEC-03)', () => {
    let taken = 0
    fc.assert(
      fc.property(text, text, text, (name, comment, path) => {
        const one = section(name, { comment, path, 'edge-admin:id': 'smb-1' })
        const serialized = written(one)
        if (serialized === undefined) return
        taken += 1
        expect(parseSections(serialized)).toEqual([one])
      }),
      { numRuns: 10_000 },
    )
    expect(taken).toBeGreaterThan(100)
  })

  it('never becomes two, whatever is in it', () => {
    for (const evil of ['a\n[evil]', 'a\r[evil]', 'a\\', ' a', 'a\u2028[evil]', 'a\0']) {
      expect(written(section('data', { comment: evil }))).toBeUndefined()
      expect(written(section(evil, {}))).toBeUndefined()
      expect(written(section('data', { [evil]: 'x' }))).toBeUndefined()
    }
    expect(written(section('a]b', {}))).toBeUndefined()
    expect(written(section('data', { comment: 'a] [b] = "c" ; # %' }))).toBeDefined()
  })

  it('takes every text that the API takes', () => {
    const strings = fc.oneof(text, fc.stringMatching(/^[A-Za-z0-9_.$/ é"#;[\]-]{0,12}$/))
    fc.assert(
      fc.property(strings, strings, strings, strings, (name, path, comment, user) => {
        const all = [ShareName.safeParse(name), SharePath.safeParse(path), Description.safeParse(comment)]
        if (!all.every(({ success }) => success) || !ValidUsers.safeParse([user]).success) return
        expect(written(section(name, { path, comment, 'valid users': user }))).toBeDefined()
      }),
      { numRuns: 10_000 },
    )
  })

  it.skipIf(!HAS_SAMBA_TOOLS)('is read by the real `net` as by us (skipped without Samba’s tools)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-admin-samba-'))
    try {
      const kinds = ['private dir', 'lock directory', 'state directory', 'cache directory']
      const lines = kinds.map((kind) => `${kind} = ${join(folder, kind.slice(0, 5))}\n`)
      for (const kind of kinds) mkdirSync(join(folder, kind.slice(0, 5)))
      writeFileSync(join(folder, 'smb.conf'), `[global]\n${lines.join('')}include = registry\n`)
      const net = (...args: string[]) =>
        spawnSync('/usr/bin/net', [`--configfile=${folder}/smb.conf`, 'conf', ...args], { encoding: 'utf8' })
      const values = fc
        .sample(fc.oneof(nasty, fc.string({ unit: 'grapheme', maxLength: 30 })), 2000)
        .filter((value) => value !== '' && written(section('data', { comment: value })) !== undefined)
        .slice(0, 40)
      expect(values.length).toBeGreaterThan(10)
      for (const [i, comment] of values.entries()) {
        const one = section(`data${i}`, { path: '/tank', comment })
        writeFileSync(join(folder, 'one.conf'), serializeSection(one))
        expect(net('import', join(folder, 'one.conf'), `data${i}`).status).toBe(0)
      }
      const found = parseSections(net('list').stdout)
      expect(found.map(({ parameters }) => parameters.get('comment'))).toEqual(values)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('what Samba prints', () => {
  it('is read: remarks, a global section, lists and flags', () => {
    const printed =
      '# Global parameters\n[global]\n\tregistry shares = Yes\n\tidmap config * : backend = tdb\n\n\n[da]ta]\n\tpath = /tank/a = b\n\tvalid users = alice @grp "DOM\\bob x"\n'
    const [global, share] = parseSections(printed)
    expect(global?.parameters.get('idmap config * : backend')).toBe('tdb')
    expect(share?.name).toBe('da]ta')
    expect(share?.parameters.get('path')).toBe('/tank/a = b')
    expect(parseList(share?.parameters.get('valid users') ?? '')).toEqual(['alice', '@grp', 'DOM\\bob x'])
    expect(parseList('a, b;c\td')).toEqual(['a', 'b', 'c', 'd'])
    expect(['Yes', 'no', 'TRUE', '0', 'x', undefined].map((flag) => parseFlag(flag, true))).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
    ])
  })
})

describe('a parameter', () => {
  it.each([
    ['path', '/a b', true],
    ['edge-admin:id', 'x', true],
    ['vfs_x * y', '', true],
    ['path', ' a', false],
    ['path', 'a ', false],
    ['path', 'a\\', false],
    ['path', 'a\\b', true],
    ['1path', 'a', false],
    ['path ', 'a', false],
    ['', 'a', false],
  ])('%j with the value %j is written: %s', (name, value, taken) => {
    expect(written(section('data', { [name]: value })) !== undefined).toBe(taken)
  })

  it('that is refused is named', () => {
    const fieldOf = (one: Section) => {
      try {
        serializeSection(one)
      } catch (error) {
        return (error as { details?: unknown }).details
      }
      return undefined
    }
    expect(fieldOf(section('data', { good: 'x', comment: 'a\n' }))).toEqual({ field: 'comment' })
    expect(fieldOf(section(' data', {}))).toEqual({ field: 'name' })
  })

  it('belongs to the section above it, in lower case, and to none where there is none', () => {
    const lines = [
      '\tlost = 1',
      '[ a ]  ',
      '\tPath = /A',
      '\tempty =',
      'no blank = 1',
      '\t= x',
      '[b] x',
      '\tc = d = e  ',
    ]
    const found = parseSections(lines.join('\n'))
    expect(found.map(({ name, parameters }) => [name, ...parameters])).toEqual([
      [' a ', ['path', '/A'], ['empty', ''], ['c', 'd = e']],
    ])
  })

  it('that is a list has quotes only where an item needs them', () => {
    const items = ['a', 'b c', 'd,e', 'f;g', '@h']
    expect(formatList(items)).toBe('a, "b c", "d,e", "f;g", @h')
    expect(parseList(formatList(items))).toEqual(items)
    expect([parseList(''), parseList(' , ')]).toEqual([[], []])
  })

  it('that is a flag is yes, no, or what it is by default', () => {
    for (const otherwise of [true, false]) {
      for (const word of ['yes', 'True', 'ON', '1']) expect(parseFlag(word, otherwise)).toBe(true)
      for (const word of ['no', 'False', 'OFF', '0']) expect(parseFlag(word, otherwise)).toBe(false)
      for (const word of ['', 'yes!', '10', undefined]) expect(parseFlag(word, otherwise)).toBe(otherwise)
    }
  })
})
