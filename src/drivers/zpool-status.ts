// Reads the text of `zpool status -p` and `zpool import`: ZFS before 2.3 has no other format, and `zpool import` has
// none at all.
import { parseScan, type Scan, scanThatMatters } from './zpool-scan.ts'
import { parseExpansion, parseRemoval, type Work } from './zpool-work.ts'

export type { Scan } from './zpool-scan.ts'
export type { Work } from './zpool-work.ts'

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
  'SPLIT',
  'UNKNOWN',
] as const

/** The role of a top-level vdev. */
export const CLASSES: Readonly<Record<string, string>> = {
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
  /** ZFS's remark: `cannot open`. */
  note: string | undefined
  /** ZFS's number for it, as text: it exceeds a JavaScript number. Undefined where only the names were asked for. */
  guid?: string | undefined
  /** Where its data is: the whole disk, or a file. Of a missing disk where it was. */
  path?: string | undefined
  /** The port of its disk, as /dev/disk/by-path names it; before ZFS 2.3 undefined, and where the kernel knows none. */
  port?: string | undefined
  /** Bytes that a disk in its place must have at least; before ZFS 2.3 undefined. */
  needs?: number | undefined
  children: Vdev[]
}

export interface PoolStatus {
  name: string
  /** Only for a pool that could be imported. */
  id: string | undefined
  state: string
  /** The problem, in ZFS's words. */
  problem: string | undefined
  /** What ZFS advises to do about it. */
  action?: string | undefined
  /** The evacuation of a removed vdev, and the expansion of a RAID-Z: running, or the last one. */
  removal?: Work | undefined
  expansion?: Work | undefined
  /** The running scan, else the last one. */
  scan: Scan | undefined
  /** Every scan that ZFS reports: a scrub and a later resilver, a rebuild for each group of disks. */
  scans: Scan[]
  /**
   * It has been scanned, even if the format is unknown here: ZFS keeps only the last scan, and there may have been
   * others before.
   */
  scanned: boolean
  vdevs: Vdev[]
  /** ZFS's statement about the data: `No known data errors`. */
  errors: string | undefined
}

/** Whether ZFS reports damaged data; with `-v` it names the files. */
export const isDamaged = ({ errors = '' }: Pick<PoolStatus, 'errors'>) =>
  /^(?:[1-9][0-9]* data error|Permanent errors)/.test(errors)

/** All pools in the text; undefined if it is not output of `zpool`. */
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
  const found = sections(block)
  const [name, id, state, status, config, errors] = ['pool', 'id', 'state', 'status', 'config', 'errors'].map(
    (key) => found.get(key)?.[0],
  )
  const [action, remove, expand] = ['action', 'remove', 'expand'].map((key) => found.get(key)?.[0])
  // A scrub that covers only blocks with errors has a different keyword.
  const told = ['scan', 'scrub'].flatMap((key) => found.get(key) ?? [])
  const scans = told.flatMap((text) => parseScan(text) ?? [])
  const rows = config?.split('\n').flatMap((line) => parseRow(line.trimEnd()))
  if (!name || !state || !rows || rows.length === 0) return undefined
  return {
    name,
    id,
    state,
    problem: status?.replace(/\s+/g, ' '),
    action: action?.replace(/\s+/g, ' '),
    removal: remove === undefined ? undefined : parseRemoval(remove),
    expansion: expand === undefined ? undefined : parseExpansion(expand),
    scan: scanThatMatters(scans),
    scans,
    scanned: told.some((text) => text !== '' && text !== 'none requested'),
    vdevs: tree(rows),
    errors,
  }
}

/** `name: text` with its continuation lines. `scan` may occur several times. */
function sections(block: string): Map<string, string[]> {
  const found: [name: string, text: string][] = []
  for (const line of block.split('\n')) {
    const [, name, text] = /^ {0,8}([a-z]+):(?: (.*))?$/.exec(line) ?? []
    const last = found.at(-1)
    if (name !== undefined) found.push([name, text ?? ''])
    else if (last) last[1] += `\n${line}`
  }
  const all = new Map<string, string[]>()
  for (const [name, text] of found) all.set(name, [...(all.get(name) ?? []), name === 'config' ? text : text.trim()])
  return all
}

interface Row {
  depth: number
  name: string
  state: string | undefined
  counts: number[]
  note: string | undefined
}

// A file's name may contain spaces, so the row is parsed from its state.
const ROW = new RegExp(`^\\t( *)(\\S.*?) +(${STATES.join('|')})(?: +([0-9-]+) +([0-9-]+) +([0-9-]+))?(?: +(\\S.*))?$`)

/** A row with an unknown state or none: a name and further columns, separated by two spaces. */
const OTHER_ROW = /^\t( *)(\S.*?)(?: {2,}(\S.*))?$/
/** Stands for the state of a row that only has a name. */
const BARE = ''

function parseRow(line: string): Row[] {
  const [, indent = '', name = '', state, read, write, checksum, note] = ROW.exec(line) ?? []
  if (state !== undefined) {
    const counts = [read, write, checksum].map((text) => Number(text) || 0)
    return [{ depth: indent.length / 2, name, state, counts, note }]
  }
  const [, inner = '', bare = '', column] = OTHER_ROW.exec(line) ?? []
  if (bare !== '' && bare !== 'NAME' && (inner !== '' || column !== undefined))
    return [
      {
        depth: inner.length / 2,
        name: bare,
        state: column === undefined ? BARE : 'UNKNOWN',
        counts: [],
        note: undefined,
      },
    ]
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
    const vdev = {
      name,
      type: typeOf(name, /^was (.+)$/.exec(note ?? '')?.[1]),
      class: current,
      // In `zpool import` a spare or a cache has no state.
      state: state === BARE ? (current === 'spare' || current === 'cache' ? 'AVAIL' : 'UNKNOWN') : state,
      read,
      write,
      checksum,
      note,
      children: [],
    }
    // A row that is not below another (a device under a heading of `zpool import`) is a top-level vdev.
    const level = Math.max(1, depth)
    path.length = Math.min(path.length, level - 1)
    const siblings = path.at(-1)?.children ?? top
    siblings.push(vdev)
    path.push(vdev)
  }
  return top
}

/** The same vdevs with the numbers and the paths of two more answers; undefined if the pool has changed between them. */
export function withNumbers(names: Vdev[], guids: Vdev[], paths: Vdev[]): Vdev[] | undefined {
  if (names.length !== guids.length || names.length !== paths.length) return undefined
  const found = names.map((vdev, at) => {
    const [number, place] = [guids[at]!, paths[at]!]
    const children = withNumbers(vdev.children, number.children, place.children)
    if (!children || !/^[0-9]+$/.test(number.name)) return undefined
    return { ...vdev, guid: number.name, path: pathOf(vdev, place.name), children }
  })
  return found.every((vdev) => vdev !== undefined) ? found : undefined
}

/** The whole disk, where `full` may be its first partition; undefined of a group. */
export function pathOf({ name, note, type, children }: Vdev, full: string): string | undefined {
  if (children.length > 0 || type === 'dspare') return undefined
  const was = /^was (\/.+)$/.exec(note ?? '')?.[1]
  if (was !== undefined) return was.startsWith('/dev/') ? was.replace(/-part1$|(?<=[a-z])1$|(?<=[0-9])p1$/, '') : was
  if (name.startsWith('/')) return name
  return full.startsWith('/') ? `${full.slice(0, full.lastIndexOf('/') + 1)}${name}` : undefined
}

/** By its name; a missing disk has a number as its name, and its former path after `was`. */
export function typeOf(name: string, was?: string): string {
  if ((was ?? name).startsWith('/') && !was?.startsWith('/dev/')) return 'file'
  return (
    /^(mirror|raidz[123]?|spare|replacing|indirect|hole)-[0-9]+$/.exec(name)?.[1] ??
    /^draid[123]?(?=:)/.exec(name)?.[0] ??
    // A distributed spare of a dRAID, which lies across all disks of the group.
    (/^draid[123]?-[0-9]+-[0-9]+$/.test(name) ? 'dspare' : 'disk')
  )
}
