// Which test file runs in which of vitest's projects. The file itself decides, by what it and the helpers that it imports use, so there is no
// list to keep: `pure` files keep no state outside of themselves and share a thread, `quick` ones start no program, `programs` is the rest.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Project = 'pure' | 'quick' | 'programs'
export const PROJECTS: readonly Project[] = ['pure', 'quick', 'programs']

const REPOSITORY = join(import.meta.dirname, '../..')
/** Node's modules that leave nothing behind in a process. */
const HARMLESS = /^(?:assert|buffer|crypto|events|fs|os|path|stream|timers|url|util|zlib)(?:\/promises)?$/
/** What other files of the same process would see. */
const GLOBAL = /\bvi\.|\bprocess\.(?!pid|execPath|platform|version|getuid|getgid|hrtime|memoryUsage|cwd)|\bglobalThis\b/
/** How a test starts a program, or a server of its own process that starts some. */
const STARTS =
  /node:child_process|\bstart(?:Server|Storage)\b|\bmakeWorld\b|\binstallation\(|\binstallFakes\b|\blockHeld\b|\bsharedBundle\b/
/** No program of their own, and yet too slow for `make check`. */
const SLOW = ['unit/port-sockets.', 'unit/run.', 'api/login-flood.', 'api/properties.', 'api/storage-full-disk.']

/** The file and those below test/ that it imports, as text. */
function textsOf(file: string, found = new Map<string, string>()): Map<string, string> {
  if (found.has(file) || !existsSync(file)) return found
  const text = readFileSync(file, 'utf8')
  found.set(file, text)
  for (const [, from, at] of text.matchAll(/(?:from|import) '(\.[^']*)'|import\('(\.[^']*)'\)/g)) {
    const imported = join(dirname(file), from ?? at ?? '')
    if (imported.startsWith(join(REPOSITORY, 'test/'))) textsOf(imported, found)
  }
  return found
}

/** Whether a test file with this text, its helpers included, leaves nothing behind in the process that it runs in. */
export function isPure(text: string): boolean {
  const modules = [...text.matchAll(/(?:from|import\(|import) ?'node:([^']+)'/g)].map(([, name]) => name ?? '')
  return modules.every((name) => HARMLESS.test(name)) && !GLOBAL.test(text)
}

/** `file` is relative to the repository: `test/unit/text.test.ts`. */
export function projectOf(file: string): Project {
  const texts = textsOf(join(REPOSITORY, file))
  if (file.startsWith('test/unit/') && isPure([...texts.values()].join('\n'))) return 'pure'
  const isOneOf = (names: string[]) => names.some((name) => file.startsWith(`test/${name}`))
  const starts = STARTS.test(texts.get(join(REPOSITORY, file)) ?? '')
  return starts || isOneOf(SLOW) || isOneOf(['scripts/', 'replay/']) ? 'programs' : 'quick'
}

/** `make test-appliance` runs those of one folder, with virtual machines; `make test-browser` of the other, with a browser. */
const OTHERS = /^(?:appliance|browser)\//
export const testFiles = (): string[] =>
  readdirSync(join(REPOSITORY, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !OTHERS.test(name))
    .map((name) => `test/${name}`)
    .sort()
