// Vitest's global setup: a folder that all test files of a run share, and that is gone when the run ends.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { SHARED } from './shared-bundle.ts'

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'edge-admin-run-'))
  process.env[SHARED] = folder
  // While vitest watches, the source may have changed since.
  project.onTestsRerun(() => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
  })
  return () => rmSync(folder, { recursive: true, force: true })
}
