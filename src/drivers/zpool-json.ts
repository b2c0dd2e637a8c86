// Reads `zpool status -jp --json-int` of ZFS 2.3 and later into the same form as the text. Its states are the kernel's
// (CANT_OPEN), and its guids exceed the range of a JavaScript number, so they are made text before the parser sees them.
import { type Scan, scanThatMatters } from './zpool-scan.ts'
import { type PoolStatus, pathOf, typeOf, type Vdev } from './zpool-status.ts'
import { NO_WORK, type Work } from './zpool-work.ts'

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const members = (value: unknown): Json[] => (isObject(value) ? Object.values(value).filter(isObject) : [])
const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const numberOf = (value: unknown) => (typeof value === 'number' ? value : Number(textOf(value)) || 0)

/** Members of a pool that list devices, and what those are used for. */
const CLASSES = { dedup: 'dedup', special: 'special', logs: 'log', l2cache: 'cache', spares: 'spare' } as const

/** All pools in the output; undefined if it is not output of `zpool`. `now`: milliseconds since 1970. */
export function parseStatusJson(text: string, now = Date.now()): PoolStatus[] | undefined {
  let answer: unknown
  try {
    // In a string the quotation mark before the colon would be `\\"`.
    answer = JSON.parse(text.replace(/"guid":([0-9]+)(?=[,}])/g, '"guid":"$1"'))
  } catch {
    return undefined
  }
  if (!isObject(answer) || !isObject(answer['pools'])) return undefined
  const pools = members(answer['pools']).map((pool) => readPool(pool, now))
  return pools.every((pool) => pool !== undefined) ? pools : undefined
}

function readPool(pool: Json, now: number): PoolStatus | undefined {
  const [root] = members(pool['vdevs'])
  const [name, state] = [textOf(pool['name']), textOf(pool['state'])]
  if (name === '' || state === '' || !root) return undefined
  const top = members(root['vdevs'])
  const scans = scansOf(pool['scan_stats'], now)
  const [problem, action] = ['status', 'action'].map((key) => textOf(pool[key]).replace(/\s+/g, ' ').trim())
  const others = Object.entries(CLASSES).flatMap(([key, kind]) => members(pool[key]).map((one) => readVdev(one, kind)))
  return {
    name,
    id: undefined,
    state,
    problem: problem || undefined,
    action: action || undefined,
    removal: workOf(pool['removal_stats'], ['copied', 'to_copy']),
    expansion: workOf(pool['raidz_expand_stats'], ['reflowed', 'to_reflow']),
    scan: scanThatMatters(scans),
    scans,
    scanned: isObject(pool['scan_stats']) && Object.keys(pool['scan_stats']).length > 0,
    vdevs: [...top.map((vdev) => readVdev(vdev, 'data')), ...others],
    errors: errorsOf(pool['error_count']),
  }
}

/** An error count; undefined if it cannot be read, which is not the same as zero. */
function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? count : undefined
}

/** As the text says it. */
function errorsOf(value: unknown): string | undefined {
  const count = countOf(value)
  if (count === undefined) return undefined
  return count === 0 ? 'No known data errors' : `${count} data errors, use '-v' for a list`
}

/** The text's words for those of the kernel. */
const NOTES: Readonly<Record<string, string>> = {
  OPEN_FAILED: 'cannot open',
  CORRUPT_DATA: 'corrupted data',
  NO_REPLICAS: 'insufficient replicas',
  BAD_GUID_SUM: 'missing device',
  TOO_SMALL: 'too small',
  BAD_LABEL: 'invalid label',
  VERSION_NEWER: 'newer version',
  UNSUP_FEAT: 'unsupported feature(s)',
  ERR_EXCEEDED: 'too many errors',
  IO_FAILURE: 'experienced I/O failures',
  BAD_LOG: 'bad intent log',
  EXTERNAL: 'external device fault',
  EXTERNAL_PERSIST: 'external device fault',
  SPARED: 'currently in use',
  SPLIT_POOL: 'split into new pool',
  ACTIVE: 'currently in use',
  CHILDREN_OFFLINE: 'all children offline',
  ASHIFT_TOO_BIG: 'unsupported minimum blocksize',
}

/** The text's word for a state; for a device that cannot be opened it depends on the cause. */
function stateOf(state: string, aux: string): string {
  if (state === 'CLOSED') return 'OFFLINE'
  if (state !== 'CANT_OPEN') return state
  if (aux === 'CORRUPT_DATA' || aux === 'BAD_LOG') return 'FAULTED'
  return aux === 'SPLIT_POOL' ? 'SPLIT' : 'UNAVAIL'
}

function readVdev(vdev: Json, kind: string): Vdev {
  const [name, aux, was] = [textOf(vdev['name']), textOf(vdev['aux']), textOf(vdev['was'])]
  const [guid, port, needs] = [textOf(vdev['guid']), textOf(vdev['phys_path']), numberOf(vdev['rep_dev_size'])]
  const read: Vdev = {
    name,
    type: typeOf(name, was === '' ? undefined : was),
    class: kind,
    state: stateOf(textOf(vdev['state']), aux),
    read: numberOf(vdev['read_errors']),
    write: numberOf(vdev['write_errors']),
    checksum: numberOf(vdev['checksum_errors']),
    note: was === '' ? NOTES[aux] : `was ${was}`,
    children: members(vdev['vdevs']).map((child) => readVdev(child, kind)),
  }
  const path = pathOf(read, textOf(vdev['path']))
  return {
    ...read,
    ...(guid !== '' && { guid }),
    ...(path !== undefined && { path }),
    ...(port !== '' && { port }),
    ...(needs > 0 && read.children.length === 0 && { needs }),
  }
}

const STATES: Readonly<Record<string, Scan['state']>> = {
  SCANNING: 'running',
  FINISHED: 'finished',
  CANCELED: 'cancelled',
}
const time = (seconds: unknown) => (numberOf(seconds) > 0 ? numberOf(seconds) * 1000 : undefined)
const percentOf = (done: number, of: number) => (of > 0 ? Math.min(100, (100 * done) / of) : 0)

function scanOf(stats: unknown, now: number): Scan[] {
  if (!isObject(stats)) return []
  const kind = textOf(stats['function']).toLowerCase()
  const known = STATES[textOf(stats['state'])]
  if ((kind !== 'scrub' && kind !== 'resilver') || known === undefined) return []
  const state = known === 'running' && numberOf(stats['scrub_pause']) > 0 ? 'paused' : known
  const [issued, paused] = [numberOf(stats['issued']), numberOf(stats['scrub_spent_paused'])]
  const seconds = Math.max(1, Math.floor(now / 1000) - numberOf(stats['pass_start']) - paused)
  const ended = known !== 'running'
  const total = numberOf(stats['to_examine']) - numberOf(stats['skipped'])
  const speed = state === 'running' && issued >= seconds ? Math.floor(issued / seconds) : undefined
  return [
    {
      kind,
      vdev: undefined,
      state,
      // Skipped data needs no reading; data that was read but not issued yet is not done.
      percent: state === 'finished' ? 100 : percentOf(issued, total),
      repaired: numberOf(stats['processed']),
      speed,
      ...(!ended && amounts(issued, total, speed)),
      errors: ended ? countOf(stats['errors']) : undefined,
      started: time(stats['start_time']),
      ended: ended ? time(stats['end_time']) : undefined,
    },
  ]
}

const REBUILDS: Readonly<Record<string, Scan['state']>> = {
  ACTIVE: 'running',
  COMPLETE: 'finished',
  CANCELED: 'cancelled',
}

/** The estimate is made as zpool makes it for its text. */
const amounts = (done: number, total: number, speed: number | undefined) => ({
  done,
  total,
  remaining: speed === undefined ? undefined : Math.max(0, Math.ceil((total - done) / speed)),
})

/** The name of a group lacks its number; a vdev that was removed has none any more. */
function nameOf(name: string, at: unknown): string | undefined {
  if (name === '' || name === 'indirect') return undefined
  return typeof at === 'number' && /^(?:mirror|raidz[123]?)$/.test(name) ? `${name}-${at}` : name
}

/** A removal or an expansion; `keys`: the members for what is done, and for all. */
function workOf(stats: unknown, [done, total]: [string, string]): Work | undefined {
  if (!isObject(stats)) return undefined
  const known = STATES[textOf(stats['state'])]
  if (known === undefined) return undefined
  const running = known === 'running'
  return {
    ...NO_WORK,
    vdev: nameOf(textOf(stats['name']), stats['expanding_vdev'] ?? stats['removing_vdev']),
    state: known === 'running' && numberOf(stats['waiting_for_resilver']) > 0 ? 'waiting' : (known as Work['state']),
    percent: known === 'finished' ? 100 : percentOf(numberOf(stats[done]), numberOf(stats[total])),
    ...(running && { done: numberOf(stats[done]), total: numberOf(stats[total]) }),
    started: time(stats['start_time']),
    ended: running ? undefined : time(stats['end_time']),
  }
}

/** A sequential resilver, or a rebuild of a dRAID, of one group of disks; durations are in nanoseconds. */
function rebuildOf(stats: Json): Scan[] {
  const state = REBUILDS[textOf(stats['state'])]
  if (state === undefined) return []
  const ended = state !== 'running'
  const seconds = numberOf(stats['pass_time']) / 1e9
  const speed = Math.floor(numberOf(stats['pass_issued']) / Math.max(seconds, 0.001))
  const [scanned, total] = [numberOf(stats['scanned']), numberOf(stats['to_scan'])]
  return [
    {
      kind: 'resilver',
      vdev: textOf(stats['name']),
      state,
      percent: state === 'finished' ? 100 : percentOf(scanned, total),
      repaired: numberOf(stats['rebuilt']),
      speed: ended || speed === 0 ? undefined : speed,
      ...(!ended && amounts(scanned, total, speed || undefined)),
      errors: ended ? countOf(stats['errors']) : undefined,
      started: time(stats['start_time']),
      ended: ended ? time(stats['end_time']) : undefined,
    },
  ]
}

/**
 * As in the text: of a resilver and the rebuilds the running one, else the one that ended last; and the scrub in any
 * case.
 */
function scansOf(stats: unknown, now: number): Scan[] {
  const scan = scanOf(stats, now)
  const rebuilds = isObject(stats) ? members(stats['rebuild_stats']).flatMap(rebuildOf) : []
  const [resilver] = scan.filter(({ kind }) => kind === 'resilver')
  if (!resilver || rebuilds.length === 0) return [...scan, ...rebuilds]
  const last = Math.max(...rebuilds.map(({ state, ended = 0 }) => (state === 'running' ? Number.MAX_VALUE : ended)))
  return resilver.state === 'running' || (resilver.ended ?? 0) > last ? [resilver] : rebuilds
}
