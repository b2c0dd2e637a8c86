// A TypeScript client of each OpenAPI document: its types are made and three calls are compiled with them.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DOCUMENTS } from './openapi-golden.ts'

const repository = resolve(import.meta.dirname, '../..')
const calls = join(repository, 'test/client/calls')
const folder = mkdtempSync(join(tmpdir(), 'edge-admin-client-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** As strict as the product's own. */
const OPTIONS = {
  ...{ strict: true, noEmit: true, target: 'es2023', module: 'nodenext', lib: ['es2023', 'dom'], types: [] },
  ...{ noUncheckedIndexedAccess: true, allowImportingTsExtensions: true, verbatimModuleSyntax: true },
}

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(join(repository, 'node_modules/.bin', command), args, {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

/** Makes the types in the folder and returns their text. */
function typesOf(name: string, document: string): string {
  const [input, types] = [join(folder, `${name}.json`), join(folder, `types-${name}.ts`)]
  writeFileSync(input, document)
  expect(run('tsx', join(repository, 'test/client/types-of.ts'), input, types)).toEqual({ status: 0, output: '' })
  return readFileSync(types, 'utf8')
}

function compile(name: string): { status: number | null; output: string } {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const file of [`${name}.ts`, 'fetching.ts']) cpSync(join(calls, file), join(folder, file))
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: OPTIONS, files: [`${name}.ts`, `types-${name}.ts`] }),
  )
  return run('tsc', '-p', folder)
}

describe.each(DOCUMENTS)('a client of the $name surface', ({ name, make }) => {
  it('compiles, and is refused what the appliance would not take or answer', () => {
    const types = typesOf(name, make())
    expect(compile(name)).toEqual({ status: 0, output: '' })
    // What is shared stands there once, under its name.
    const { components } = JSON.parse(make()) as { components: { schemas: object } }
    for (const schema of Object.keys(components.schemas)) expect(types).toMatch(new RegExp(`^ {8}${schema}: `, 'm'))
  })
})
