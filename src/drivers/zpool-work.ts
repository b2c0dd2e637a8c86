// Reads the lines of `zpool status -p` about work that is no scan: the evacuation of a removed vdev, and the expansion
// of a RAID-Z.
import { bytesOf, secondsIn, timeOf } from './zpool-scan.ts'

export interface Work {
  /** `mirror-1`; undefined where ZFS gives only a number. */
  vdev: string | undefined
  state: 'running' | 'waiting' | 'finished' | 'cancelled'
  percent: number
  /** Bytes, rounded as ZFS prints them. */
  done: number | undefined
  total: number | undefined
  /** Seconds; undefined if ZFS gives no estimate. */
  remaining: number | undefined
  /** Milliseconds since 1970. */
  started: number | undefined
  ended: number | undefined
}

const TIME = '(\\w{3} \\w{3} +[0-9]{1,2} [0-9:]{8} [0-9]{4})'
const SIZE = '([0-9.]+[BKMGTPEZ]?)'

export const NO_WORK: Omit<Work, 'state' | 'percent'> = {
  vdev: undefined,
  done: undefined,
  total: undefined,
  remaining: undefined,
  started: undefined,
  ended: undefined,
}

/** Undefined for an unknown form. */
export function parseRemoval(text: string): Work | undefined {
  const running = new RegExp(`^(?:Evacuation|Removal) of (\\S+) in progress since ${TIME}`).exec(text)
  if (running) return runningWork(text, running, new RegExp(`${SIZE} copied out of ${SIZE}`))
  const cancelled = new RegExp(`^Removal of (\\S+) cancell?ed on ${TIME}`).exec(text)
  if (cancelled) return { ...NO_WORK, vdev: cancelled[1], state: 'cancelled', percent: 0, ended: timeOf(cancelled[2]) }
  const finished = new RegExp(`^Removal of vdev [0-9]+ copied ${SIZE} in .*completed on ${TIME}`).exec(text)
  if (!finished) return undefined
  return { ...NO_WORK, state: 'finished', percent: 100, done: bytesOf(finished[1]), ended: timeOf(finished[2]) }
}

/** Undefined for an unknown form. */
export function parseExpansion(text: string): Work | undefined {
  const running = new RegExp(`^expansion of (\\S+) in progress since ${TIME}`).exec(text)
  if (running) return runningWork(text, running, new RegExp(`${SIZE} / ${SIZE} copied`))
  const finished = new RegExp(`^expanded (\\S+) copied ${SIZE} in .*on ${TIME}`).exec(text)
  if (!finished) return undefined
  const [, vdev, done, ended] = finished
  return { ...NO_WORK, vdev, state: 'finished', percent: 100, done: bytesOf(done), ended: timeOf(ended) }
}

function runningWork(text: string, [, vdev, since]: RegExpExecArray, amounts: RegExp): Work {
  const [, done, total] = amounts.exec(text) ?? []
  return {
    vdev,
    state: /paused for resilver/.test(text) ? 'waiting' : 'running',
    percent: Math.min(100, Number(/([0-9]+(?:\.[0-9]+)?)% done/.exec(text)?.[1] ?? 0)),
    done: bytesOf(done),
    total: bytesOf(total),
    remaining: secondsIn(text),
    started: timeOf(since),
    ended: undefined,
  }
}
