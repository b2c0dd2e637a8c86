// Work that ZFS does in the background (a resilver, a removal, an expansion), held so that a test sees it while it runs.
// The progress of the fakes stands still; a real ZFS has parameters of its module for that.
import { spawnSync } from 'node:child_process'
import type { World } from './storage-world.ts'

const PARAMETERS = '/sys/module/zfs/parameters'
/** What each is set to while the work is held. An expansion goes on to this byte. */
const HELD = { zfs_scan_suspend_progress: 1, zfs_removal_suspend_progress: 1, raidz_expand_max_reflow_bytes: 2 ** 23 }

/** For a shell on the machine of the pool: from here on work begins and does not go on, until `false` lets it. */
export const holding = (held: boolean): string =>
  [
    'set -e',
    ...(held ? [] : ['zinject -c all >/dev/null']),
    ...Object.entries(HELD).map(([name, value]) => `echo ${held ? value : 0} >${PARAMETERS}/${name}`),
  ].join('\n')

/** A held resilver goes on until it is neither at its beginning nor at its end. `fresh`: the disk that it is about. */
export const inPart = (pool: string, fresh: string): string => `
  set -e
  # Each write takes this long, on any machine.
  zinject -d ${fresh} -D 50:1 ${pool} >/dev/null
  for _ in $(seq 200); do
    echo 0 >${PARAMETERS}/zfs_scan_suspend_progress
    sleep 0.05
    echo 1 >${PARAMETERS}/zfs_scan_suspend_progress
    if zpool status ${pool} | grep -q ' [1-9][0-9]*[.][0-9]*% done'; then exit 0; fi
  done
  zpool status ${pool}
  exit 1`

/** Data in the root of a pool, so that there is something to copy. */
export const filling = (pool: string, megabytes: number): string =>
  `set -e; dd if=/dev/urandom of=/${pool}/data bs=1M count=${megabytes} status=none; zpool sync ${pool}`

function here(script: string): string {
  const { status, stdout, stderr } = spawnSync('/bin/bash', ['-c', script], { encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) throw new Error(`status ${status} of: ${script}\n${stdout}${stderr}`)
  return stdout
}

/** Writes data for real work to copy. Returns a function that reads it from the disks and gives its checksum. */
export function fillPool(world: World, pool: string, megabytes: number): () => string {
  if (world.fakes) return () => ''
  here(filling(pool, megabytes))
  return () => here(`echo 3 >/proc/sys/vm/drop_caches; sha256sum </${pool}/data`)
}

export function holdWork(world: World, held = true): void {
  if (!world.fakes) here(holding(held))
  world.fakes?.change((model) => {
    model.scrubStep = held ? 0 : 34
  })
}

export function resilverInPart(world: World, pool: string, fresh: string): void {
  if (!world.fakes) here(inPart(pool, fresh))
  world.fakes?.change((model) => {
    Object.assign(model.pools[pool]!['scan'] as object, { percent: 40 })
  })
}

/** Takes from the first real disks what earlier pools left on them: a disk with partitions is not free. */
export function emptyDisks(world: World, count: number): void {
  if (world.fakes) return
  here(`
    set -e
    udevadm settle
    for disk in ${world.disks(count).join(' ')}; do
      [ ! -e "$disk-part1" ] || wipefs -q -a "$disk"-part*
      wipefs -q -a "$disk"
      blockdev --rereadpt "$disk"
    done
    udevadm settle`)
}
