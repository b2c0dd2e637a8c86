// What the check knows by heart, against the files that it speaks of: a new call in a script, a new script, a new line in lib.sh must be
// followed there.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { LOOKS, MIGRATION_LOOKS } from '../../src/features/check/check.ts'
import { HOOKS } from '../../src/features/check/hooks.ts'
import { foldersOfRoot, ROOTS_OWN } from '../../src/features/check/owners.ts'
import { PERSIST_DEVICE, PERSIST_TOOL } from '../../src/features/check/persist.ts'
import { NEEDED, SOMETIMES } from '../../src/features/check/programs.ts'
import { SOURCED, STARTED } from '../../src/features/check/scripts.ts'
import { SUDO_SCRIPTS } from '../../src/features/check/sudo.ts'
import { programsOf } from './script-programs.ts'

const repository = join(import.meta.dirname, '../..')
const read = (...name: string[]) => readFileSync(join(repository, ...name), 'utf8')
const scripts = readdirSync(join(repository, 'scripts')).filter((name) => name !== 'README.md' && name !== 'settings')
const sorted = (names: Iterable<string>) => [...new Set(names)].sort()

describe('the programs', () => {
  it('are those that the scripts call', () => {
    const shell = scripts.filter((name) => /\.sh$|^edge-admin$/.test(name)).map((name) => read('scripts', name))
    expect(sorted(programsOf(shell))).toEqual(sorted([...Object.values(NEEDED).flat(), ...SOMETIMES, 'node']))
  })

  it('are found in every place of a script', () => {
    const text = `# grep is a comment
one() { two; }
if three "$(four "$(five)")" '$(not)'; then six | seven && A=b eight >x 9>&- || ! nine; fi
case $x in ten | eleven) twelve ;; *) thirteen ;; esac
for name in fourteen; do fifteen; done
timeout -s KILL 5 sixteen; command -v seventeen; find . -exec eighteen {} \\;
y=$(nineteen) z=$((twenty + 1)) $(($(twentytwo x) - 1))
(cd x && exec twentyone)
`
    const found =
      'two three four five six seven eight nine twelve thirteen fifteen timeout sixteen seventeen find eighteen nineteen twentyone twentytwo'
    expect(sorted(programsOf([text]))).toEqual(found.split(' ').sort())
  })
})

describe('the scripts', () => {
  it('are all of them, by how they are used', () => {
    expect(sorted([...STARTED, ...SOURCED])).toEqual(sorted(scripts))
    const isProgram = (name: string) => read('scripts', name).startsWith('#!')
    expect(sorted(scripts.filter(isProgram))).toEqual(sorted(STARTED))
  })

  it('of the sudoers fragment are those that sudo is asked for', () => {
    const named = [...read('etc', 'sudoers.edge-admin').matchAll(/@LIBDIR@\/scripts\/([a-z-]+)\.sh \^/g)].map(
      ([, name]) => name as string,
    )
    expect(sorted(SUDO_SCRIPTS)).toEqual(sorted(named))
  })

  it('demand of folders and files in sudo mode what the check does', () => {
    const demand = /^check_owners\(\) \{\n([\s\S]*?)^\}/m.exec(read('scripts', 'lib.sh'))?.[1] ?? ''
    const [folders = '', files = ''] = [
      ...demand.matchAll(/^ {2}(?:check_folders|for co_path in) ((?:.|\\\n)*?)(?:; do)?(?<!\\)$/gm),
    ].map(([, list]) => list)
    expect(sorted(files.split(/[\s\\]+/).filter(Boolean))).toEqual(sorted(ROOTS_OWN))
    const at = { root: '$EDGE_ROOT', sysconf: '$EDGE_SYSCONFDIR', data: '$EDGE_DATADIR', state: '$EDGE_STATEDIR' }
    const named = [...folders.matchAll(/"([^"]+)"/g)].map(([, path]) =>
      path!.replace('$UPLOADS', '$EDGE_ROOT/home/sftp/uploads'),
    )
    expect(sorted(foldersOfRoot({ folders: at, scripts: '$here' }))).toEqual(sorted(named))
  })

  it('keep the state by the tool and the device that are looked at', () => {
    const library = read('scripts', 'memory-image.sh')
    expect(library).toContain(`PERSIST_TOOL=\${EDGE_NETROOT:-}${PERSIST_TOOL}\n`)
    expect(library).toContain(`PERSIST_DEVICE=\${EDGE_NETROOT:-}${PERSIST_DEVICE}\n`)
  })
})

describe('the hooks', () => {
  it('are those that something calls', () => {
    const all = scripts
      .filter((name) => name.endsWith('.sh'))
      .map((name) => read('scripts', name))
      .join('\n')
      .replace(/^\s*#.*$/gm, '')
    const called = [...all.matchAll(/EDGE_ROOT\/bin\/([a-z]+)\.sh|\bhook ([a-z]+)/g)].map(
      ([, a, b]) => (a ?? b) as string,
    )
    expect(sorted(called)).toEqual(sorted(HOOKS))
  })
})

describe('the check itself', () => {
  const folder = join('src', 'features', 'check')
  const sources = readdirSync(join(repository, folder)).map((name) => read(folder, name))
  const listing = read(folder, 'check.ts')
  const tests = ['unit', 'api'].flatMap((kind) =>
    readdirSync(join(repository, 'test', kind))
      .filter((name) => /^check.*\.test\.ts$/.test(name) && name !== 'check-lists.test.ts')
      .map((name) => read('test', kind, name)),
  )

  it('makes every look that there is', () => {
    const made = [...LOOKS, ...MIGRATION_LOOKS].map(({ look }) => look.name)
    const names = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name as string)
    const written = sources.flatMap((text) => names(text, /^export async function (lookAt\w+)\(/gm))
    // Part of another look.
    const parts = sources.filter((text) => text !== listing).flatMap((text) => names(text, /^import .*\b(lookAt\w+)/gm))
    expect(sorted([...made, ...parts])).toEqual(sorted(written))
  })

  it('finds nothing that no test has seen it find', () => {
    const areas = [...LOOKS, ...MIGRATION_LOOKS].map(({ area }) => area).join('|')
    const found = sources.flatMap((text) => [
      ...[...text.matchAll(new RegExp(`\\(\\s*'((?:${areas})\\.[a-z-]+)'`, 'g'))].map(([, id]) => id as string),
      ...[...text.matchAll(/\bunseen\('([a-z]+)'/g)].map(([, area]) => `${area}.unseen`),
    ])
    expect(found.length).toBeGreaterThan(100)
    const isNamed = (id: string) => tests.some((text) => new RegExp(`\\b${id}(?![a-z-])`).test(text))
    expect(sorted(found).filter((id) => !isNamed(id))).toEqual([])
  })
})
