// CONTRIBUTING lists every folder of src/, two levels deep, with a line for each: a newcomer reads it first.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const repository = join(dirname(fileURLToPath(import.meta.url)), '../..')

const foldersIn = (path: string): string[] =>
  readdirSync(join(repository, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()

/** The listing's folders, as paths, with what is said of each. */
function listed(): [path: string, words: string][] {
  const text = readFileSync(join(repository, 'CONTRIBUTING.md'), 'utf8')
  const block = /```\nsrc\/\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  let outer = ''
  return block.split('\n').flatMap((line): [string, string][] => {
    const [, indent = '', name = '', words = ''] = /^( +)([a-z-]+)\/ *(.*)$/.exec(line) ?? []
    if (!name) return []
    if (indent.length === 2) outer = name
    return [[indent.length === 2 ? name : `${outer}/${name}`, words]]
  })
}

it('lists every folder of src, in order, and says what each holds', () => {
  const there = foldersIn('src').flatMap((name) => [
    name,
    ...foldersIn(`src/${name}`).map((inner) => `${name}/${inner}`),
  ])
  const lines = listed()
  expect(lines.map(([path]) => path)).toEqual(there)
  for (const [path, words] of lines) expect([path, words.length > 10]).toEqual([path, true])
})
