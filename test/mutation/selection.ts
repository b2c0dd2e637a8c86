// Which test files can notice a slip in a source file: those that import it, the nearest and the quickest first.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const imports = new Map<string, string[]>()

/** The files of this repository that a file imports, also those it loads later. */
function importsOf(file: string): string[] {
  const known = imports.get(file)
  if (known) return known
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const found = [...text.matchAll(/(?:from|import\(|import)\s*'(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1] ?? '')),
  )
  imports.set(file, found)
  return found
}

/** How many imports lie between a test and a source; undefined when none leads there. */
function distance(test: string, source: string): number | undefined {
  const seen = new Set([test])
  let edge = [test]
  for (let steps = 0; edge.length > 0; steps++) {
    if (edge.includes(source)) return steps
    edge = edge.flatMap(importsOf).filter((file) => !seen.has(file) && seen.add(file))
  }
  return undefined
}

const testFiles = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))

/** A test that imports more than this between itself and the source is about something else. */
const NEAR = 3

export interface Selection {
  /** Tests of units: quick, all at once. */
  quick: string[]
  /** Tests through the API, the likeliest first. */
  slow: string[]
}

/** `more` names test files for sources by a part of their path, where the imports do not tell. */
export function testsFor(source: string, more: Record<string, string[]> = {}): Selection {
  const near = (folder: string, most: number) =>
    testFiles(folder)
      .map((file) => ({ file, steps: distance(file, source) }))
      .filter((one): one is { file: string; steps: number } => one.steps !== undefined && one.steps <= NEAR)
      .sort((a, b) => a.steps - b.steps || a.file.localeCompare(b.file))
      .slice(0, most)
      .map(({ file }) => file)
  const named = Object.entries(more).flatMap(([part, files]) => (source.includes(part) ? files : []))
  // A run of no files fails, and would count as one that noticed.
  for (const file of named) if (!existsSync(file)) throw new Error(`${file} is named for ${source}, and is not there`)
  return { quick: near('test/unit', 8), slow: [...new Set(named)] }
}
