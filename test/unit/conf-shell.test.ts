// SEC-03, configuration for shells. What counts is what dash and busybox make of the file, so both source it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Assignment, parseShellAssignments, shellAssignments } from '../../src/store/shell-file.ts'
import { runs } from '../harness/fuzz.ts'

const SHELLS = [['dash'], ['busybox', 'ash']]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'conf-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The values that a shell has after it sourced the text; the shell's own words on stderr count as a failure. */
function sourced(shell: string[], text: string, keys: string[]): string[] {
  const place = mkdtempSync(join(folder, 'run-'))
  const conf = join(place, 'a.conf')
  writeFileSync(conf, text)
  const print = keys.map((key) => `printf '%s\\0' "$${key}"`).join('\n')
  const script = `set -f\n. '${conf}' || exit 9\n${print}\n`
  const [program, ...options] = shell
  const run = spawnSync(program!, [...options, '-s'], { cwd: place, input: script, env: { LC_ALL: 'C' } })
  expect(`${run.stderr}`).toBe('')
  expect(run.status).toBe(0)
  expect(readdirSync(place)).toEqual(['a.conf'])
  rmSync(place, { recursive: true })
  return run.stdout.toString().split('\0').slice(0, -1)
}

const hostile = [
  '"; touch pwned; "',
  "'; touch pwned; '",
  '$(touch pwned)',
  '`touch pwned`',
  '$' + '{x:=`touch pwned`}',
  '\\',
  '\\\\"',
  '\\$(touch pwned)',
  '"\\`touch pwned\\`',
  '#',
  ' ',
  '*',
  '~',
  '!!',
  '&& touch pwned',
  '| touch pwned',
  '%s%n',
  '\u00e9\u{1f600}\u0131',
  '',
]
const value = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: fc.constantFrom(...'"\\$`\'(){}!#&|;<> =ax~*?[]%\u00e9\u0301\u{1f600}') }),
  fc.string({ unit: 'binary' }).map((text) => text.replace(/[\p{Cc}\p{Surrogate}]/gu, '')),
)
const style = fc.constantFrom<'bare' | undefined>('bare', undefined)
const assignments = (values: [string, 'bare' | undefined][]): Assignment[] =>
  values.map(([text, how], index) => [`key_${index}`, text, how])

describe('shellAssignments', () => {
  it('writes quotes, and leaves them out where they are not wanted and not needed', () => {
    expect(
      shellAssignments([
        ['mode', 'static', 'bare'],
        ['ip', 'fe80::1', 'bare'],
        ['subnet', '/64', 'bare'],
      ]),
    ).toBe('mode=static\nip=fe80::1\nsubnet=/64\n')
    expect(
      shellAssignments([
        ['hostname', 'a.b'],
        ['ntpserver', ''],
      ]),
    ).toBe('hostname="a.b"\nntpserver=""\n')
    expect(
      shellAssignments([
        ['a', 'b c', 'bare'],
        ['b', '', 'bare'],
        ['c', '$x', 'bare'],
      ]),
    ).toBe('a="b c"\nb=""\nc="\\$x"\n')
    expect(shellAssignments([['password', 'p"$(id)`x`\\']])).toBe('password="p\\"\\$(id)\\`x\\`\\\\"\n')
    expect(shellAssignments([])).toBe('')
  })
  it.each(['', 'A', '1a', 'a-b', 'a b', 'a=b', 'a\n', '$(id)', 'évil', '_a'])('refuses the key %j', (key) => {
    expect(() => shellAssignments([[key, 'x']])).toThrow('not a name')
  })
  it.each(['a\nb', '\n', '\0', 'a\tb', '\r', '\x1b', '\x7f', '\u0085', '\ud800', 'a\udc00'])(
    'refuses the value %j',
    (text) => {
      expect(() => shellAssignments([['a', text]])).toThrow('no shell')
      expect(() => shellAssignments([['a', text, 'bare']])).toThrow('no shell')
    },
  )
  it.each(SHELLS)('SEC-03 reaches %s %s byte for byte and runs nothing', (...shell) => {
    const many = fc.array(fc.tuple(value, style), { minLength: 40, maxLength: 80 })
    fc.assert(
      fc.property(many, (values) => {
        const entries = assignments(values)
        expect(
          sourced(
            shell,
            shellAssignments(entries),
            entries.map(([key]) => key),
          ),
        ).toEqual(values.map(([text]) => text))
      }),
      { numRuns: runs(50) },
    )
    expect(
      sourced(
        shell,
        shellAssignments(hostile.map((text, index) => [`key_${index}`, text])),
        hostile.map((_, index) => `key_${index}`),
      ),
    ).toEqual(hostile)
  })
})

describe('parseShellAssignments', () => {
  it('SEC-03 reads back what was written', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, style)), (values) => {
        const entries = assignments(values)
        expect(parseShellAssignments(shellAssignments(entries))).toEqual(entries.map(([key, text]) => [key, text]))
      }),
    )
  })
  it('SEC-03 finds one key per entry, whatever is in the values', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        let text: string
        try {
          text = shellAssignments([
            ['a', a],
            ['b', b],
          ])
        } catch {
          expect(`${a}${b}`).toMatch(/[\p{Cc}\p{Surrogate}]/u)
          return
        }
        expect(text.match(/\n/g)).toHaveLength(2)
        expect(parseShellAssignments(text)).toEqual([
          ['a', a],
          ['b', b],
        ])
      }),
    )
  })
  it.each([
    'a',
    'a=b',
    'a=b c\n',
    'a=$x\n',
    'a="$x"\n',
    'a="`id`"\n',
    'a="b\n',
    'a="b" c=d\n',
    'A=b\n',
    "a='b'\n",
    'a=b;\n',
    '#c\n',
    'a="\\x"\n',
    'a=\n',
    '\n',
  ])('throws on %j', (text) => {
    expect(() => parseShellAssignments(text)).toThrow()
  })
})
