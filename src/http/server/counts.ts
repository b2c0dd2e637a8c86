// Counts answers by path and status, for /metrics. This runs for every request, so it must stay cheap. The label is the
// declared path, never the requested one: a scanner would create a million labels.
import type { Request } from '../request.ts'

export interface RequestCount {
  method: string
  /** The declared path; empty if there is no such endpoint. */
  path: string
  status: number
  count: number
  seconds: number
}

/** How long the answers of one declared path took, whatever their status. */
export interface RequestTimes {
  method: string
  path: string
  /** How many took no longer than each bound; slower ones count only in `count`. */
  buckets: number[]
  count: number
  seconds: number
}

/** Upper bounds in seconds, from unnoticeable to a long-polled request. */
export const BOUNDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 60] as const

interface Entry {
  method: string
  path: string
  byStatus: Map<number, RequestCount>
  /** One bucket more than bounds; each answer counts in one of them. */
  buckets: number[]
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

export class RequestCounts {
  /** By path, then by method: one key of both would be a new text for each request. */
  private readonly counts = new Map<string, Map<string, Entry>>()
  /** In the order in which they were first requested. */
  private readonly entries: Entry[] = []

  answered({ method, head, template, started }: Request, status: number): void {
    const isKnown = METHODS.has(method)
    const path = isKnown ? template : ''
    const word = !isKnown ? 'other' : head ? 'HEAD' : method
    const { byStatus, buckets } = this.counts.get(path)?.get(word) ?? this.begin(word, path)
    const entry = byStatus.get(status) ?? this.add(word, path, byStatus, status)
    const seconds = (performance.now() - started) / 1000
    let at = 0
    while (at < BOUNDS.length && seconds > BOUNDS[at]!) at += 1
    buckets[at]! += 1
    entry.count += 1
    entry.seconds += seconds
  }

  private begin(method: string, path: string): Entry {
    const entry = { method, path, byStatus: new Map(), buckets: new Array<number>(BOUNDS.length + 1).fill(0) }
    const ofPath = this.counts.get(path) ?? new Map<string, Entry>()
    this.counts.set(path, ofPath.set(method, entry))
    this.entries.push(entry)
    return entry
  }

  private add(method: string, path: string, byStatus: Map<number, RequestCount>, status: number): RequestCount {
    const entry = { method, path, status, count: 0, seconds: 0 }
    byStatus.set(status, entry)
    return entry
  }

  all(): RequestCount[] {
    return this.entries.flatMap(({ byStatus }) => [...byStatus.values()])
  }

  times(): RequestTimes[] {
    return this.entries.map(({ method, path, byStatus, buckets }) => {
      const all = [...byStatus.values()]
      let sum = 0
      return {
        ...{ method, path },
        buckets: buckets.slice(0, -1).map((more) => {
          sum += more
          return sum
        }),
        count: all.reduce((total, { count }) => total + count, 0),
        seconds: all.reduce((total, one) => total + one.seconds, 0),
      }
    })
  }
}
