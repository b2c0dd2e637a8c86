// A disk that is full at each single write of each work (full-disk.ts): every end is a legal one once there is room
// again. It takes a mount, so root and namespaces; what is mounted here is seen by nobody else.
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { FUZZ } from '../harness/fuzz.ts'
import { isRoot, removeTemporary, shells, temporaryFolder } from './harness.ts'
import { EVERYTHING } from './pairwise.ts'
import { WORKS } from './works.ts'

afterAll(removeTemporary)

const APART = ['-m', '-u', '-n', '--']
const possible = isRoot && spawnSync('unshare', [...APART, 'true']).status === 0
const names = shells().map(({ name }) => name)
// Every write, under each shell, is for `make fuzz`; here one in nine, each work under one of the shells.
const stride = FUZZ > 1 ? 1 : 9
const rows = Object.keys(WORKS).flatMap((kind, n) =>
  names
    .map((name, index) => ({ kind, name, first: stride === 1 ? 0 : index * 4 }))
    .filter((_, index) => stride === 1 || EVERYTHING || (n + index) % names.length === 0),
)

describe('a disk that is full at any of its writes', () => {
  it.for(rows)(
    'leaves the old state or the new one, and no half: $kind under $name',
    { timeout: 240_000 },
    async ({ kind, name, first }, { skip }) => {
      if (!possible) skip('it takes root to mount a small disk')
      const folder = temporaryFolder()
      const command =
        'mount -t tmpfs -o size=32m,mode=755 none "$1" && TMPDIR=$1 && export TMPDIR && shift && exec "$@"'
      const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/cli.mjs')
      const sweep = [
        process.execPath,
        tsx,
        join(import.meta.dirname, 'full-disk.ts'),
        kind,
        name,
        String(first),
        String(stride),
      ]
      const argv = [...APART, 'sh', '-c', command, 'sh', folder, ...sweep]
      const { stdout, stderr } = await promisify(execFile)('unshare', argv, { timeout: 230_000 })
      expect(stderr).toBe('')
      const { faults, failed, last } = JSON.parse(stdout)
      expect(faults).toEqual({})
      expect(last).toBe('completed')
      expect(failed).toBeGreaterThan(stride === 1 ? 5 : 0)
    },
  )
})
