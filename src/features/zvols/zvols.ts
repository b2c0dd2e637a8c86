// Volumes: list, look at, make, grow. The trap: a volume that is made smaller has lost the end of what is on it, so that is refused.
import type { Zfs } from '../../drivers/zfs.ts'
import { busy, notFound, raise } from '../../http/errors.ts'
import {
  changeProperties,
  type DatasetDetails,
  findDataset,
  getDataset,
  listDatasets,
  type Options,
  refuseMoved,
} from '../datasets/datasets.ts'
import type { Dependents } from '../datasets/destroy.ts'
import { about } from '../zfs/failure.ts'
import { checkOptions } from '../zfs/options.ts'

export const listVolumes = (zfs: Zfs, pool: string | undefined) => listDatasets(zfs, { pool, type: 'volume' })

/** A filesystem of that name is no volume. */
export async function findVolume(zfs: Zfs, name: string): Promise<DatasetDetails | undefined> {
  const found = await findDataset(zfs, name)
  return found?.type === 'volume' ? found : undefined
}

export const getVolume = async (zfs: Zfs, name: string): Promise<DatasetDetails> =>
  (await findVolume(zfs, name)) ?? raise(notFound('zvol not found', { details: { object: name } }))

/** All its space is reserved, unless `options` say `refreservation: none`. ZFS rounds the size up to whole blocks. */
export async function createVolume(
  zfs: Zfs,
  { name, size, options = {} }: { name: string; size: number; options?: Options | undefined },
): Promise<DatasetDetails> {
  checkOptions(options, 'volume', name, 'create')
  await about(name, () => zfs.createVolume(name, size, options))
  return getDataset(zfs, name)
}

export async function updateVolume(
  zfs: Zfs,
  name: string,
  { size, options = {} }: { size?: number | undefined; options?: Options | undefined },
  dependents: readonly Dependents[] = [],
): Promise<DatasetDetails> {
  const { size: now } = await getVolume(zfs, name)
  checkOptions(options, 'volume', name, 'update')
  if (size !== undefined && size < now)
    throw busy(`A volume can only grow; this one has ${now} bytes`, { details: { field: 'size' } })
  const before = (await about(name, () => zfs.get(name))) ?? new Map()
  await refuseMoved(zfs, dependents, name, options, before)
  await changeProperties(zfs, name, size === undefined ? options : { volsize: String(size), ...options }, before)
  return getDataset(zfs, name)
}
