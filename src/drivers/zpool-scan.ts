// Reads the scan lines of `zpool status -p`: scrubs, resilvers, and rebuilds (`zpool replace -s`, dRAID), which name
// their group. Their sizes and rates are rounded even with -p, and times are local; the driver runs the program in UTC.

export interface Scan {
  kind: 'scrub' | 'resilver'
  /** The group of disks that is rebuilt; otherwise the scan is of the whole pool. */
  vdev: string | undefined
  state: 'running' | 'paused' | 'finished' | 'cancelled'
  /** For a cancelled scan the last known progress; the text does not give it. */
  percent: number
  /** Repaired bytes, rounded as ZFS prints them; undefined if ZFS does not report them. */
  repaired: number | undefined
  /** Bytes per second; only while it is running. */
  speed: number | undefined
  errors: number | undefined
  /** Bytes that are done and bytes in all; of a running or paused scan. */
  done?: number | undefined
  total?: number | undefined
  /** Seconds; undefined if ZFS gives no estimate. */
  remaining?: number | undefined
  /** Milliseconds since 1970. */
  started: number | undefined
  ended: number | undefined
}

/** The scan to show: a running one, of several the one with the most left to do; else the one that ended last. */
export const scanThatMatters = (scans: readonly Scan[]): Scan | undefined => scans.toSorted(byWeight)[0]

const ORDER: readonly Scan['state'][] = ['running', 'paused']
function byWeight(a: Scan, b: Scan): number {
  const [first, second] = [a, b].map(({ state }) => ORDER.indexOf(state) >>> 0) as [number, number]
  if (first !== second) return first - second
  return ORDER.includes(a.state) ? a.percent - b.percent : (b.ended ?? 0) - (a.ended ?? 0)
}

const TIME = '(\\w{3} \\w{3} +[0-9]{1,2} [0-9:]{8} [0-9]{4})'
/** Milliseconds since 1970 of a time as ctime(3) writes it. */
export const timeOf = (text: string | undefined) => {
  const time = text === undefined ? Number.NaN : Date.parse(`${text} UTC`)
  return Number.isNaN(time) ? undefined : time
}

/** Bytes of `1.50G`. */
export function bytesOf(text: string | undefined): number | undefined {
  const [, number, unit = ''] = /^([0-9.]+)([BKMGTPEZ]?)$/.exec(text ?? '') ?? []
  return number === undefined
    ? undefined
    : Math.round(Number(number) * 1024 ** Math.max(0, 'BKMGTPEZ'.indexOf(unit || 'B')))
}

const SIZE = '[0-9.]+[BKMGTPEZ]?'
const HEAD =
  /^(scrub|resilver|rebuild)(?:ed)?(?: \(([^)]+)\))? (in progress|paused|cancell?ed|(?:repaired )?[0-9.]+[BKMGTPEZ]? in )/

/** Undefined for `none requested` and for unknown forms: a scan counts as ended only if ZFS says so. */
export function parseScan(text: string): Scan | undefined {
  const [, word, vdev, how = ''] = HEAD.exec(text) ?? []
  if (word === undefined) return undefined
  const at = (before: string) => timeOf(new RegExp(`\\b${before} ${TIME}`).exec(text)?.[1])
  const scan: Scan = {
    kind: word === 'scrub' ? 'scrub' : 'resilver',
    vdev,
    state: 'finished',
    percent: 100,
    repaired: undefined,
    speed: undefined,
    errors: undefined,
    started: undefined,
    ended: undefined,
  }
  if (how.startsWith('cancel')) return { ...scan, state: 'cancelled', percent: 0, ended: at('on') }
  if (how === 'in progress' || how === 'paused')
    return {
      ...scan,
      state: how === 'paused' ? 'paused' : 'running',
      percent: Math.min(100, Number(/([0-9]+(?:\.[0-9]+)?)% done/.exec(text)?.[1] ?? 0)),
      repaired: bytesOf(new RegExp(`(${SIZE}) (?:repaired|resilvered|rebuilt)`).exec(text)?.[1]) ?? 0,
      speed: bytesOf(new RegExp(`issued (?:at )?(${SIZE})/s`).exec(text)?.[1]),
      ...amountsIn(text),
      remaining: secondsIn(text),
      started: how === 'paused' ? at('started on') : at('since'),
    }
  const [, repaired, time, errors] = new RegExp(`(${SIZE}) in (.+?) with ([0-9]+) errors`).exec(text) ?? []
  const [ended, took] = [at('on'), spanOf(time ?? '')]
  return {
    ...scan,
    repaired: bytesOf(repaired),
    errors: errors === undefined ? undefined : Number(errors),
    started: ended === undefined || took === undefined ? undefined : ended - took,
    ended,
  }
}

/** `2G / 4G issued`, or before 2.2 `2G issued at 1M/s, 4G total`. */
function amountsIn(text: string): Pick<Scan, 'done' | 'total'> {
  const [, done, total] =
    new RegExp(`(${SIZE}) / (${SIZE}) issued`).exec(text) ??
    new RegExp(`(${SIZE}) issued[^,]*, (${SIZE}) total`).exec(text) ??
    []
  return { done: bytesOf(done), total: bytesOf(total) }
}

/** Seconds of `1 days 02:03:04 to go`, or `1h2m to go`. */
export function secondsIn(text: string): number | undefined {
  const span = /((?:[0-9]+ days? )?[0-9]+:[0-9]+:[0-9]+|[0-9]+h[0-9]+m) to go/.exec(text)?.[1]
  const milliseconds = span === undefined ? undefined : spanOf(span)
  return milliseconds === undefined ? undefined : milliseconds / 1000
}

/** Milliseconds of `1 days 02:03:04`, or of `26h3m` before 0.8. */
function spanOf(text: string): number | undefined {
  const [, days = '0', hours, minutes, seconds = '0'] =
    /^(?:([0-9]+) days? )?([0-9]+):([0-9]+):([0-9]+)$/.exec(text) ?? /^()([0-9]+)h([0-9]+)m$/.exec(text) ?? []
  if (hours === undefined) return undefined
  return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000
}
