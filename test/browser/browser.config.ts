// The suite that needs a browser; `make test` does not run it. Two browsers side by side on two cores make everything
// slow, so its files run one after the other.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    globalSetup: ['test/harness/run-folder.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
})
