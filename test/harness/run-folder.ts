// Vitest's global setup: a folder that all test files of a run share, and that is gone when the run ends. Where there is memory for it, it is in
// memory, and so are the temporary folders of the tests: the product syncs each change to the disk, and on a disk the tests would mostly wait for that.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { SHARED } from './shared-bundle.ts'

const MEMORY = '/dev/shm'
/** What `statfs` says of a file system in memory. */
const TMPFS = 0x01021994
/** Bytes that have to be free; a run needs a small part of it. */
const ROOM = 4 * 1024 ** 3

/** Containers that share /dev/shm do not see each other's processes. */
const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]
/** What the name of a run's folder begins with: by it a later run finds those of runs that were killed. */
export const prefixOf = (pid: number): string => `edge-admin-run-${namespace}-${pid}-`

/** Removes what killed runs have left in a folder: in /dev/shm it would take memory until the machine starts again. */
export function sweepRuns(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, space, pid] = /^edge-admin-run-(\d+)-(\d+)-/.exec(name) ?? []
    if (pid === undefined || space !== namespace || isAlive(Number(pid))) continue
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
    } catch {
      // Another user's.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** TMPDIR=/tmp keeps the tests on the disk. */
function makeFolder(): string {
  const onDisk = () => {
    sweepRuns(tmpdir())
    return mkdtempSync(join(tmpdir(), prefixOf(process.pid)))
  }
  if (process.env['TMPDIR'] !== undefined) return onDisk()
  try {
    sweepRuns(MEMORY)
    const { type, bavail, bsize } = statfsSync(MEMORY)
    // What a container may use counts, not what the machine has.
    if (type !== TMPFS || Math.min(bavail * bsize, process.availableMemory()) < ROOM) return onDisk()
    const folder = mkdtempSync(join(MEMORY, prefixOf(process.pid)))
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
