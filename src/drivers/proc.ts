// Memory, processor use and mounts as the kernel tells them in /proc. The trap: the processor's numbers are sums since the boot, so its use is a
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

/** What is mounted where in this process's view, as in proc(5): blanks and the like are written in octal. */
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
