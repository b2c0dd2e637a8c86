// How often what was answered, for /metrics. The trap: this is on the way of every request, so it is two additions; the label is the
// declaration's path, never the request's, or a scanner would make a million of them.
import type { Request } from '../request.ts'

export interface RequestCount {
  method: string
  /** The path as it was declared; empty where there is no such endpoint. */
  path: string
  status: number
  count: number
  seconds: number
}

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])

export class RequestCounts {
  private readonly counts = new Map<string, Map<number, RequestCount>>()

  answered({ method, head, template, started }: Request, status: number): void {
    const key = METHODS.has(method) ? `${head ? 'HEAD' : method} ${template}` : 'other '
    const byStatus = this.counts.get(key) ?? new Map<number, RequestCount>()
    const entry = byStatus.get(status) ?? this.add(key, byStatus, status)
    entry.count += 1
    entry.seconds += (performance.now() - started) / 1000
  }

  private add(key: string, byStatus: Map<number, RequestCount>, status: number): RequestCount {
    const [method = '', path = ''] = key.split(' ')
    const entry = { method, path, status, count: 0, seconds: 0 }
    this.counts.set(key, byStatus.set(status, entry))
    return entry
  }

  all(): RequestCount[] {
    return [...this.counts.values()].flatMap((byStatus) => [...byStatus.values()])
  }
}
