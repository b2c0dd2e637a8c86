// A disk that is given to a pool: it has to be free, or one of the pool's own spares, and large enough. zpool checks the
// size again, to the byte.
import { lstatSync } from 'node:fs'
import type { PoolStatus, Vdev } from '../../drivers/zpool-status.ts'
import { ApiError } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import { type Disk, isFree, listDisks } from '../disks/disks.ts'
import { withToolErrors } from '../tool-failure.ts'
import { placesIn } from './devices.ts'
import type { Pools } from './pools.ts'
import { isFileIn } from './vdevs.ts'

export interface NewDisk {
  /** What zpool gets. */
  operand: string
  /** Bytes; undefined of a spare across all disks of a dRAID. */
  size: number | undefined
  /** A spare of this pool. */
  spare: Vdev | undefined
}

/** By id, by any of its names in /dev, or the path of a file in the folder for those. */
export async function findNewDisk(pools: Pools, status: PoolStatus, word: string, field = 'disk'): Promise<NewDisk> {
  const spare = status.vdevs.find((vdev) => vdev.class === 'spare' && [vdev.guid, vdev.name, vdev.path].includes(word))
  if (spare) {
    if (spare.state !== 'AVAIL') throw inUse(`This spare is ${spare.state}`, field)
    const operand = spare.type === 'dspare' ? spare.name : (spare.path ?? spare.name)
    return { operand, size: spare.path === undefined ? undefined : await sizeOf(pools, spare.path), spare }
  }
  if (isFileIn(pools.files)(word)) {
    const file = lstatSync(word, { throwIfNoEntry: false })
    if (!file?.isFile()) throw noDisk(field)
    return { operand: word, size: file.size, spare: undefined }
  }
  const disk = (await disksOf(pools)).find((one) => isCalled(one, word))
  if (!disk) throw noDisk(field)
  if (!isFree(disk)) throw inUse(notFree(disk), field)
  return { operand: disk.id === word ? disk.path : word, size: disk.size, spare: undefined }
}

/** What is now where the disk of this vdev was: under its name, or at its port, for a new disk has other names. */
export async function inPlaceOf(pools: Pools, { path, port }: Vdev): Promise<string | undefined> {
  const disks = await disksOf(pools)
  if (path !== undefined && disks.some((disk) => isCalled(disk, path))) return path
  const isThere = ({ links }: Disk) => links.some(({ folder, name }) => folder === 'by-path' && name === port)
  return disks.find(isThere)?.id ?? path
}

/** Throws where these devices of a vdev specification are not free. Those that do not exist are named elsewhere. */
export async function checkFree(pools: Pools, words: readonly string[]): Promise<void> {
  const disks = await disksOf(pools)
  for (const [at, word] of words.entries()) {
    const disk = word.startsWith('/dev/') ? disks.find((one) => isCalled(one, word)) : undefined
    if (disk && !isFree(disk)) throw inUse(notFree(disk), `vdevs.${at}`)
  }
}

/** Throws where the disk is certainly too small to stand at this place. */
export async function checkSize(pools: Pools, disk: NewDisk, places: readonly Vdev[], field = 'disk'): Promise<void> {
  if (disk.size === undefined) return
  const least = await leastSize(pools, places)
  if (least === undefined || disk.size >= least) return
  const message = `The disk is too small: it has ${human(disk.size)}, and ${human(least)} are needed`
  throw invalidFields([{ field, message }])
}

/** Bytes. ZFS 2.3 says how large a disk has to be; before, the smallest of the disks there does, less what ZFS rounds off. */
async function leastSize(pools: Pools, places: readonly Vdev[]): Promise<number | undefined> {
  const told = places.flatMap(({ needs }) => needs ?? [])
  if (told.length > 0) return Math.min(...told)
  const paths = placesIn(places).flatMap(({ vdev }) => vdev.path ?? [])
  const sizes = await Promise.all(paths.map((path) => sizeOf(pools, path)))
  const known = sizes.filter((size) => size !== undefined)
  return known.length === 0 ? undefined : roundedOff(Math.min(...known))
}

/** ZFS rounds a disk down to whole metaslabs, of which there are some two hundred, each of at least 16 MiB. */
const roundedOff = (size: number) => size - Math.max(size / 100, 32 * 2 ** 20)

async function sizeOf(pools: Pools, path: string): Promise<number | undefined> {
  if (!path.startsWith('/dev/')) return lstatSync(path, { throwIfNoEntry: false })?.size
  return (await disksOf(pools)).find((disk) => isCalled(disk, path))?.size
}

const disksOf = (pools: Pools): Promise<Disk[]> =>
  withToolErrors(undefined, async () => {
    await pools.lsblk.settle()
    return (await listDisks(pools)).disks
  })

const isCalled = ({ id, path, device, links }: Disk, word: string) =>
  [id, path, device].includes(word) ||
  links.some(({ folder, name }) => word === `/dev/${folder === 'mapper' ? '' : 'disk/'}${folder}/${name}`)

function notFree({ uses: [use] }: Disk): string {
  const where = use?.pool === undefined ? '' : ` of the pool ${use.pool}`
  return `This disk is not free: ${use?.active === false ? 'it holds' : 'it is in use as'} ${use?.kind ?? 'something'}${where}`
}

const noDisk = (field: string) => invalidFields([{ field, message: 'There is no such disk' }])
const inUse = (message: string, field: string) => new ApiError('in-use', message, { details: { field } })

/** `3.6 TiB`; of sizes that differ by little, enough digits to see it. */
export function human(bytes: number): string {
  const unit = Math.min(5, Math.floor(Math.log2(Math.max(bytes, 1)) / 10))
  return `${Number((bytes / 1024 ** unit).toPrecision(5))} ${['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit]}`
}
