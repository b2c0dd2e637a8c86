// Switches the locate LED of a disk, so that a person finds its slot.
import { ApiError } from '../../errors.ts'
import type { Disk } from './disks.ts'
import { deviceOf } from './health.ts'
import type { Disks } from './parts.ts'

export async function locate({ leds }: Pick<Disks, 'leds'>, disk: Disk, on: boolean): Promise<void> {
  const { slotFolder } = disk
  const reason = await leds.set({ slotFolder, device: deviceOf(disk) }, on)
  if (reason !== undefined) throw new ApiError('not-implemented', reason, { details: { object: disk.id } })
}
