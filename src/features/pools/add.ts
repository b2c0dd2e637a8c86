// Adds vdevs to a pool, and removes them.
import { CommandError } from '../../drivers/run.ts'
import { ApiError } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import { toolFailure, withToolErrors } from '../tool-failure.ts'
import { findDevice } from './devices.ts'
import { planLayout, withInstead } from './layout-plan.ts'
import { checkFree } from './new-disk.ts'
import type { Pools } from './pools.ts'
import type { Ready } from './replace.ts'
import { type By, getLayout, startChange } from './vdev-task.ts'
import { type Allowed, checkDevices, isFileIn, readVdevs } from './vdevs.ts'

export interface NewVdevs {
  vdevs: string[]
  allow?: Allowed | undefined
}

export async function addVdevs(pools: Pools, name: string, { vdevs, allow = [] }: NewVdevs): Promise<Ready> {
  const { devices, errors } = readVdevs(vdevs, isFileIn(pools.files), 'added')
  if (errors.length > 0) throw invalidFields(errors)
  const { status, guid } = await getLayout(pools, name)
  await withToolErrors(name, () => checkDevices(vdevs, devices, pools.lsblk))
  await checkFree(pools, vdevs)
  const after = await wouldAdd(pools, name, vdevs, allow)
  const plan = planLayout({
    pool: name,
    guid,
    does: [`${devices.length === 1 ? 'One device is' : `${devices.length} devices are`} added to the pool`],
    undo: undoOf(vdevs),
    before: status.vdevs,
    after,
    source: 'zpool',
  })
  const start = (by: By) =>
    startChange(pools, { name, guid }, { kind: 'pool-add', operands: vdevs, inputs: { allow: allow[0] } }, by)
  return { plan, isFinal: false, start }
}

/** A RAID-Z stays; so do data and special devices beside one. */
const undoOf = (words: readonly string[]) =>
  words.some((word) => /^(?:raidz|draid)/.test(word))
    ? undefined
    : 'Remove them; data vdevs only where no RAID-Z is in the pool'

const MISMATCH = /^(?:mismatched replication level: |[a-z]+ contains devices of different sizes$)/

/** As scripts/zpool.sh: without force first, and with it only if a mismatch that the caller agreed to is the only reason. */
async function wouldAdd(pools: Pools, name: string, vdevs: string[], allow: Allowed) {
  try {
    return await pools.zpool.wouldAdd(name, vdevs, false)
  } catch (error) {
    const reasons = reasonsOf(error)
    if (reasons.length === 0) throw toolFailure(error, name)
    const agreed = allow.includes('layout-mismatch') && reasons.every((reason) => MISMATCH.test(reason))
    if (agreed) return await withToolErrors(name, () => pools.zpool.wouldAdd(name, vdevs, true))
    const [first = ''] = reasons
    const kind = /is part of|in use|contains a/.test(first) && !MISMATCH.test(first) ? 'in-use' : 'invalid'
    throw new ApiError(kind, reasons.join('; ').slice(0, 300), {
      details: { object: name, field: 'vdevs' },
      cause: error,
    })
  }
}

/** zpool's reasons, without its advice to use force. */
function reasonsOf(error: unknown): string[] {
  if (!(error instanceof CommandError) || error.reason !== 'status') return []
  return error.stderr
    .split('\n')
    .map((line) => line.replace(/[^\x20-\x7e]/g, ' ').trim())
    .filter((line) => line !== '' && line !== 'invalid vdev specification' && !/^use '-f'/.test(line))
}

export async function removeVdev(pools: Pools, name: string, device: string): Promise<Ready> {
  const { status, guid } = await getLayout(pools, name)
  const place = findDevice(status, device)
  const { vdev } = place
  const holdsData = !['log', 'cache', 'spare'].includes(vdev.class)
  const plan = planLayout({
    pool: name,
    guid,
    does: [
      holdsData
        ? `All data of ${vdev.name} is copied to the other vdevs; then it leaves the pool, and a table of where its blocks went stays in memory`
        : `${vdev.name} leaves the pool`,
    ],
    undo: holdsData ? 'Cancel the job while it runs' : 'Add it again',
    before: status.vdevs,
    after: withInstead(status.vdevs, vdev, []),
  })
  const start = (by: By) =>
    startChange(pools, { name, guid }, { kind: 'pool-remove', place, operands: [place.guid], endless: holdsData }, by)
  return { plan, isFinal: holdsData, start }
}
