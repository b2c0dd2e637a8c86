// Filesystems and volumes: list, look at, make, change. The trap: `zfs set` is not all or nothing; when it refuses the second property, the
// first is already set, so its previous value is restored.
import { type DatasetRow, isMissing, type Property, type Zfs } from '../../drivers/zfs.ts'
import { ApiError, inUse, notFound, raise } from '../../errors.ts'
import { type Dependents, dependentsOf } from '../destruction/dependents.ts'
import { withZfsErrors, zfsFailure } from '../zfs/failure.ts'
import { poolOf } from '../zfs/names.ts'
import { checkOptions, INHERIT, isOption } from '../zfs/options.ts'
import { noDataset } from './errors.ts'
import { refuseHiding } from './mount-point.ts'

export interface Dataset {
  name: string
  pool: string
  type: 'filesystem' | 'volume'
  size: number
  used: number
  available: number
  mountpoint?: string
  created_at: string
}

/** With what was chosen for it: the properties that are its own, not inherited. */
export interface DatasetDetails extends Dataset {
  /** Never twice: another one under the same name is another thing. */
  guid: string
  referenced: number
  origin?: string
  options: Record<string, string>
}

export type Options = Readonly<Record<string, string>>

const at = (seconds: number) => new Date(seconds * 1000).toISOString()

/** A filesystem is as large as what it holds and what it may still take; a volume's size is its own. */
const view = ({ name, type, used, available, size, mountpoint, created }: DatasetRow): Dataset => ({
  name,
  pool: poolOf(name),
  type,
  size: size ?? used + available,
  used,
  available,
  ...(mountpoint !== undefined && { mountpoint }),
  created_at: at(created),
})

export async function listDatasets(
  zfs: Zfs,
  { pool, type }: { pool?: string | undefined; type?: Dataset['type'] | undefined },
): Promise<Dataset[]> {
  const found: Dataset[] = []
  try {
    await zfs.datasets(pool, (row) => {
      if (type === undefined || row.type === type) found.push(view(row))
    })
  } catch (error) {
    if (pool !== undefined && isMissing(error)) throw notFound('pool not found', { details: { object: pool } })
    throw zfsFailure(error, pool ?? 'zfs')
  }
  return found
}

export async function findDataset(zfs: Zfs, name: string): Promise<DatasetDetails | undefined> {
  const all = await withZfsErrors(name, () => zfs.get(name))
  const text = (property: string) => all?.get(property)?.value ?? '-'
  const number = (property: string) => {
    const value = Number(text(property))
    return Number.isFinite(value) ? value : raise(new ApiError('command-failed', 'zfs gave no answer that can be read'))
  }
  const type = text('type')
  if (!all || (type !== 'filesystem' && type !== 'volume')) return undefined
  const mountpoint = text('mountpoint')
  const row: DatasetRow = {
    name,
    type,
    used: number('used'),
    available: number('available'),
    size: type === 'volume' ? number('volsize') : undefined,
    mountpoint: mountpoint.startsWith('/') ? mountpoint : undefined,
    created: number('creation'),
  }
  return {
    ...view(row),
    guid: text('guid'),
    referenced: number('referenced'),
    ...(text('origin') !== '-' && { origin: text('origin') }),
    options: ownOptions(all),
  }
}

export const getDataset = async (zfs: Zfs, name: string): Promise<DatasetDetails> =>
  (await findDataset(zfs, name)) ?? raise(noDataset(name))

/** Which one it is, and what a caller may overwrite: nothing that changes by itself. */
export const versionOf = ({ guid, type, size, options }: DatasetDetails) => [
  guid,
  type === 'volume' ? size : 0,
  options,
]

function ownOptions(all: Map<string, Property>): Record<string, string> {
  const own = [...all].filter(([name, { source }]) => (source === 'local' || source === 'received') && isOption(name))
  return Object.fromEntries(own.map(([name, { value }]) => [name, value]))
}

/** `marks` are properties of this product, which a request cannot set. */
export async function createDataset(
  zfs: Zfs,
  name: string,
  wanted: Options = {},
  marks: Options = {},
): Promise<DatasetDetails> {
  const options = checkOptions(wanted, 'filesystem', name, 'create')
  await refuseHidingAt(zfs, name, options['mountpoint'])
  try {
    await withZfsErrors(name, () => zfs.create(name, { ...options, ...marks }))
  } catch (error) {
    // Created but not mounted counts as failure: destroy it again.
    if (error instanceof Error && /successfully created/.test(String((error.cause as { stderr?: string })?.stderr)))
      await zfs.destroy(name).catch(() => {})
    throw error
  }
  return getDataset(zfs, name)
}

/** Sets these properties, or takes those that are to `inherit` back to what they inherit: all or none. */
export async function updateDataset(
  zfs: Zfs,
  name: string,
  wanted: Options = {},
  dependents: readonly Dependents[] = [],
): Promise<DatasetDetails> {
  const before = (await withZfsErrors(name, () => zfs.get(name))) ?? raise(noDataset(name))
  const kind = before.get('type')?.value
  if (kind !== 'filesystem' && kind !== 'volume') throw noDataset(name)
  const options = checkOptions(wanted, kind, name, 'update')
  await refuseMoved(zfs, dependents, name, options, before)
  if (options['mountpoint'] !== before.get('mountpoint')?.value) await refuseHidingAt(zfs, name, options['mountpoint'])
  await changeProperties(zfs, name, options, before)
  return getDataset(zfs, name)
}

const refuseHidingAt = async (zfs: Zfs, name: string, mountpoint: string | undefined) => {
  if (mountpoint?.startsWith('/')) await refuseHiding(zfs, name, mountpoint)
}

/** What takes a filesystem, and those below it, from where it is, or a volume's device from its place. */
const MOVES = ['mountpoint', 'canmount', 'volmode']

/**
 * What is shared from where it is would be another folder's: empty, or of the filesystem above. A LUN without its device goes on as long as
 * the kernel has it open, and does not come back at the next boot.
 */
export async function refuseMoved(
  zfs: Zfs,
  dependents: readonly Dependents[],
  name: string,
  options: Options,
  before: Map<string, Property>,
): Promise<void> {
  if (!MOVES.some((option) => options[option] !== undefined && options[option] !== before.get(option)?.value)) return
  const kind = before.get('type')?.value
  const members = (await withZfsErrors(name, () => zfs.tree(name))) ?? raise(noDataset(name))
  const moved = members.filter(({ type }) => type === kind).map((member) => member.name)
  const [first] = await dependentsOf(dependents, moved)
  if (first) throw inUse(`${first.object} ${first.reason}`, { details: { object: name } })
}

/** Sets what is checked already; when that fails, what was there before comes back. */
export async function changeProperties(
  zfs: Zfs,
  name: string,
  wanted: Options,
  before: Map<string, Property>,
): Promise<void> {
  const all = Object.entries(wanted)
  const set = all.filter(([, value]) => value !== INHERIT)
  try {
    await withZfsErrors(name, async () => {
      if (set.length > 0) await zfs.set(name, Object.fromEntries(set))
      for (const [key, value] of all) if (value === INHERIT) await zfs.inherit(name, key)
    })
  } catch (error) {
    await restore(zfs, name, Object.keys(wanted), before)
    throw error
  }
}

async function restore(zfs: Zfs, name: string, keys: string[], before: Map<string, Property>): Promise<void> {
  const now = await zfs.get(name).catch(() => undefined)
  for (const key of keys) {
    const [old, current] = [before.get(key), now?.get(key)]
    if (!now || (old?.value === current?.value && old?.source === current?.source)) continue
    const back =
      old?.source === 'local'
        ? zfs.set(name, { [key]: old.value })
        : old?.source === 'received'
          ? zfs.revert(name, key)
          : zfs.inherit(name, key)
    // A quota cannot be inherited: it is set to `none` again.
    await back.catch(() => old && zfs.set(name, { [key]: old.value })).catch(() => {})
  }
}
