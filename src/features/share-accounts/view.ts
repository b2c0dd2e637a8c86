// Share users and groups as callers see them: with names where the records have numbers, and without hashes.
import { type AccountRecord, type GroupRecord, groupsOf, type UserRecord, usersOf } from './record.ts'
import type { EndedSession } from './sessions.ts'

export interface ShareUser {
  id: string
  uid: number
  name: string
  full_name: string
  enabled: boolean
  groups: string[]
  created_at: string
  updated_at: string
  /** Why the account is not in the system or in Samba as it should be. */
  problem?: string
  /** Of a change: the open sessions that it ended. */
  ended_sessions?: EndedSession[]
}

export interface ShareGroup {
  id: string
  gid: number
  name: string
  description: string
  members: string[]
  builtin: boolean
  created_at: string
  updated_at: string
  problem?: string
}

export type Problems = ReadonlyMap<number, string>

const noted = (problems: Problems, id: number) => {
  const problem = problems.get(id)
  return problem === undefined ? {} : { problem }
}

export const viewUser = (
  { id, name, full_name, enabled, created_at, updated_at }: UserRecord,
  all: readonly AccountRecord[],
  problems: Problems,
): ShareUser => ({
  id: String(id),
  uid: id,
  ...{ name, full_name, enabled },
  groups: groupsOf(all)
    .filter((group) => !group.primary && group.members.includes(id))
    .map((group) => group.name),
  ...{ created_at, updated_at },
  ...noted(problems, id),
})

export const viewGroup = (
  { id, name, description, members, primary, created_at, updated_at }: GroupRecord,
  all: readonly AccountRecord[],
  problems: Problems,
): ShareGroup => ({
  id: String(id),
  gid: id,
  ...{ name, description },
  members: usersOf(all)
    .filter((user) => (primary ? user.gid === id : members.includes(user.id)))
    .map((user) => user.name),
  builtin: primary === true,
  ...{ created_at, updated_at },
  ...noted(problems, id),
})
