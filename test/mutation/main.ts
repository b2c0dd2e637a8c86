// `make mutate`: makes one slip after the other in src/{auth,http,store,tasks,drivers}, runs the tests that could notice, and counts those that
// did. By hand, not in continuous integration: `COUNT=120 SEED=1 make mutate`, `ONLY=src/auth` for a part, `ONLY='src/auth/jwt.ts:12 src/http/body/query.ts:80'`
// for all slips of those lines. It works on a copy of the repository.
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endProcessesOf } from './leftovers.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import { testsFor } from './selection.ts'
import { SLOW } from './slow-tests.ts'

const COUNT = Number(process.env['COUNT'] || 120)
const SEED = Number(process.env['SEED'] || 1)
const ONLY = (process.env['ONLY'] || 'src/auth src/http src/store src/tasks src/drivers').split(' ')
/** Where each result is written as it comes, so that a run that is stopped is not lost. */
const RESULTS = process.env['RESULTS']
/** Milliseconds that a run of tests may take; one that takes longer has noticed: something hangs. */
const LIMIT = 300_000
/** Tests of units that are asked before all others. */
const NEAREST = 2

/** Numbers between 0 and 1 that a seed decides (a linear congruential generator of Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function choose(all: Mutant[]): Mutant[] {
  const next = numbers(SEED)
  return all
    .map((mutant) => ({ mutant, order: next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, COUNT)
    .map(({ mutant }) => mutant)
}

function sourcesOf(place: string): { file: string; line?: number }[] {
  const [file = '', line] = place.split(':')
  if (file.endsWith('.ts')) return [{ file, ...(line && { line: Number(line) }) }]
  return readdirSync(file, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: join(file, name) }))
}

const sources = ONLY.flatMap(sourcesOf)
const all = sources.flatMap(({ file, line }) =>
  mutantsOf(file, readFileSync(file, 'utf8')).filter((mutant) => line === undefined || mutant.line === line),
)
const chosen = choose(all)

// The tests read ../shared, so the copy has one beside it.
const beside = mkdtempSync(join(tmpdir(), 'edge-admin-mutation-'))
const copy = join(beside, 'repository')
/** Where the tests make their folders. */
const temporary = join(beside, 'tmp')
mkdirSync(temporary)
symlinkSync(resolve('../shared'), join(beside, 'shared'))
cpSync('.', copy, {
  recursive: true,
  filter: (path) => !/(?:^|\/)(?:node_modules|\.git|var|coverage)(?:\/|$)/.test(path),
})
symlinkSync(resolve('node_modules'), join(copy, 'node_modules'))
process.once('exit', () => {
  endProcessesOf(beside)
  rmSync(beside, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** The first test that fails, `time` when they hang, or undefined: none of them noticed. */
function noticed(files: string[]): string | undefined {
  if (files.length === 0) return undefined
  const { stdout, status, error } = spawnSync(
    // In a session apart: a slip may end the group of the process that it runs in.
    'setsid',
    [
      '--wait',
      'node_modules/.bin/vitest',
      'run',
      '--bail=1',
      '--maxWorkers=1',
      '--reporter=./test/harness/reporter.ts',
      ...files,
    ],
    {
      ...{ cwd: copy, encoding: 'utf8', timeout: LIMIT, killSignal: 'SIGKILL' },
      env: { ...process.env, NO_COLOR: '1', TMPDIR: temporary },
    },
  )
  // A slip may be that nothing ends a task: its processes would make everything after it slower, until tests "notice" that.
  endProcessesOf(beside)
  for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true, force: true })
  if (error) return 'time'
  if (status === 0) return undefined
  return /^failed: (.{0,160})/m.exec(stdout)?.[1] ?? 'the files do not load'
}

function tryMutant({ file, from, to, after }: Mutant): string | undefined {
  const path = join(copy, file)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.slice(0, from) + after + text.slice(to))
  try {
    const { quick, slow } = testsFor(file, SLOW)
    // The nearest by themselves: they notice most of it, and vitest does not keep to the order of the files.
    for (const tests of [quick.slice(0, NEAREST), quick.slice(NEAREST), ...slow.map((test) => [test])]) {
      const by = noticed(tests)
      if (by !== undefined) return by
    }
    return undefined
  } finally {
    writeFileSync(path, text)
  }
}

process.stdout.write(
  `${all.length} slips are possible in ${new Set(sources.map(({ file }) => file)).size} files; ${chosen.length} are tried, seed ${SEED}\n`,
)
const survived: string[] = []
let tried = 0
for (const mutant of chosen) {
  const by = tryMutant(mutant)
  tried += 1
  const what = `${mutant.file}:${mutant.line} "${mutant.before.trim()}" -> "${mutant.after.trim()}"`
  const line = by === undefined ? `SURVIVED ${what}` : `caught ${what} by ${by}`
  if (by === undefined) survived.push(what)
  process.stdout.write(`${tried} ${line}\n`)
  if (RESULTS) appendFileSync(RESULTS, `${line}\n`)
}
process.stdout.write(
  `${tried - survived.length} of ${tried} caught\n${survived.map((what) => `survived: ${what}\n`).join('')}`,
)
