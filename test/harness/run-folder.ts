// Vitest's global setup: a folder that all test files of a run share, and that is gone when the run ends. Where there is memory for it, it is in
// memory, and so are the temporary folders of the tests: the product syncs each change to the disk, and on a disk the tests would mostly wait for that.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { SHARED } from './shared-bundle.ts'

const MEMORY = '/dev/shm'
/** What `statfs` says of a file system in memory. */
const TMPFS = 0x01021994
/** Bytes that have to be free; a run needs a small part of it. */
const ROOM = 4 * 1024 ** 3

/** TMPDIR=/tmp keeps the tests on the disk. */
function makeFolder(): string {
  const onDisk = () => mkdtempSync(join(tmpdir(), 'edge-admin-run-'))
  if (process.env['TMPDIR'] !== undefined) return onDisk()
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY)
    if (type !== TMPFS || Math.min(bavail * bsize, freemem()) < ROOM) return onDisk()
    const folder = mkdtempSync(join(MEMORY, 'edge-admin-run-'))
    const temporary = join(folder, 'tmp')
    mkdirSync(temporary)
    // As /tmp: some tests give up root.
    chmodSync(folder, 0o755)
    chmodSync(temporary, 0o1777)
    const program = join(folder, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    if (spawnSync(program).status === 0) {
      process.env['TMPDIR'] = temporary
      return folder
    }
    // Mounted noexec.
    rmSync(folder, { recursive: true })
  } catch {
    // There is none, or it is not ours to write.
  }
  return onDisk()
}

let made: string | undefined
export function setup(project: TestProject): (() => void) | undefined {
  // For each project once, and they share it.
  if (made) return
  const folder = makeFolder()
  made = folder
  process.env[SHARED] = folder
  // While vitest watches, the source may have changed since.
  project.onTestsRerun(() => rmSync(join(folder, 'bundle'), { recursive: true, force: true }))
  return () => rmSync(folder, { recursive: true, force: true })
}
