// Runs a script of this folder with TMPDIR on a tmpfs of 24 MiB, in a mount namespace of its own. That takes root and
// unshare(1); where they are missing the test is left out, and says so.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'vitest'
import { isRoot, REPOSITORY, temporaryFolder } from './appliance.ts'

/** What the script printed, as JSON; undefined where it cannot be run. Its first argument is the folder. */
export function runOnSmallDisk(script: string, ...more: string[]): unknown {
  if (!isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0) {
    console.log('left out: a full disk needs root and unshare(1) to mount a small tmpfs')
    return undefined
  }
  const command = 'mount -t tmpfs -o size=24m,mode=755 tmpfs "$1" && shift && exec "$@"'
  const tsx = join(REPOSITORY, 'node_modules/tsx/dist/cli.mjs')
  const folder = temporaryFolder()
  const program = [process.execPath, tsx, join(REPOSITORY, 'test/api', script), folder, ...more]
  const args = [command, 'sh', folder, ...program]
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', ...args], { encoding: 'utf8', timeout: 170_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}
