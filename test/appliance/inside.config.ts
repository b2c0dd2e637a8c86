// What runs inside a virtual machine, against real programs and disks: the tests that `make test` runs on fakes, and a
// few of their own. Everything takes several times as long there.
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What the others take for granted comes first, and the order is not what an earlier run on the host took longest for. */
class Ordered extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? 1 : -1))
  }
}

export default defineConfig({
  test: {
    include: ['test/api/storage-*.test.ts', 'test/appliance/inside/*.test.ts'],
    // Nothing in them runs without fakes, and to load them takes its time.
    exclude: ['*faults', 'disks', 'permissions', 'schedules', 'share-in-one', 'smb-sessions'].map(
      (name) => `test/api/storage-${name}.test.ts`,
    ),
    setupFiles: ['test/harness/fuzz.ts'],
    // These only end what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    env: { EDGE_PATIENCE: '300' },
    sequence: { sequencer: Ordered },
    // They share the disks.
    fileParallelism: false,
    maxWorkers: 1,
  },
})
