import { configDefaults, defineConfig } from 'vitest/config'
import { FUZZ } from './test/harness/fuzz.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `make test-appliance` runs those, with virtual machines; `make test-browser` these, with a browser.
    exclude: [...configDefaults.exclude, 'test/appliance/**', 'test/browser/**'],
    globalSetup: ['test/harness/run-folder.ts'],
    setupFiles: ['test/harness/fuzz.ts'],
    // The tests start real scripts and servers; what they share is the machine's two cores.
    testTimeout: 60_000 * FUZZ,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
