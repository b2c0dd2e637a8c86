// The suite that needs virtual machines; `make test` does not run it. Two guests side by side take each twice the time.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [`test/appliance/${process.env['EDGE_VM_LONG'] ? 'long/' : ''}*.test.ts`],
    // Everything is emulated, and the machine may be busy: these only end what hangs.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    env: { EDGE_PATIENCE: '300' },
    fileParallelism: false,
  },
})
