// What `zpool status` prints, as text: ZFS 2.1 knows no other form. Sizes in its `scan:` line are for people even with
// -p.
import { ctime, nice, now, print } from './model.mjs'
import { healthOf, stateOf } from './zpool-vdevs.mjs'

const span = (seconds) => {
  const pad = (n) => String(n).padStart(2, '0')
  const days = Math.floor(seconds / 86400)
  return `${days > 0 ? `${days} days ` : ''}${pad(Math.floor(seconds / 3600) % 24)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
}

/** Moves a scan on by one look. */
export function advance(pool, step) {
  const { scan } = pool
  if (scan?.state !== 'scanning' || scan.paused) return
  scan.percent = Math.min(100, scan.percent + step)
  if (scan.percent < 100) return
  scan.state = 'finished'
  scan.end = now()
  scan.repaired = pool.damage ?? 0
  for (const leaf of pool.vdevs.flatMap((vdev) => vdev.children ?? [vdev]))
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

// One has a tab behind it in the real one.
const TITLES = { log: 'logs\t', cache: 'cache', spare: 'spares', special: 'special', dedup: 'dedup' }

/** The lines of the vdev table: name, depth, state, counts, and what is said of it. */
function rows(pool, counts) {
  const found = [{ name: pool.name, depth: 0, state: healthOf(pool), counts: [0, 0, 0] }]
  const add = (vdev, depth) => {
    const state = stateOf(vdev)
    const counts = vdev.section === 'spare' ? undefined : [vdev.read ?? 0, vdev.write ?? 0, vdev.cksum ?? 0]
    const note = state === 'UNAVAIL' && !vdev.children ? 'cannot open' : undefined
    found.push({ name: vdev.name, depth, state, counts, note })
    for (const child of vdev.children ?? []) add(child, depth + 2)
  }
  for (const vdev of pool.vdevs) if (vdev.section === 'data') add(vdev, 2)
  const order = ['dedup', 'special', 'log', 'cache', 'spare']
  for (const section of counts ? order : ['spare', ...order.slice(0, 3)]) {
    const here = pool.vdevs.filter((vdev) => vdev.section === section)
    if (here.length > 0) found.push({ name: TITLES[section], depth: 0 })
    for (const vdev of here) add(vdev, 2)
  }
  return found
}

export function printConfig(pool, counts = true) {
  const all = rows(pool, counts)
  const width = Math.max(10, ...all.map(({ name, depth }) => name.length + depth))
  if (counts) print(`\t${'NAME'.padEnd(width)}  ${'STATE'.padEnd(8)}  ${'READ'.padStart(4)} WRITE CKSUM`)
  for (const row of all) {
    if (!row.state) {
      print(`\t${row.name}`)
      continue
    }
    const name = `\t${' '.repeat(row.depth)}${row.name.padEnd(width - row.depth)}`
    const numbers = counts && row.counts ? row.counts.map((n) => ` ${String(n).padStart(5)}`).join('') : ''
    if (!counts && row.state === 'AVAIL') print(name.trimEnd())
    else if (counts) print(`${name}  ${row.state.padEnd(8)}${numbers}${row.note ? `  ${row.note}` : ''}`)
    else print(`${name}  ${row.note ? `${row.state.padEnd(8)} ${row.note}` : row.state}`)
  }
}

export function printStatus(pool, isOld = false) {
  const health = healthOf(pool)
  print(`  pool: ${pool.name}`)
  print(` state: ${health}`)
  if (health === 'DEGRADED') {
    print('status: One or more devices has been taken offline by the administrator.')
    print('\tSufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.')
    print("action: Online the device using 'zpool online' or replace the device with\n\t'zpool replace'.")
  } else if (health === 'UNAVAIL') {
    print(
      'status: One or more devices could not be opened.  There are insufficient\n\treplicas for the pool to continue functioning.',
    )
    print("action: Attach the missing device and online it using 'zpool online'.")
  }
  printScan(pool, isOld)
  for (const rebuild of pool.rebuilds ?? []) printRebuild(rebuild, isOld)
  print('config:\n')
  printConfig(pool)
  print()
  const errors = pool.errors ?? 0
  print(errors > 0 ? `errors: ${errors} data errors, use '-v' for a list` : 'errors: No known data errors')
}
