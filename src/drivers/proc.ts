// Memory, processor use and mounts from /proc. The processor's counters are sums since boot, so its use is the
// difference between two readings.
import { readFileSync } from 'node:fs'

/** Ticks. */
export interface Ticks {
  busy: number
  total: number
}

/** Percent of the memory that is not available to programs; undefined if the kernel does not report it. */
export function memoryUse(text = readFileSync('/proc/meminfo', 'latin1')): number | undefined {
  const [, total] = /^MemTotal:\s+(\d+) kB$/m.exec(text) ?? []
  const [, available] = /^MemAvailable:\s+(\d+) kB$/m.exec(text) ?? []
  if (available === undefined || !Number(total)) return undefined
  return (1 - Number(available) / Number(total)) * 100
}

/** Of all processors together, since boot. */
export function processorTicks(text = readFileSync('/proc/stat', 'latin1')): Ticks {
  // user nice system idle iowait irq softirq steal; the time of guests is included in the first two.
  const ticks = (/^cpu +([\d ]+)$/m.exec(text)?.[1] ?? '').split(' ').slice(0, 8).map(Number)
  const total = ticks.reduce((sum, one) => sum + one, 0)
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}

/**
 * What is mounted where in this process's mount namespace, as in proc(5), which writes spaces and the like in octal.
 */
export function mounts(text = readFileSync('/proc/self/mounts', 'utf8')): { device: string; place: string }[] {
  const plain = (word: string) =>
    word.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([device, place]) =>
      device !== undefined && place !== undefined ? [{ device: plain(device), place: plain(place) }] : [],
    )
}
