// The suite that needs virtual machines; `make test` does not run it. The trap: two guests side by side take each twice the time.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/appliance/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
})
