// What `zpool status` prints, as text: ZFS 2.1 knows no other form. Sizes in its `scan:` line are for people even with
// -p.
import { ctime, nice, now, print } from './model.mjs'
import { drop, settle } from './zpool-devices.mjs'
import { allLeaves, healthOf, stateOf } from './zpool-vdevs.mjs'

const span = (seconds) => {
  const pad = (n) => String(n).padStart(2, '0')
  const days = Math.floor(seconds / 86400)
  return `${days > 0 ? `${days} days ` : ''}${pad(Math.floor(seconds / 3600) % 24)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
}

/** Whether ZFS works on something in this pool that a look moves on. */
export const isBusy = (pool) =>
  pool.scan?.state === 'scanning' ||
  [pool.expansion, pool.removal].some((work) => work?.state === 'running') ||
  (pool.rebuilds ?? []).some(({ state }) => state === 'active') ||
  allLeaves(pool).some(({ trim }) => trim?.state === 'active')

/** Moves everything that runs on by one look. */
export function advance(pool, step, model) {
  advanceScan(pool, step, model)
  for (const rebuild of pool.rebuilds ?? []) {
    if (rebuild.state !== 'active') continue
    move(rebuild, step)
    rebuild.rebuilt = Math.floor((rebuild.total * rebuild.percent) / 100)
    if (rebuild.state === 'finished') settle(pool, model)
  }
  if (pool.expansion?.state === 'running') move(pool.expansion, step)
  if (pool.removal?.state === 'running') {
    move(pool.removal, step)
    const gone = pool.vdevs.find(({ guid }) => guid === pool.removal.guid)
    if (pool.removal.state === 'finished' && gone) drop(pool, gone, model)
  }
  for (const { trim } of allLeaves(pool)) if (trim?.state === 'active') move(trim, step, 'complete')
}

function move(work, step, end = 'finished') {
  work.percent = Math.min(100, work.percent + step)
  if (work.percent < 100) return
  work.state = end
  work.end = now()
}

function advanceScan(pool, step, model) {
  const { scan } = pool
  if (scan?.state !== 'scanning' || scan.paused) return
  scan.percent = Math.min(100, scan.percent + step)
  if (scan.percent < 100) return
  scan.state = 'finished'
  scan.end = now()
  scan.repaired = scan.kind === 'resilver' ? 1024 ** 2 : (pool.damage ?? 0)
  if (scan.kind === 'resilver') return settle(pool, model)
  for (const leaf of allLeaves(pool))
    if (leaf.damaged) {
      leaf.cksum = (leaf.cksum ?? 0) + leaf.damaged
      delete leaf.damaged
    }
  delete pool.damage
}

function printScan(pool, isOld) {
  const { scan } = pool
  if (!scan) return
  const word = scan.kind === 'resilver' ? 'resilver' : 'scrub'
  const done = scan.kind === 'resilver' ? 'resilvered' : 'repaired'
  if (scan.state === 'finished') {
    const result = `${nice(scan.repaired)} in ${span(scan.end - scan.start)} with ${scan.errors ?? 0} errors on ${ctime(scan.end)}`
    return print(`  scan: ${scan.kind === 'resilver' ? 'resilvered' : 'scrub repaired'} ${result}`)
  }
  if (scan.state === 'canceled') return print(`  scan: ${word} canceled on ${ctime(scan.end)}`)
  const total = Math.max(pool.allocated ?? 0, 1024 ** 2)
  const issued = Math.floor((total * scan.percent) / 100)
  if (scan.paused)
    print(`  scan: ${word} paused since ${ctime(scan.paused)}\n\t${word} started on ${ctime(scan.start)}`)
  else print(`  scan: ${word} in progress since ${ctime(scan.start)}`)
  const rate = (bytes) => (scan.paused || bytes === 0 ? '' : ` at ${nice(bytes)}/s`)
  print(
    isOld
      ? `\t${nice(issued)} scanned${rate(issued)}, ${nice(issued)} issued${rate(issued)}, ${nice(total)} total`
      : `\t${nice(issued)} / ${nice(total)} scanned${rate(issued)}, ${nice(issued)} / ${nice(total)} issued${rate(issued)}`,
  )
  const end = scan.paused ? '' : issued < total ? ', no estimated completion time' : ', 00:00:00 to go'
  print(`\t${nice(scan.repaired ?? 0)} ${done}, ${scan.percent.toFixed(2)}% done${end}`)
}

/** A sequential resilver or a rebuild of a dRAID has its group's name in brackets. */
function printRebuild({ vdev, state, start, end, percent, total, rebuilt, errors }, isOld) {
  if (state === 'finished')
    return print(
      `  scan: resilvered (${vdev}) ${nice(rebuilt)} in ${span(end - start)} with ${errors} errors on ${ctime(end)}`,
    )
  if (state === 'canceled') return print(`  scan: resilver (${vdev}) canceled on ${ctime(end)}`)
  const done = nice(Math.floor((total * percent) / 100))
  print(`  scan: resilver (${vdev}) in progress since ${ctime(start)}`)
  print(
    isOld
      ? `\t${done} scanned at 100M/s, ${done} issued 50M/s, ${nice(total)} total`
      : `\t${done} / ${nice(total)} scanned at 100M/s, ${done} / ${nice(total)} issued at 50M/s`,
  )
  print(`\t${nice(rebuilt)} resilvered, ${percent.toFixed(2)}% done, 00:00:10 to go`)
}

function printRemoval({ vdev, state, start, end, percent, total }) {
  const done = nice(Math.floor((total * percent) / 100))
  // A group has no number here.
  const name = vdev.replace(/^(mirror)-\d+$/, '$1')
  if (state === 'finished')
    print(
      `remove: Removal of vdev 1 copied ${nice(total)} in 0h0m, completed on ${ctime(end)}\n\t72 memory used for removed device mappings`,
    )
  else if (state === 'cancelled') print(`remove: Removal of ${name} canceled on ${ctime(end)}`)
  else
    print(
      `remove: Evacuation of ${name} in progress since ${ctime(start)}\n\t${done} copied out of ${nice(total)} at 100M/s, ${percent.toFixed(2)}% done, 0h1m to go`,
    )
}

function printExpansion({ vdev, state, start, end, percent, total }) {
  if (state === 'finished') return print(`expand: expanded ${vdev} copied ${nice(total)} in 00:00:10, on ${ctime(end)}`)
  print(
    `expand: expansion of ${vdev} in progress since ${ctime(start)}\n\t${nice(Math.floor((total * percent) / 100))} / ${nice(total)} copied at 100M/s, ${percent.toFixed(2)}% done, 00:01:00 to go`,
  )
}

// Some have a tab behind them in the real one.
const TITLES = { log: 'logs\t', cache: 'cache', spare: 'spares', special: 'special\t', dedup: 'dedup\t' }

/** What is said behind a row. */
function noteOf(vdev, state, pool, trims) {
  if (vdev.children) return undefined
  const notes = []
  if (vdev.gone) notes.push(`was ${partitionOf(vdev)}`)
  else if (state === 'UNAVAIL') notes.push('cannot open')
  else if (state === 'FAULTED') notes.push('external device fault')
  else if (state === 'INUSE') notes.push('currently in use')
  if (vdev.deferred) notes.push('(awaiting resilver)')
  else if (vdev.resilvering && isBusy(pool)) notes.push('(resilvering)')
  if (trims) notes.push(trimOf(vdev))
  return notes.length > 0 ? notes.join('  ') : undefined
}

const TRIMS = { active: 'started at', suspended: 'suspended, started at', complete: 'completed at' }
function trimOf({ trim, noTrim }) {
  if (noTrim) return '(trim unsupported)'
  // One that was cancelled leaves no trace.
  const how = TRIMS[trim?.state]
  return how ? `(${Math.floor(trim.percent)}% trimmed, ${how} ${ctime(trim.end ?? trim.start)})` : '(untrimmed)'
}

/** A disk's data is on its first partition. */
export const partitionOf = ({ path, type }) =>
  type === 'file'
    ? path
    : path.startsWith('/dev/disk/')
      ? `${path}-part1`
      : `${path}${/\d$/.test(path) && !path.startsWith('/dev/fake') ? 'p' : ''}1`

/** A vdev's name: `-g` its guid, `-P` its path. A disk that is gone has its guid. */
export const nameOf = (vdev, { g, P } = {}) =>
  g || (vdev.gone && !vdev.children) ? vdev.guid : P && vdev.path ? partitionOf(vdev) : vdev.name

/** The lines of the vdev table: name, depth, state, counts, and what is said of it. */
function rows(pool, counts, how = {}) {
  const found = [{ name: pool.name, depth: 0, state: healthOf(pool), counts: [0, 0, 0] }]
  const add = (vdev, depth) => {
    const state = stateOf(vdev)
    const counts = vdev.section === 'spare' ? undefined : [vdev.read ?? 0, vdev.write ?? 0, vdev.cksum ?? 0]
    found.push({ name: nameOf(vdev, how), depth, state, counts, note: noteOf(vdev, state, pool, how.t) })
    for (const child of vdev.children ?? []) add(child, depth + 2)
  }
  for (const vdev of pool.vdevs) if (vdev.section === 'data') add(vdev, 2)
  const order = ['dedup', 'special', 'log', 'cache', 'spare']
  for (const section of counts || how.all ? order : ['spare', ...order.slice(0, 3)]) {
    const here = pool.vdevs.filter((vdev) => vdev.section === section)
    if (here.length > 0) found.push({ name: how.all ? TITLES[section].trim() : TITLES[section], depth: 0 })
    for (const vdev of here) add(vdev, 2)
  }
  return found
}

export function printConfig(pool, counts = true, how = {}) {
  const all = rows(pool, counts, how)
  const width = Math.max(10, ...all.map(({ name, depth }) => name.length + depth))
  if (counts) print(`\t${'NAME'.padEnd(width)}  ${'STATE'.padEnd(8)}  ${'READ'.padStart(4)} WRITE CKSUM`)
  for (const row of all) {
    if (!row.state) {
      print(`\t${row.name}`)
      continue
    }
    const name = `\t${' '.repeat(row.depth)}${row.name.padEnd(width - row.depth)}`
    const numbers = counts && row.counts ? row.counts.map((n) => ` ${String(n).padStart(5)}`).join('') : ''
    if (how.all || (!counts && row.state === 'AVAIL')) print(name.trimEnd())
    else if (counts) print(`${name}  ${row.state.padEnd(8)}${numbers}${row.note ? `  ${row.note}` : ''}`)
    else print(`${name}  ${row.note ? `${row.state.padEnd(8)} ${row.note}` : row.state}`)
  }
}

/** What ZFS says of the pool, and advises; the first that is true. */
export function wordsOf(pool) {
  const health = healthOf(pool)
  const states = allLeaves({ vdevs: pool.vdevs.filter(({ section }) => section !== 'spare') }).map(stateOf)
  const replicas = 'Sufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.'
  if (
    (pool.scan?.kind === 'resilver' && pool.scan.state === 'scanning') ||
    (pool.rebuilds ?? []).some(({ state }) => state === 'active')
  )
    return [
      'One or more devices is currently being resilvered.  The pool will\n\tcontinue to function, possibly in a degraded state.',
      'Wait for the resilver to complete.',
    ]
  if (health === 'UNAVAIL')
    return [
      'One or more devices could not be opened.  There are insufficient\n\treplicas for the pool to continue functioning.',
      "Attach the missing device and online it using 'zpool online'.",
    ]
  if (health === 'DEGRADED') {
    if (states.includes('UNAVAIL'))
      return [
        'One or more devices could not be opened.  Sufficient replicas exist for\n\tthe pool to continue functioning in a degraded state.',
        "Attach the missing device and online it using 'zpool online'.",
      ]
    if (states.includes('FAULTED'))
      return [
        `One or more devices are faulted in response to persistent errors.\n\t${replicas}`,
        "Replace the faulted device, or use 'zpool clear' to mark the device\n\trepaired.",
      ]
    if (states.includes('REMOVED'))
      return [
        `One or more devices have been removed.\n\t${replicas}`,
        "Online the device using zpool online' or replace the device with\n\t'zpool replace'.",
      ]
    return [
      `One or more devices has been taken offline by the administrator.\n\t${replicas}`,
      "Online the device using 'zpool online' or replace the device with\n\t'zpool replace'.",
    ]
  }
  if (pool.disabled?.length > 0)
    return [
      'Some supported and requested features are not enabled on the pool.\n\tThe pool can still be used, but some features are unavailable.',
      "Enable all features using 'zpool upgrade'. Once this is done,\n\tthe pool may no longer be accessible by software that does not support\n\tthe features. See zpool-features(7) for details.",
    ]
  return []
}

export function printStatus(pool, isOld = false, how = {}) {
  print(`  pool: ${pool.name}`)
  print(` state: ${healthOf(pool)}`)
  const [status, action] = wordsOf(pool)
  if (status) print(`status: ${status}\naction: ${action}`)
  printScan(pool, isOld)
  for (const rebuild of pool.rebuilds ?? []) printRebuild(rebuild, isOld)
  if (pool.removal) printRemoval(pool.removal)
  if (pool.expansion) printExpansion(pool.expansion)
  print('config:\n')
  printConfig(pool, true, how)
  print()
  const errors = pool.errors ?? 0
  print(errors > 0 ? `errors: ${errors} data errors, use '-v' for a list` : 'errors: No known data errors')
}
