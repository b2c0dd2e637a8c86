// The folder that a share or an export opens: the mount point of a dataset, or a folder below it. The trap: a link inside the dataset may
// lead out of it, so the real path is checked.
import { realpathSync, type Stats, statSync } from 'node:fs'
import { close, openMounted, openSubfolder, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, failedPrecondition, invalid, isFull, notFound } from '../../errors.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { isInside } from '../zfs/names.ts'
import { SharePath } from './rules.ts'

export interface Place {
  path: string
  /** Where the dataset is mounted. */
  mountpoint: string
  /** The path is the mount point itself. */
  mounted: boolean
}

/**
 * Where a dataset is mounted; undefined when it is not there. `mountpoint` is a wish, and may be `none`, `legacy` or, for a volume, `-`: what
 * is written below it while the dataset is not mounted lands in its parent.
 */
export async function mountOf(
  zfs: Zfs,
  dataset: string,
): Promise<{ mountpoint: string; mounted: boolean } | undefined> {
  const properties = await withZfsErrors(dataset, () => zfs.get(dataset))
  const value = (name: string) => properties?.get(name)?.value ?? '-'
  return properties && { mountpoint: value('mountpoint'), mounted: value('mounted') === 'yes' }
}

/** Where a dataset and everything below it is mounted; nowhere when it is not there. */
export const mountedBelow = (zfs: Zfs, dataset: string): Promise<string[]> =>
  dataset === '' ? Promise.resolve([]) : withZfsErrors(dataset, () => zfs.mounted(dataset))

/** `path` when it lies in the dataset, the dataset's mount point when it is left out. Throws where it cannot be shared. */
export async function placeOf(zfs: Zfs, dataset: string, path?: string): Promise<Place> {
  const mount = await mountOf(zfs, dataset)
  const named = { details: { object: dataset } }
  if (!mount) throw notFound('dataset not found', named)
  const { mountpoint, mounted } = mount
  if (!mountpoint.startsWith('/')) throw failedPrecondition('The dataset has no mount point', named)
  if (!mounted) throw failedPrecondition('The dataset is not mounted', named)
  if (!SharePath.safeParse(mountpoint).success)
    throw failedPrecondition('The dataset’s mount point cannot be shared', named)
  if (path === undefined || path === mountpoint) return { path: mountpoint, mountpoint, mounted: true }
  if (!isInside(path, mountpoint)) throw outside()
  const [real, top] = [realOf(path), realOf(mountpoint)]
  if (real === undefined || top === undefined || !isFolder(real))
    throw invalid('There is no such folder', { details: { field: 'path' } })
  // Another dataset may be mounted below this one.
  if (!isInside(real, top) || statSync(real).dev !== statSync(top).dev) throw outside()
  return { path, mountpoint, mounted: false }
}

export interface OpenPlace {
  dataset: string
  path: string | undefined
  /** The storage programs are not the system's: nothing is mounted. */
  trial: boolean
  /** What is said where the system fails. */
  failure: string
  /** Called for each folder from the mount point down to that of the share. */
  check?: (stats: Stats, isLast: boolean) => void
}

/**
 * Works in the open folder of a share. What is made while the dataset is not mounted is out of sight at its next mount,
 * and in the file system below: so the open folder is looked at, not the path.
 */
export async function inPlace(
  zfs: Zfs,
  { dataset, path, trial, failure, check = () => {} }: OpenPlace,
  work: (folder: number, place: Place) => Promise<void>,
): Promise<void> {
  const named = { details: { object: dataset } }
  const place = await placeOf(zfs, dataset, path)
  let folder: number | undefined
  try {
    folder = openMounted(place.mountpoint, trial ? undefined : dataset)
    const names = place.path.slice(place.mountpoint.length).split('/').filter(Boolean)
    check(statOf(folder), names.length === 0)
    for (const [i, name] of names.entries()) {
      const inner = openSubfolder(folder, Buffer.from(name).toString('latin1'))
      close(folder)
      folder = inner
      check(statOf(folder), i === names.length - 1)
    }
    await work(folder, place)
  } catch (cause) {
    if (cause instanceof ApiError) throw cause
    if (folder === undefined && errno(cause) === undefined)
      throw failedPrecondition('The dataset is not mounted at its mount point', { ...named, cause })
    throw new ApiError(isFull(cause) ? 'no-space' : 'command-failed', failure, { ...named, cause })
  } finally {
    if (folder !== undefined) close(folder)
  }
}

const outside = () => invalid('The path is not inside the dataset', { details: { field: 'path' } })

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
