// Creates, changes and removes share groups. All members change in one step.
import { failedPrecondition, notFound, raise } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { ShareAccounts } from './accounts.ts'
import { type AccountRecord, type GroupRecord, groupsOf, usersOf } from './record.ts'
import { bringInOrFail, takeGroupOut } from './system.ts'
import { type ShareGroup, viewGroup } from './view.ts'

export interface NewShareGroup {
  name: string
  description: string
  members: string[]
}

export interface ShareGroupChange {
  description?: string | undefined
  members?: string[] | undefined
}

const unknownGroup = (id: string) => notFound('share group not found', { details: { object: id } })

export const findGroup = (all: readonly AccountRecord[], id: string): GroupRecord =>
  groupsOf(all).find((group) => String(group.id) === id) ?? raise(unknownGroup(id))

export async function listShareGroups(accounts: ShareAccounts): Promise<ShareGroup[]> {
  const all = await accounts.records()
  return groupsOf(all).map((group) => viewGroup(group, all, accounts.problems))
}

export async function getShareGroup(accounts: ShareAccounts, id: string): Promise<ShareGroup> {
  const all = await accounts.records()
  return viewGroup(findGroup(all, id), all, accounts.problems)
}

export async function createShareGroup(accounts: ShareAccounts, wanted: NewShareGroup): Promise<ShareGroup> {
  const { name, description } = wanted
  return accounts.alone(name, async (all) => {
    const taken = await accounts.refuseTaken(all, name)
    const members = membersNamed(all, wanted.members)
    const { primary, id } = await accounts.prepare(all, taken)
    const now = new Date().toISOString()
    const group: GroupRecord = { kind: 'group', id, name, description, members, created_at: now, updated_at: now }
    await accounts.change(
      [primary, group].map((one) => ({ kind: 'group', id: one.id, name: one.name })),
      async () => {
        await bringInOrFail(accounts.backend, { groups: [primary, group], users: [], everybody: usersOf(all) })
        checkpoint('share-account-made')
      },
      (records) => {
        if (!records.some((one) => one.kind === 'group' && one.id === primary.id)) records.push(primary)
        records.push(group)
      },
    )
    return getShareGroup(accounts, String(id))
  })
}

export async function updateShareGroup(
  accounts: ShareAccounts,
  id: string,
  { description, members }: ShareGroupChange,
): Promise<ShareGroup> {
  return accounts.alone(undefined, async (all) => {
    const before = ownGroup(all, id)
    const group: GroupRecord = {
      ...before,
      description: description ?? before.description,
      members: members === undefined ? before.members : membersNamed(all, members),
    }
    if (JSON.stringify(group) === JSON.stringify(before) && !accounts.problems.has(group.id))
      return viewGroup(before, all, accounts.problems)
    group.updated_at = new Date().toISOString()
    await accounts.change(
      [{ kind: 'group', id: group.id, name: group.name }],
      async () => {
        await bringInOrFail(accounts.backend, { groups: [group], users: [], everybody: usersOf(all) })
        checkpoint('share-account-made')
      },
      (records) => {
        records[records.findIndex((one) => one.kind === 'group' && one.id === group.id)] = group
      },
    )
    return getShareGroup(accounts, id)
  })
}

/** Removes a group. Its number stays taken, and its files keep it. */
export async function removeShareGroup(accounts: ShareAccounts, id: string): Promise<void> {
  return accounts.alone(undefined, async (all) => {
    const group = ownGroup(all, id)
    await accounts.refuseNamed(group)
    const { id: gid, name, created_at } = group
    await accounts.change(
      [{ kind: 'group', id: gid, name }],
      async () => {
        await takeGroupOut(accounts.backend, { id: gid, name })
        checkpoint('share-account-made')
      },
      (records) => {
        const gone = { kind: 'gone-group' as const, id: gid, name, created_at, updated_at: new Date().toISOString() }
        records[records.findIndex((one) => one.kind === 'group' && one.id === gid)] = gone
      },
    )
  })
}

export function ownGroup(all: readonly AccountRecord[], id: string): GroupRecord {
  const group = findGroup(all, id)
  if (group.primary)
    throw failedPrecondition('Every share user is in this group: it cannot be changed', { details: { object: id } })
  return group
}

function membersNamed(all: readonly AccountRecord[], names: readonly string[]): number[] {
  const found = names.map((name) => usersOf(all).find((user) => user.name === name.toLowerCase()))
  const errors = found.flatMap((user, i) =>
    user ? [] : [{ field: `members.${i}`, message: 'Expected the name of a share user' }],
  )
  if (errors.length > 0) throw invalidFields(errors)
  return [...new Set(found.flatMap((user) => (user ? [user.id] : [])))]
}
