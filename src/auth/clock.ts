// Two clocks. The wall's jumps, by years at the first time signal after a boot; the steady one only goes forward, and all processes of one
// boot of the machine share it. So ages are measured with the steady one, and with the wall's only across a boot.
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { readLine } from '../store/atomic.ts'

export interface Clock {
  /** Milliseconds since 1970. */
  wall: () => number
  /** Milliseconds since some instant of this boot. */
  steady: () => number
  /** The boot of the machine that `steady` belongs to. */
  boot: string
}

const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** The machine's clocks. Where the kernel does not name its boot, a restart of the process counts as one. */
export const CLOCK: Clock = {
  wall: Date.now,
  steady: () => offset + performance.now(),
  boot: readLine('/proc/sys/kernel/random/boot_id') || randomUUID(),
}

/** When a file was written: what makes its steady times readable after the next boot. */
export const Written = z.strictObject({ wall: z.number(), steady: z.number(), boot: z.string() })
export type Written = z.infer<typeof Written>

export const writtenNow = (clock: Clock): Written => ({
  wall: clock.wall(),
  steady: clock.steady(),
  boot: clock.boot,
})

/** What has to be added to a file's steady times to compare them with ours. Negative time between two boots, by a clock that was set back, is none. */
export function shiftSince({ wall, steady, boot }: Written, clock: Clock): number {
  if (boot === clock.boot) return 0
  return clock.steady() - Math.max(0, clock.wall() - wall) - steady
}
