// Two clocks. The wall clock jumps, by years at the first time signal after a boot; the steady one only goes forward,
// and is shared by all processes of one boot. Ages are measured with the steady clock, and with the wall clock only
// across a boot.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { readLine } from '../store/atomic.ts'

export interface Clock {
  /** Milliseconds since 1970. */
  wall: () => number
  /** Milliseconds since some instant of this boot. */
  steady: () => number
  /** The boot that `steady` belongs to. */
  boot: string
}

const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** The machine's clocks. If the kernel does not identify the boot, a restart of the process counts as one. */
export const CLOCK: Clock = {
  wall: Date.now,
  steady: () => offset + performance.now(),
  boot: readLine('/proc/sys/kernel/random/boot_id') || randomUUID(),
}

/** When a file was written, which makes its steady times readable after the next boot. */
export const Written = z.strictObject({ wall: z.number(), steady: z.number(), boot: z.string() })
export type Written = z.infer<typeof Written>

export const writtenNow = (clock: Clock): Written => ({
  wall: clock.wall(),
  steady: clock.steady(),
  boot: clock.boot,
})

/**
 * What to add to a file's steady times to compare them with ours. A negative difference between two boots (a clock that
 * was set back) counts as zero.
 */
export function shiftSince({ wall, steady, boot }: Written, clock: Clock): number {
  if (boot === clock.boot) return 0
  return clock.steady() - Math.max(0, clock.wall() - wall) - steady
}
