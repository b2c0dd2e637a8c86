// What runs inside a virtual machine, against real programs and disks: the tests that `make test` runs on fakes, and a few of their own. The
// trap: everything takes several times as long there.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/api/storage-*.test.ts', 'test/appliance/inside/*.test.ts'],
    // Nothing in them runs without fakes, and to load them takes its time.
    exclude: ['test/api/storage-*faults.test.ts'],
    setupFiles: ['test/harness/fuzz.ts'],
    // These only end what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    env: { EDGE_PATIENCE: '300' },
    // They share the disks.
    fileParallelism: false,
    maxWorkers: 1,
  },
})
