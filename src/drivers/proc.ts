// Memory and processor use as the kernel tells it in /proc. The trap: the processor's numbers are sums since the boot, so its use is a
// difference of two looks.
import { readFileSync } from 'node:fs'

/** Ticks. */
export interface Ticks {
  busy: number
  total: number
}

/** Percent of the memory that programs could not have; undefined where the kernel does not say. */
export function memoryUse(text = readFileSync('/proc/meminfo', 'latin1')): number | undefined {
  const [, total] = /^MemTotal:\s+(\d+) kB$/m.exec(text) ?? []
  const [, available] = /^MemAvailable:\s+(\d+) kB$/m.exec(text) ?? []
  if (available === undefined || !Number(total)) return undefined
  return (1 - Number(available) / Number(total)) * 100
}

/** Of all processors together, since the boot. */
export function processorTicks(text = readFileSync('/proc/stat', 'latin1')): Ticks {
  // user nice system idle iowait irq softirq steal; what guests used is in the first two.
  const ticks = (/^cpu +([\d ]+)$/m.exec(text)?.[1] ?? '').split(' ').slice(0, 8).map(Number)
  const total = ticks.reduce((sum, one) => sum + one, 0)
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}
