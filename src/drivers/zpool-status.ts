// The text of `zpool status -p` and `zpool import`, parsed: ZFS 2.1 knows no other form. The trap: sizes and rates in its scan lines are
// rounded for people even with -p, and times are local ones (the driver runs it in UTC).

const STATES = [
  'ONLINE',
  'DEGRADED',
  'FAULTED',
  'OFFLINE',
  'UNAVAIL',
  'REMOVED',
  'SUSPENDED',
  'AVAIL',
  'INUSE',
] as const

/** Which part of the pool a top-level vdev is. */
const CLASSES: Record<string, string> = {
  logs: 'log',
  cache: 'cache',
  spares: 'spare',
  special: 'special',
  dedup: 'dedup',
}

export interface Vdev {
  name: string
  /** disk, file, mirror, raidz1, spare, replacing … */
  type: string
  /** data, log, cache, spare, special or dedup. */
  class: string
  state: string
  read: number
  write: number
  checksum: number
  /** What ZFS says of it: `cannot open`. */
  note: string | undefined
  children: Vdev[]
}

export interface Scan {
  kind: 'scrub' | 'resilver'
  state: 'running' | 'paused' | 'finished' | 'cancelled'
  percent: number
  /** Bytes that were repaired, rounded as ZFS prints them. */
  repaired: number
  /** Bytes a second, rounded; only of one that runs. */
  speed: number | undefined
  errors: number | undefined
  /** Milliseconds since 1970. */
  started: number | undefined
  ended: number | undefined
}

export interface PoolStatus {
  name: string
  /** Only of a pool that could be imported. */
  id: string | undefined
  state: string
  /** What is wrong with it, in ZFS's words. */
  problem: string | undefined
  scan: Scan | undefined
  vdevs: Vdev[]
  /** What ZFS says of the data: `No known data errors`. */
  errors: string | undefined
}

/** Every pool in the text; undefined when it is none of `zpool`'s. */
export function parseStatus(text: string): PoolStatus[] | undefined {
  const pools: PoolStatus[] = []
  for (const block of text.split(/^(?= *pool: )/m)) {
    if (!/^ *pool: /.test(block)) {
      if (block.trim() === '' || /^no pools available/.test(block)) continue
      return undefined
    }
    const pool = parsePool(block)
    if (!pool) return undefined
    pools.push(pool)
  }
  return pools
}

function parsePool(block: string): PoolStatus | undefined {
  const { pool: name, id, state, status, scan, config, errors } = sections(block)
  const rows = config?.split('\n').flatMap((line) => parseRow(line.trimEnd()))
  if (!name || !state || !rows || rows.length === 0) return undefined
  return {
    name,
    id,
    state,
    problem: status?.replace(/\s+/g, ' '),
    scan: scan === undefined ? undefined : parseScan(scan),
    vdevs: tree(rows),
    errors,
  }
}

/** `name: text` with the lines that go on below it. */
function sections(block: string): Record<string, string | undefined> {
  const found: Record<string, string> = {}
  let key: string | undefined
  for (const line of block.split('\n')) {
    const [, name, text] = /^ {0,8}([a-z]+):(?: (.*))?$/.exec(line) ?? []
    if (name !== undefined && !Object.hasOwn(found, name)) {
      key = name
      found[name] = text ?? ''
    } else if (key !== undefined) found[key] += `\n${line}`
  }
  return Object.fromEntries(Object.entries(found).map(([name, text]) => [name, name === 'config' ? text : text.trim()]))
}

interface Row {
  depth: number
  name: string
  state: string | undefined
  counts: number[]
  note: string | undefined
}

// A file's name may hold blanks, so the row is read from its state on.
const ROW = new RegExp(`^\\t( *)(\\S.*?) +(${STATES.join('|')})(?: +([0-9-]+) +([0-9-]+) +([0-9-]+))?(?: +(\\S.*))?$`)

function parseRow(line: string): Row[] {
  const [, indent = '', name = '', state, read, write, checksum, note] = ROW.exec(line) ?? []
  if (state !== undefined) {
    const counts = [read, write, checksum].map((text) => Number(text) || 0)
    return [{ depth: indent.length / 2, name, state, counts, note }]
  }
  // Among the pools to import, a spare has no state.
  const [, inner = '', bare] = /^\t( +)(\S.*)$/.exec(line) ?? []
  if (bare !== undefined) return [{ depth: inner.length / 2, name: bare, state: 'AVAIL', counts: [], note: undefined }]
  const heading = line.trim()
  return heading in CLASSES ? [{ depth: 0, name: heading, state: undefined, counts: [], note: undefined }] : []
}

/** The first row is the pool itself; a heading begins another class of top-level vdevs. */
function tree(rows: Row[]): Vdev[] {
  const top: Vdev[] = []
  const path: Vdev[] = []
  let current = 'data'
  for (const { depth, name, state, counts, note } of rows.slice(1)) {
    if (state === undefined) {
      current = CLASSES[name] ?? 'data'
      continue
    }
    const [read = 0, write = 0, checksum = 0] = counts
    const vdev = { name, type: typeOf(name), class: current, state, read, write, checksum, note, children: [] }
    // What is not below anything (a device under a heading of `zpool import`) is a top-level vdev.
    const level = Math.max(1, depth)
    path.length = Math.min(path.length, level - 1)
    const siblings = path.at(-1)?.children ?? top
    siblings.push(vdev)
    path.push(vdev)
  }
  return top
}

function typeOf(name: string): string {
  if (name.startsWith('/')) return 'file'
  return (
    /^(mirror|raidz[123]?|draid[123]?|spare|replacing|indirect)-[0-9]+$/.exec(name)?.[1] ??
    /^draid[123]?(?=:)/.exec(name)?.[0] ??
    'disk'
  )
}

const TIME = '(\\w{3} \\w{3} +[0-9]{1,2} [0-9:]{8} [0-9]{4})'
const timeOf = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(`${text} UTC`)
  return Number.isNaN(time) ? undefined : time
}

/** Bytes of `1.50G`. */
function bytesOf(text: string | undefined): number | undefined {
  const [, number, unit = ''] = /^([0-9.]+)([BKMGTPEZ]?)$/.exec(text ?? '') ?? []
  return number === undefined
    ? undefined
    : Math.round(Number(number) * 1024 ** Math.max(0, 'BKMGTPEZ'.indexOf(unit || 'B')))
}

function parseScan(text: string): Scan | undefined {
  const [, word, how] = /^(scrub|resilver)(?:ed)?\b.*?(repaired|in progress|paused|canceled|[0-9])/s.exec(text) ?? []
  if (word === undefined) return undefined
  const kind = word === 'scrub' ? 'scrub' : 'resilver'
  const at = (before: string) => timeOf(new RegExp(`${before} ${TIME}`).exec(text)?.[1])
  const scan: Scan = {
    kind,
    state: 'finished',
    percent: 100,
    repaired: 0,
    speed: undefined,
    errors: undefined,
    started: undefined,
    ended: undefined,
  }
  if (how === 'canceled') return { ...scan, state: 'cancelled', percent: 0, ended: at('on') }
  if (how === 'in progress' || how === 'paused')
    return {
      ...scan,
      state: how === 'paused' ? 'paused' : 'running',
      percent: Number(/([0-9]+(?:\.[0-9]+)?)% done/.exec(text)?.[1] ?? 0),
      repaired: bytesOf(/([0-9.]+[BKMGTPEZ]?) (?:repaired|resilvered)/.exec(text)?.[1]) ?? 0,
      speed: bytesOf(/issued at ([0-9.]+[BKMGTPEZ]?)\/s/.exec(text)?.[1]),
      started: how === 'paused' ? at('started on') : at('since'),
    }
  const [, repaired, days = '0', hours, minutes, seconds, errors] =
    /(?:repaired|resilvered) ([0-9.]+[BKMGTPEZ]?) in (?:([0-9]+) days )?([0-9]+):([0-9]+):([0-9]+) with ([0-9]+) errors/.exec(
      text,
    ) ?? []
  const ended = at('on')
  const took = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000
  return {
    ...scan,
    repaired: bytesOf(repaired) ?? 0,
    errors: errors === undefined ? undefined : Number(errors),
    started: ended === undefined || Number.isNaN(took) ? undefined : ended - took,
    ended,
  }
}
