// Volumes: list, show, create, grow. Shrinking one is refused: the end of its content would be lost.
import type { Property, Zfs } from '../../drivers/zfs.ts'
import { failedPrecondition, notFound, raise } from '../../errors.ts'
import {
  changeProperties,
  type DatasetDetails,
  findDataset,
  getDataset,
  listDatasets,
  type Options,
  refuseMoved,
} from '../datasets/datasets.ts'
import type { Dependents } from '../destruction/dependents.ts'
import { withZfsErrors } from '../zfs/failure.ts'
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
  { name, size, options: wanted = {} }: { name: string; size: number; options?: Options | undefined },
): Promise<DatasetDetails> {
  const options = checkOptions(wanted, 'volume', name, 'create')
  await withZfsErrors(name, () => zfs.createVolume(name, size, options))
  return getDataset(zfs, name)
}

export async function updateVolume(
  zfs: Zfs,
  name: string,
  { size: asked, options: wanted = {} }: { size?: number | undefined; options?: Options | undefined },
  dependents: readonly Dependents[] = [],
): Promise<DatasetDetails> {
  const { size: now } = await getVolume(zfs, name)
  const options = checkOptions(wanted, 'volume', name, 'update')
  const before = (await withZfsErrors(name, () => zfs.get(name))) ?? new Map<string, Property>()
  // As ZFS itself does when it makes one: up to whole blocks.
  const size = asked === undefined ? now : wholeBlocks(asked, Number(before.get('volblocksize')?.value))
  if (size < now)
    throw failedPrecondition(`A volume can only grow; this one has ${now} bytes`, { details: { field: 'size' } })
  await refuseMoved(zfs, dependents, name, options, before)
  await changeProperties(zfs, name, size === now ? options : { volsize: String(size), ...options }, before)
  return getDataset(zfs, name)
}

const wholeBlocks = (bytes: number, block: number) => (block > 0 ? Math.ceil(bytes / block) * block : bytes)
