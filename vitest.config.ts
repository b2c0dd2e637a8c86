import { defineConfig } from 'vitest/config'
import { FUZZ } from './test/harness/fuzz.ts'
import { PROJECTS, projectOf, testFiles } from './test/harness/projects.ts'

const files = testFiles().map((file) => ({ file, project: projectOf(file) }))

export default defineConfig({
  test: {
    setupFiles: ['test/harness/fuzz.ts'],
    // The tests start real scripts and servers; what they share is the machine's two cores.
    testTimeout: 60_000 * FUZZ,
    hookTimeout: 60_000,
    maxWorkers: 2,
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
