// The order of the test files where vitest has no run to go by, as in a fresh clone: a file of minutes that begins last leaves a core idle.
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take a minute or more; vitest sorts the others by their size. */
export const LONGEST = [
  ...['scripts/update', 'api/fault-table', 'api/controller-roles', 'api/migration', 'scripts/settings', 'scripts/sudo'],
  ...['api/storage-pools-faults', 'api/storage-smb', 'api/storage-faults', 'scripts/pool', 'scripts/vdev'],
  ...['scripts/certs', 'scripts/restore', 'scripts/backup', 'api/security', 'api/storage-pools'],
].map((name) => `test/${name}.test.ts`)

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(this.ctx.config.root, moduleId))
      return at < 0 ? LONGEST.length : at
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
