// Each test file runs in one of vitest's projects. One that keeps state for the files after it must not share a thread with them.
import { expect, it } from 'vitest'
import { LONGEST } from '../harness/longest-first.ts'
import { isPure, PROJECTS, projectOf, testFiles } from '../harness/projects.ts'

it('every test file is in a project, and each project has some', () => {
  const files = testFiles()
  expect(files.length).toBeGreaterThan(200)
  expect(new Set(files.map(projectOf))).toEqual(new Set(PROJECTS))
})

it('the files that begin first are there, and start programs', () => {
  expect(LONGEST.map((file) => [file, testFiles().includes(file) && projectOf(file)])).toEqual(
    LONGEST.map((file) => [file, 'programs']),
  )
})

it.each([
  ['pure', 'test/unit/text.test.ts', 'uses nothing outside of itself'],
  ['quick', 'test/api/bad-input.test.ts', 'has its server in its own process'],
  ['programs', 'test/unit/lio.test.ts', 'starts programs'],
  ['programs', 'test/api/fault-table.test.ts', 'starts the real server'],
  ['programs', 'test/scripts/pool.test.ts', 'starts scripts'],
])('in %s: %s, which %s', (project, file) => {
  expect(projectOf(file)).toBe(project)
})

it('a file that sets a variable, or whose helper does, shares no thread', () => {
  expect(isPure("import { join } from 'node:path'\njoin('a')\n")).toBe(true)
  for (const text of [
    "process.env['A'] = 'b'",
    'vi.useFakeTimers()',
    'globalThis.x = 1',
    "import { spawnSync } from 'node:child_process'",
    "import { createServer } from 'node:http'",
    "process.chdir('/')",
    "process.on('exit', f)",
  ])
    expect([text, isPure(text)]).toEqual([text, false])
})
