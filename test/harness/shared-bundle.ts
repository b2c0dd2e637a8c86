// The program that the tests start: always of this source, whatever lies in dist/, and made once for all test files of a run.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The variable that names the folder which the test files share (run-folder.ts). */
export const SHARED = 'EDGE_ADMIN_TEST_RUN'
const REPOSITORY = join(import.meta.dirname, '../..')

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-run-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

let own: string | undefined
/** The folder that all test files of a run share; outside of a run, one of this process. */
export function sharedFolder(): string {
  const shared = process.env[SHARED]
  if (shared !== undefined) return shared
  own ??= ownFolder()
  return own
}

let laid: string | undefined
/** A folder with edge-admin.js, its package.json and lib/: to be copied, not to be changed. */
export function sharedBundle(): string {
  if (laid) return laid
  const folder = sharedFolder()
  const out = join(folder, 'bundle')
  const lay = [process.execPath, 'node_modules/tsx/dist/cli.mjs', 'test/harness/lay-bundle.ts', out]
  // Two test files that need it at the same time: one makes it, the other waits.
  const argv = [join(folder, 'bundle.lock'), ...lay]
  const { status, stderr } = spawnSync('flock', argv, { cwd: REPOSITORY, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the program could not be bundled: ${stderr}`)
  laid = out
  return out
}
