// American spelling in everything that ships: CONTRIBUTING says so. Words on the wire keep theirs, such as the job status `cancelled`.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')
const SHIPPED = [
  'src',
  'docs',
  'scripts',
  'build',
  'etc',
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'Makefile',
  'install.sh',
]
/** Texts of others, and pictures. */
const EXEMPT = /^etc\/eff-|\.png$/

/** Each British spelling, and what is written here. */
const BRITISH: [RegExp, string][] = [
  [/licence/i, 'license'],
  [/colour/i, 'color'],
  [/behaviour/i, 'behavior'],
  [/neighbour/i, 'neighbor'],
  [/favour/i, 'favor'],
  [/honour/i, 'honor'],
  [/labour/i, 'labor'],
  [/catalogue/i, 'catalog'],
  [/dialogue/i, 'dialog'],
  [/artefact/i, 'artifact'],
  [/judgement/i, 'judgment'],
  [/\b(de|of)fence/i, '-ense'],
  [/\b(centre|metre|fibre)/i, '-er'],
  [/\bgrey/i, 'gray'],
  [/\banalyse[dr]?\b/i, 'analyze'],
  [/\b(mis)?spelt\b/i, 'spelled'],
  [/\blearnt\b/i, 'learned'],
  [/\bprogramme\b/i, 'program'],
  [/\bfulfil\b/i, 'fulfill'],
  [/\bwhilst\b/i, 'while'],
  [/\b(label|model|travel|signal|level)l(ed|ing)\b/i, 'one l'],
  [
    /(author|capital|custom|final|initial|minim|maxim|normal|optim|organ|prior|recogn|sanit|serial|summar|synchron|util|visual)is(e|ed|er|es|ing|ation)/i,
    '-ize',
  ],
]

/** `file:line: word`, as an editor finds it. */
const found = (name: string, text: string) =>
  text.split('\n').flatMap((line, i) =>
    BRITISH.flatMap(([british, american]) => {
      const word = british.exec(line)?.[0]
      return word === undefined ? [] : [`${name}:${i + 1}: ${word} (${american})`]
    }),
  )

it('the spelling is American in sources, scripts and documents', () => {
  const files = SHIPPED.flatMap((name) =>
    statSync(join(repository, name)).isFile()
      ? [name]
      : readdirSync(join(repository, name), { recursive: true, encoding: 'utf8' }).map((below) => `${name}/${below}`),
  ).filter((name) => !EXEMPT.test(name) && statSync(join(repository, name)).isFile())
  expect(files.length).toBeGreaterThan(300)
  expect(
    files.flatMap((name) => [...found(name, name), ...found(name, readFileSync(join(repository, name), 'utf8'))]),
  ).toEqual([])
})

it.each(['the licence', 'colours', 'misspelt', 'normalised', 'deserialise', 'a grey button', 'labelled'])(
  'a British spelling is found: %s',
  (text) => {
    expect(found('a file', text)).toHaveLength(1)
  },
)
