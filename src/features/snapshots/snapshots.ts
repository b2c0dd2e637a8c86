// Snapshots: list, show, take, destroy. There may be a hundred thousand, so the list is written as JSON text from the program's lines, and
// no object of a snapshot is kept.
import { isMissing, type SnapshotRow, type Zfs } from '../../drivers/zfs.ts'
import { notFound, raise } from '../../errors.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { dependingOn, refuseUnderWay } from '../datasets/destroy.ts'
import { noDataset } from '../datasets/errors.ts'
import { makePlan, type Plan } from '../destruction/plan.ts'
import { withZfsErrors, zfsFailure } from '../zfs/failure.ts'

export interface SnapshotFilter {
  dataset?: string | undefined
  pool?: string | undefined
  offset?: number | undefined
  limit?: number | undefined
}

export interface SnapshotDetails {
  name: string
  dataset: string
  size: number
  created_at: string
  guid: string
  referenced: number
  holds: string[]
  clones: string[]
}

export const datasetOf = (snapshot: string) => snapshot.slice(0, snapshot.indexOf('@'))
export const noSnapshot = (name: string) => notFound('snapshot not found', { details: { object: name } })

/** `size` is what would be free without the snapshot. */
const view = ({ name, used, created }: SnapshotRow) => ({
  name,
  dataset: datasetOf(name),
  size: used,
  created_at: new Date(created * 1000).toISOString(),
})

/** Characters that are kept as text at a time; the rest waits as bytes, outside the garbage-collected heap. */
const PIECE = 1 << 16

/** A JSON array of snapshots, in UTF-8. */
export async function listSnapshots(zfs: Zfs, filter: SnapshotFilter): Promise<Buffer> {
  const { dataset, pool, offset = 0, limit = Number.POSITIVE_INFINITY } = filter
  const of = dataset ?? pool
  const pieces: Buffer[] = []
  let text = '['
  let at = 0
  const take = (row: SnapshotRow) => {
    const place = at++ - offset
    if (place < 0 || place >= limit) return
    text += `${place === 0 ? '' : ','}${JSON.stringify(view(row))}`
    if (text.length < PIECE) return
    pieces.push(Buffer.from(text))
    text = ''
  }
  try {
    await zfs.snapshots(of === undefined ? undefined : { dataset: of, deep: dataset === undefined }, take)
  } catch (error) {
    if (of === undefined || !isMissing(error)) throw zfsFailure(error, of ?? 'zfs')
    throw dataset === undefined ? notFound('pool not found', { details: { object: of } }) : noDataset(of)
  }
  return Buffer.concat([...pieces, Buffer.from(`${text}]`)])
}

export async function findSnapshot(zfs: Zfs, name: string): Promise<SnapshotDetails | undefined> {
  const all = await withZfsErrors(name, () => zfs.get(name))
  if (all?.get('type')?.value !== 'snapshot') return undefined
  const number = (property: string) => Number(all.get(property)?.value) || 0
  const clones = all.get('clones')?.value ?? ''
  return {
    ...view({ name, used: number('used'), created: number('creation') }),
    guid: all.get('guid')?.value ?? '',
    referenced: number('referenced'),
    holds: number('userrefs') === 0 ? [] : ((await withZfsErrors(name, () => zfs.holds([name]))).get(name) ?? []),
    clones: clones === '' || clones === '-' ? [] : clones.split(','),
  }
}

export const getSnapshot = async (zfs: Zfs, name: string): Promise<SnapshotDetails> =>
  (await findSnapshot(zfs, name)) ?? raise(noSnapshot(name))

export async function takeSnapshot(zfs: Zfs, name: string): Promise<SnapshotDetails> {
  await withZfsErrors(name, () => zfs.snapshot(name, {}))
  return getSnapshot(zfs, name)
}

export async function planSnapshotRemoval(zfs: Zfs, name: string): Promise<Plan> {
  const { guid, holds, clones } = await getSnapshot(zfs, name)
  const member = { name, type: 'snapshot', guid, txg: 0, holds: holds.length, clones } as const
  return makePlan(name, [name], await withZfsErrors(name, () => dependingOn(zfs, [member])), [guid])
}

export async function removeSnapshot(zfs: Zfs, tasks: Pick<Tasks, 'isAtWork'>, name: string): Promise<void> {
  await refuseUnderWay(tasks, datasetOf(name))
  await withZfsErrors(name, () => zfs.destroy(name))
}
