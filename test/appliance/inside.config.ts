// What runs inside a virtual machine, against real programs and disks: the tests that `make test` runs on fakes, and a few of their own. The
// trap: everything takes several times as long there.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/api/storage-*.test.ts', 'test/appliance/inside/*.test.ts'],
    setupFiles: ['test/harness/fuzz.ts'],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // They share the disks.
    fileParallelism: false,
    maxWorkers: 1,
  },
})
