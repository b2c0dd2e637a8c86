// The folder of a test run: what a killed run leaves in memory is removed by the next one, and nothing else is.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { prefixOf, sweepRuns } from '../harness/run-folder.ts'

it('is removed by a later run once its process is gone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-sweep-'))
  const gone = `${prefixOf(spawnSync('true').pid)}abcdef`
  const kept = [
    `${prefixOf(process.pid)}abcdef`,
    // Process 1 is another user's unless we are root.
    `${prefixOf(1)}abcdef`,
    // A container's that shares the folder.
    gone.replace('run-', 'run-9'),
    'edge-admin-run-abcdef',
    'edge-admin-1-2-3',
  ]
  try {
    for (const name of [gone, ...kept]) {
      mkdirSync(join(folder, name, 'tmp'), { recursive: true })
      writeFileSync(join(folder, name, 'tmp/file'), 'x')
    }
    sweepRuns(folder)
    expect(readdirSync(folder)).toEqual(kept.sort())
  } finally {
    rmSync(folder, { recursive: true })
  }
})
