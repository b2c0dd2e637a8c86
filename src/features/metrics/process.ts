// Metrics of the server's own process, under the names that every Prometheus dashboard knows. They are read at the
// scrape: prom-client's own collector keeps a timer and an observer running between scrapes.
import { readdirSync } from 'node:fs'

export interface ProcessNumbers {
  cpuSeconds: number
  residentBytes: number
  heapUsedBytes: number
  heapTotalBytes: number
  openFiles: number
  /** Since 1970. */
  startSeconds: number
  /** Event loop lag: how long something due waits. */
  lagSeconds: number
}

export async function readProcess(): Promise<ProcessNumbers> {
  const asked = performance.now()
  await new Promise((resolve) => setImmediate(resolve))
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, heapTotal } = process.memoryUsage()
  return {
    lagSeconds: (performance.now() - asked) / 1000,
    cpuSeconds: (user + system) / 1e6,
    ...{ residentBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal },
    // Without the descriptor that lists them.
    openFiles: readdirSync('/proc/self/fd').length - 1,
    startSeconds: performance.timeOrigin / 1000,
  }
}
