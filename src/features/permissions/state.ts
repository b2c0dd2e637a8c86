// The permissions of a dataset's mount point as they are, in numbers.
import type { AccessList, Acl, Lists } from '../../drivers/acl.ts'
import { close, nameForOthers, openMounted, statOf } from '../../drivers/descriptor.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, failedPrecondition, raise } from '../../errors.ts'
import { noDataset } from '../datasets/errors.ts'
import { toolFailure } from '../tool-failure.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { permissionsOf, type Rights } from './plan.ts'

export interface State {
  dataset: string
  guid: string
  path: string
  uid: number
  gid: number
  /** 2 for set-group-id, 1 for sticky. */
  special: number
  lists: Lists
  /** `posix`, `off`, `nfsv4` */
  acltype: string
  /** Why there are no lists; undefined where there are. */
  without: string | undefined
}

export interface Reader {
  zfs: Zfs
  acl: Acl
  /** The storage programs are not the system's: nothing is mounted. */
  trial: boolean
}

const NOT_INSTALLED = 'getfacl and setfacl are not installed (package acl)'
const OFF = 'access control lists are off for this dataset (acltype=off)'
const NFSV4 = 'acltype=nfsv4 has no effect: OpenZFS on Linux has no NFSv4 access control lists'

/** Runs `work` on the open mount point. Nothing is mounted elsewhere in its place meanwhile, and a link is not followed. */
export async function atMountPoint<T>(
  { zfs, trial }: Omit<Reader, 'acl'>,
  dataset: string,
  work: (descriptor: number, about: { path: string; guid: string; acltype: string }) => Promise<T>,
): Promise<T> {
  const properties = (await withZfsErrors(dataset, () => zfs.get(dataset))) ?? raise(noDataset(dataset))
  const value = (name: string) => properties.get(name)?.value ?? '-'
  const named = { details: { object: dataset } }
  if (value('type') !== 'filesystem') throw noDataset(dataset)
  const path = value('mountpoint')
  if (!path.startsWith('/')) throw failedPrecondition('The dataset has no mount point', named)
  if (value('mounted') !== 'yes') throw failedPrecondition('The dataset is not mounted', named)
  let descriptor: number
  try {
    descriptor = openMounted(path, trial ? undefined : dataset)
  } catch (cause) {
    const words =
      errno(cause) === undefined ? 'The dataset is not mounted at its mount point' : 'The mount point cannot be opened'
    throw failedPrecondition(words, { ...named, cause })
  }
  try {
    return await work(descriptor, { path, guid: value('guid'), acltype: plainType(value('acltype')) })
  } finally {
    close(descriptor)
  }
}

/** `zfs get` shows each of two words for the same. */
const plainType = (value: string) =>
  value === 'posixacl' ? 'posix' : value === 'noacl' || value === '-' ? 'off' : value

export const readState = (reader: Reader, dataset: string): Promise<State> =>
  atMountPoint(reader, dataset, async (descriptor, about) => stateOf(reader, dataset, descriptor, about))

export async function stateOf(
  { acl }: Pick<Reader, 'acl'>,
  dataset: string,
  descriptor: number,
  about: { path: string; guid: string; acltype: string },
): Promise<State> {
  const stats = statOf(descriptor)
  const mode = permissionsOf(stats)
  const without = withoutLists(about.acltype, acl.isInstalled())
  const lists = without === undefined ? await listsOf(acl, descriptor, dataset) : plainLists(mode)
  return { dataset, ...about, uid: stats.uid, gid: stats.gid, special: (mode >> 9) & 3, lists, without }
}

/** Of a filesystem that ZFS has just made. */
export function freshState(dataset: string, acltype: string, installed: boolean): State {
  const plain = plainType(acltype)
  const lists = plainLists(0o755)
  return {
    ...{ dataset, guid: '', path: '', uid: 0, gid: 0, special: 0, lists, acltype: plain },
    without: withoutLists(plain, installed),
  }
}

export function withoutLists(acltype: string, installed: boolean): string | undefined {
  if (acltype === 'nfsv4') return NFSV4
  if (acltype !== 'posix') return OFF
  return installed ? undefined : NOT_INSTALLED
}

async function listsOf(acl: Acl, descriptor: number, dataset: string): Promise<Lists> {
  try {
    const [lists] = await acl.read([nameForOthers(descriptor)])
    if (lists) return lists
  } catch (error) {
    throw toolFailure(error, dataset)
  }
  throw new ApiError('command-failed', 'getfacl cannot read the mount point', { details: { object: dataset } })
}

export const plainLists = (mode: number): Lists => ({
  access: { user: (mode >> 6) & 7, group: (mode >> 3) & 7, other: mode & 7, mask: undefined, named: [] },
  default: undefined,
})

/** What a recursive change gives to everything, so that it is like the top. */
export const rightsOf = ({ special, lists, without }: Pick<State, 'special' | 'lists' | 'without'>): Rights => ({
  special,
  access: lists.access,
  default: lists.default,
  lists: without === undefined,
})

/** Two lists of the same entries are equal in any order. */
export function sameList(a: AccessList | undefined, b: AccessList | undefined): boolean {
  return canonical(a) === canonical(b)
}
const canonical = (list: AccessList | undefined) =>
  list === undefined
    ? ''
    : JSON.stringify([
        ...[list.user, list.group, list.other, list.mask ?? -1],
        ...list.named.map(({ type, id, rights }) => `${type}:${id}:${rights}`).sort(),
      ])
