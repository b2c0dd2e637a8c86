// Use of disk, memory and processors in the last hour, for small charts. It is measured all day for a page that is
// rarely open, so it starts no program, and a file system that hangs costs one thread, not one for each sample.
import { statfs } from 'node:fs/promises'
import { memoryUse, processorTicks, type Ticks } from '../../drivers/proc.ts'

/** Percent. */
export interface Sample {
  at: string
  disk: number
  memory: number
  cpu: number
}

const EVERY = 30_000
export const KEPT = 120

export class UseHistory {
  /** The folder whose file system is looked at. */
  private readonly folder: string
  private readonly now: () => number
  private readonly samples: Sample[] = []
  private before: Ticks | undefined
  private timer: NodeJS.Timeout | undefined
  private asking: Promise<void> | undefined

  constructor(folder: string, now: () => number = Date.now) {
    this.folder = folder
    this.now = now
  }

  /** A sample every half minute from now on. */
  start(): void {
    this.before ??= processorTicks()
    this.timer ??= setInterval(() => this.sample(), EVERY)
    this.timer.unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  all(): readonly Sample[] {
    return this.samples
  }

  /** Takes one now; resolves when it is there, or cannot be had. */
  sample(): Promise<void> {
    this.asking ??= this.measure()
      // A folder that is not there, a kernel without /proc: a gap in the chart.
      .catch(() => {})
      .finally(() => {
        this.asking = undefined
      })
    return this.asking
  }

  private async measure(): Promise<void> {
    const disk = await diskUse(this.folder)
    const ticks = processorTicks()
    const { busy, total } = this.before ?? { busy: 0, total: 0 }
    this.before = ticks
    const cpu = ticks.total > total ? ((ticks.busy - busy) / (ticks.total - total)) * 100 : 0
    this.samples.push({
      at: new Date(this.now()).toISOString(),
      disk: tenths(disk),
      memory: tenths(memoryUse() ?? 0),
      cpu: tenths(cpu),
    })
    if (this.samples.length > KEPT) this.samples.shift()
  }
}

const tenths = (percent: number) => Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10

/** Percent of what programs may have, as df counts: without the blocks that are kept for root. */
export async function diskUse(folder: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(folder)
  const used = blocks - bfree
  return used + bavail > 0 ? (used / (used + bavail)) * 100 : 0
}
