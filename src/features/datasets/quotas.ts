// Quotas of users and groups on a filesystem, and what they use. ZFS keeps them by number, so accounts that are gone
// are shown, too. `zfs set` is not all or nothing: when it refuses, the earlier quotas are set again.
import type { SystemAccounts } from '../../drivers/system-accounts.ts'
import type { SpaceOf, Zfs } from '../../drivers/zfs.ts'
import { ApiError, failedPrecondition, raise } from '../../errors.ts'
import { type FieldError, invalidFields } from '../../field-errors.ts'
import { withToolErrors } from '../tool-failure.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { noDataset } from './errors.ts'

export interface Quota {
  id: number
  /** Undefined if no account has this number. */
  name?: string
  used: number
  quota?: number
}

export interface Quotas {
  users: Quota[]
  groups: Quota[]
}

/** By number or by name; a quota of null removes it. */
export interface QuotaChange {
  id?: number | undefined
  name?: string | undefined
  quota: number | null
}

export interface QuotaDeps {
  zfs: Zfs
  system: SystemAccounts
}

const KINDS = ['user', 'group'] as const
type Kind = (typeof KINDS)[number]

export async function getQuotas({ zfs, system }: QuotaDeps, name: string): Promise<Quotas> {
  await requireFilesystem(zfs, name)
  const [users, groups] = await withZfsErrors(name, () =>
    Promise.all([zfs.space(name, 'user'), zfs.space(name, 'group')]),
  )
  const names = await withToolErrors(undefined, async () => ({
    users: new Map((await system.users()).map((one) => [one.uid, one.name])),
    groups: new Map((await system.groups()).map((one) => [one.gid, one.name])),
  }))
  return { users: view(users, names.users), groups: view(groups, names.groups) }
}

/** What a caller may overwrite: the quotas, and not what is used. */
export const versionOfQuotas = ({ users, groups }: Quotas) =>
  [users, groups].map((all) => all.flatMap(({ id, quota }) => (quota === undefined ? [] : [[id, quota]])))

const view = (found: Map<number, SpaceOf>, names: Map<number, string>): Quota[] =>
  [...found]
    .sort(([a], [b]) => a - b)
    .map(([id, { used, quota }]) => {
      const name = names.get(id)
      return { id, ...(name !== undefined && { name }), used, ...(quota !== undefined && { quota }) }
    })

/** Sets or removes the given quotas, all or none; the others stay. */
export async function setQuotas(
  deps: QuotaDeps,
  name: string,
  wanted: { users?: QuotaChange[] | undefined; groups?: QuotaChange[] | undefined },
): Promise<Quotas> {
  const { zfs, system } = deps
  await requireFilesystem(zfs, name)
  const users = await numbersOf(system, 'user', wanted.users ?? [])
  const groups = await numbersOf(system, 'group', wanted.groups ?? [])
  const properties = { ...propertiesOf('user', users), ...propertiesOf('group', groups) }
  if (Object.keys(properties).length > 0) {
    const before = await getQuotas(deps, name)
    try {
      await withZfsErrors(name, () => zfs.set(name, properties))
    } catch (error) {
      const old = { ...quotasOf('user', before.users, users), ...quotasOf('group', before.groups, groups) }
      await zfs.set(name, old).catch(() => {})
      throw error
    }
  }
  const after = await getQuotas(deps, name)
  if (!holds(after.users, users) || !holds(after.groups, groups))
    throw new ApiError('command-failed', 'ZFS does not show the quotas that were set', { details: { object: name } })
  return after
}

type Numbered = Map<number, number | null>

const holds = (shown: readonly Quota[], wanted: Numbered) =>
  [...wanted].every(([id, quota]) => (shown.find((one) => one.id === id)?.quota ?? null) === quota)

const propertiesOf = (kind: Kind, quotas: Numbered): Record<string, string> =>
  Object.fromEntries([...quotas].map(([id, quota]) => [`${kind}quota@${id}`, quota === null ? 'none' : String(quota)]))

const quotasOf = (kind: Kind, before: readonly Quota[], changed: Numbered): Record<string, string> =>
  propertiesOf(kind, new Map([...changed.keys()].map((id) => [id, before.find((one) => one.id === id)?.quota ?? null])))

/** The quotas by number. Throws a 400 that names each member that is no account, or is there twice. */
async function numbersOf(system: SystemAccounts, kind: Kind, changes: readonly QuotaChange[]): Promise<Numbered> {
  const asked = changes.flatMap(({ name }) => (name === undefined ? [] : [name]))
  const known = asked.length === 0 ? [] : await withToolErrors(undefined, () => accountsOf(system, kind, asked))
  const found: Numbered = new Map()
  const errors: FieldError[] = []
  for (const [i, { id, name, quota }] of changes.entries()) {
    const number = id ?? known.find((one) => one.name === name)?.id
    const field = `${kind}s.${i}`
    if (number === undefined) errors.push({ field: `${field}.name`, message: `There is no ${kind} with this name` })
    else if (found.has(number)) errors.push({ field, message: `This ${kind} is named twice` })
    else found.set(number, quota)
  }
  if (errors.length > 0) throw invalidFields(errors)
  return found
}

async function accountsOf(
  system: SystemAccounts,
  kind: Kind,
  names: string[],
): Promise<{ name: string; id: number }[]> {
  return kind === 'user'
    ? (await system.users(...names)).map(({ name, uid }) => ({ name, id: uid }))
    : (await system.groups(...names)).map(({ name, gid }) => ({ name, id: gid }))
}

async function requireFilesystem(zfs: Zfs, name: string): Promise<void> {
  const found = (await withZfsErrors(name, () => zfs.get(name))) ?? raise(noDataset(name))
  if (found.get('type')?.value !== 'filesystem')
    throw failedPrecondition('Only filesystems have quotas of users and groups', { details: { object: name } })
}
