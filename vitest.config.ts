import { defineConfig } from 'vitest/config'
import { FUZZ } from './test/harness/fuzz.ts'
import { LongestFirst } from './test/harness/longest-first.ts'
import { PROJECTS, projectOf, testFiles } from './test/harness/projects.ts'

const files = testFiles().map((file) => ({ file, project: projectOf(file) }))

export default defineConfig({
  test: {
    setupFiles: ['test/harness/fuzz.ts'],
    // Only what hangs takes this long, on however busy a machine.
    testTimeout: 180_000 * FUZZ,
    hookTimeout: 180_000,
    // For two cores: a test that starts scripts or servers waits for them, and for their polls, for about half of its time.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    globalSetup: ['test/harness/run-folder.ts'],
    projects: PROJECTS.map((name) => ({
      extends: true as const,
      test: {
        name,
        include: files.filter(({ project }) => project === name).map(({ file }) => file),
        ...(name === 'pure' && { pool: 'threads' as const, isolate: false }),
      },
    })),
  },
})
