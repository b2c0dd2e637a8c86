// What the removal of a share user or group would end, and what stands in its way: shares that name it in `valid users`.
// They are not changed along with it: without its last name, a share would be open to everybody.
import type { Tool } from '../../drivers/programs.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { makePlan, type Plan } from '../destruction/plan.ts'
import { withToolErrors } from '../tool-failure.ts'
import type { ShareAccounts } from './accounts.ts'
import { ownGroup } from './groups.ts'
import { ownerOf, sessionsOf } from './sessions.ts'
import { findUser } from './users.ts'

export interface AccountPlan extends Plan {
  /** The open sessions that would be ended. */
  sessions: { id: string; client: string }[]
  /** The shared datasets in which it has files: these stay, and keep the number. */
  files: { dataset: string; used: number }[]
}

interface PlanDeps {
  accounts: ShareAccounts
  tool: Tool
  zfs: Zfs
  /** The datasets that are shared or exported. */
  sharedDatasets: () => Promise<string[]>
}

/** More are not looked into: each is a call of `zfs`. */
const MOST_DATASETS = 50

export async function planUserRemoval(deps: PlanDeps, id: string): Promise<AccountPlan> {
  const { accounts, tool } = deps
  const user = findUser(await accounts.records(), id)
  const depends = await accounts.options.sharesNaming(user.name, 'user')
  const sessions = await withToolErrors(user.name, async () => sessionsOf(tool, await ownerOf(accounts.backend, user)))
  const object = `share-users/${user.id}`
  return {
    ...makePlan(object, [object], depends, [user.name, user.created_at]),
    sessions: sessions.map((session) => ({ id: session.id, client: session.client })),
    files: await filesOf(deps, 'user', user.id),
  }
}

export async function planGroupRemoval(deps: PlanDeps, id: string): Promise<AccountPlan> {
  const { accounts } = deps
  const group = ownGroup(await accounts.records(), id)
  const depends = await accounts.options.sharesNaming(group.name, 'group')
  const object = `share-groups/${group.id}`
  return {
    ...makePlan(object, [object], depends, [group.name, group.created_at]),
    sessions: [],
    files: await filesOf(deps, 'group', group.id),
  }
}

async function filesOf(
  { zfs, sharedDatasets }: PlanDeps,
  kind: 'user' | 'group',
  id: number,
): Promise<AccountPlan['files']> {
  const found: AccountPlan['files'] = []
  for (const dataset of (await sharedDatasets()).slice(0, MOST_DATASETS)) {
    // What cannot be looked into does not prevent a removal.
    const used = (await zfs.space(dataset, kind).catch(() => undefined))?.get(id)?.used ?? 0
    if (used > 0) found.push({ dataset, used })
  }
  return found
}
