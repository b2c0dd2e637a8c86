// What `zpool status -j --json-int` prints in ZFS 2.3. A rebuild stands in the vdev that is rebuilt, and not among the scans.
import { now, print } from './model.mjs'
import { nameOf, partitionOf, wordsOf } from './zpool-status.mjs'
import { healthOf, parentOf, stateOf } from './zpool-vdevs.mjs'

const CLASSES = { log: 'logs', cache: 'l2cache', spare: 'spares', special: 'special', dedup: 'dedup' }

/** Guids are printed as numbers, and are larger than one of JavaScript's. */
const text = (value) => JSON.stringify(value).replace(/"guid:([0-9]+)"/g, '$1')
const guid = (value) => `guid:${value ?? '1'}`

const REBUILDS = { finished: 'COMPLETE', canceled: 'CANCELED' }
const rebuildOf = ({ vdev, state, start, end, percent, total, rebuilt, errors }) => ({
  name: vdev,
  vdev_type: vdev.replace(/\d?[:-].*/, ''),
  guid: guid(),
  class: 'normal',
  state: REBUILDS[state] ?? 'ACTIVE',
  start_time: start,
  end_time: end ?? 0,
  scan_time: ((end ?? start) - start) * 1e9,
  scanned: Math.floor((total * percent) / 100),
  issued: Math.floor((total * percent) / 100),
  rebuilt,
  to_scan: total,
  errors: errors ?? 0,
  pass_time: 2e9,
  pass_scanned: 200 * 1024 ** 2,
  pass_issued: 100 * 1024 ** 2,
  pass_skipped: 0,
})

function scanOf({ scan, allocated, rebuilds = [] }) {
  const rebuilding = rebuilds.length > 0 && {
    rebuild_stats: Object.fromEntries(rebuilds.map((one) => [one.vdev, rebuildOf(one)])),
  }
  if (!scan) return rebuilding || undefined
  const total = Math.max(allocated ?? 0, 1024 ** 2)
  const issued = Math.floor((total * scan.percent) / 100)
  return {
    function: scan.kind === 'resilver' ? 'RESILVER' : 'SCRUB',
    state: { finished: 'FINISHED', canceled: 'CANCELED' }[scan.state] ?? 'SCANNING',
    start_time: scan.start,
    end_time: scan.end ?? 0,
    to_examine: total,
    examined: issued,
    skipped: 0,
    processed: scan.repaired ?? 0,
    errors: scan.errors ?? 0,
    bytes_per_scan: 0,
    pass_start: scan.start,
    scrub_pause: scan.state === 'scanning' ? (scan.paused ?? 0) : 0,
    scrub_spent_paused: 0,
    issued_bytes_per_scan: issued,
    issued,
    ...rebuilding,
  }
}

const WORK = { finished: 'FINISHED', cancelled: 'CANCELED' }
const workOf = ({ vdev, state, start, end, percent, total }, done, all) => ({
  ...(all === 'to_reflow'
    ? { name: vdev.replace(/-.*/, ''), expanding_vdev: Number(/\d+$/.exec(vdev)) }
    : {
        name: state === 'finished' ? 'indirect' : vdev.replace(/^(mirror)-\d+$/, '$1'),
        removing_vdev: Number(/-(\d+)$/.exec(vdev)?.[1] ?? 0),
      }),
  state: WORK[state] ?? 'SCANNING',
  start_time: start,
  end_time: end ?? 0,
  [all]: total,
  [done]: Math.floor((total * percent) / 100),
})

/** The label of a disk takes 4.5 MiB of it, and its partitions a few more. */
const RESERVED = 14 * 2 ** 20
const least = (vdev) => (vdev.children ? Math.min(...vdev.children.map(least)) : vdev.size)

function vdevOf(vdev, pool) {
  const state = stateOf(vdev)
  const missing = state === 'UNAVAIL' && !vdev.children
  return {
    name: nameOf(vdev),
    vdev_type: vdev.type.replace(/\d?(:.*)?$/, ''),
    guid: guid(vdev.guid),
    ...(!vdev.children && { path: partitionOf(vdev) }),
    ...(vdev.port && { phys_path: vdev.port }),
    ...(!vdev.children && { rep_dev_size: least(parentOf(pool, vdev) ?? vdev) - RESERVED, phys_space: vdev.size }),
    ...(vdev.gone && { not_present: 1, was: partitionOf(vdev) }),
    class: vdev.section === 'data' || !vdev.section ? 'normal' : vdev.section,
    state: state === 'UNAVAIL' ? 'CANT_OPEN' : state,
    read_errors: vdev.read ?? 0,
    write_errors: vdev.write ?? 0,
    checksum_errors: vdev.cksum ?? 0,
    ...(missing && !vdev.gone && { aux: 'OPEN_FAILED' }),
    ...(state === 'FAULTED' && { aux: 'EXTERNAL' }),
    ...(state === 'INUSE' && { aux: 'SPARED' }),
    ...(vdev.children && { vdevs: named(vdev.children, pool) }),
  }
}

const named = (vdevs, pool) => Object.fromEntries(vdevs.map((vdev) => [nameOf(vdev), vdevOf(vdev, pool)]))

function poolOf(pool) {
  const health = healthOf(pool)
  const of = (section) => pool.vdevs.filter((vdev) => vdev.section === section)
  const root = {
    name: pool.name,
    vdev_type: 'root',
    guid: guid(pool.guid),
    class: 'normal',
    state: health === 'UNAVAIL' ? 'CANT_OPEN' : health,
    read_errors: 0,
    write_errors: 0,
    checksum_errors: 0,
    vdevs: named(of('data'), pool),
  }
  const [status, action] = wordsOf(pool)
  const scan = scanOf(pool)
  return {
    name: pool.name,
    state: health,
    pool_guid: guid(pool.guid),
    txg: now() % 1_000_000,
    spa_version: 5000,
    zpl_version: 5,
    ...(status && { status: `${status}\n`, action: `${action}\n` }),
    ...(scan && { scan_stats: scan }),
    ...(pool.removal && { removal_stats: workOf(pool.removal, 'copied', 'to_copy') }),
    ...(pool.expansion && { raidz_expand_stats: workOf(pool.expansion, 'reflowed', 'to_reflow') }),
    vdevs: { [pool.name]: root },
    ...Object.fromEntries(
      Object.entries(CLASSES)
        .filter(([section]) => of(section).length > 0)
        .map(([section, member]) => [member, named(of(section), pool)]),
    ),
    error_count: pool.errors ?? 0,
  }
}

export function printStatusJson(pools) {
  const command = { command: 'zpool status', vers_major: 0, vers_minor: 1 }
  print(text({ output_version: command, pools: Object.fromEntries(pools.map((pool) => [pool.name, poolOf(pool)])) }))
}
