// From what a request asks for to the state that it means: names become numbers, what is left out stays.
import { type AccessList, fromLetters, maskOf, type NamedEntry } from '../../drivers/acl.ts'
import { failedPrecondition, invalid } from '../../errors.ts'
import type { AccountNames, AccountType } from './accounts.ts'
import type { Plan } from './plan.ts'
import type { DefaultAcl, Entry, PermissionsChange } from './rules.ts'
import { rightsOf, type State } from './state.ts'

/** What lists can be, once `turnsOn` is done. */
export interface Wanted {
  state: State
  /** The dataset's properties have to be set first: acltype=posixacl and xattr=sa. */
  turnsOn: boolean
  /** What the request names, for everything below. */
  below: Plan
}

export async function wantedOf(
  change: PermissionsChange,
  now: State,
  accounts: AccountNames,
  installed: boolean,
): Promise<Wanted> {
  const { owner, group, mode, acl, default_acl: inherited, allow_root: allowRoot = false, recursive = false } = change
  const turnsOn = turnsListsOn(change.acltype, now)
  const without = turnsOn ? (installed ? undefined : MISSING) : now.without
  if (without !== undefined && ((acl?.entries.length ?? 0) > 0 || acl?.mask !== undefined || inherited))
    throw refusal(now, without, acl?.entries.length ? 'acl' : 'default_acl')
  const uid = owner === undefined ? now.uid : await accounts.idOf('user', owner, 'owner', new Set([now.uid]))
  const gid = group === undefined ? now.gid : await accounts.idOf('group', group, 'group', new Set([now.gid]))
  const becomesRoot = (id: number, before: number) => id === 0 && (before !== 0 || recursive) && !allowRoot
  if (owner !== undefined && becomesRoot(uid, now.uid)) throw notRoot('owner')
  if (group !== undefined && becomesRoot(gid, now.gid)) throw notRoot('group')

  const { access } = now.lists
  const bits = mode === undefined ? undefined : Number.parseInt(mode, 8)
  const base = bits === undefined ? access : { user: (bits >> 6) & 7, group: (bits >> 3) & 7, other: bits & 7 }
  const named = acl ? await namedOf(acl.entries, 'acl', known(now), accounts) : access.named
  // What is newly allowed must not be kept out by a mask that was made for something else.
  const mask =
    acl?.mask !== undefined ? fromLetters(acl.mask) : acl ? undefined : bits === undefined ? access.mask : undefined
  const wanted = withMask({ user: base.user, group: base.group, other: base.other, mask, named })
  const fallback =
    inherited === undefined ? now.lists.default : inherited && (await defaultOf(inherited, known(now), accounts))
  const state: State = {
    ...now,
    uid,
    gid,
    special: bits === undefined ? now.special : bits >> 9,
    lists: { access: wanted, default: fallback ?? undefined },
    ...(turnsOn && { acltype: 'posix' }),
    without,
  }
  const setsRights = mode !== undefined || acl !== undefined || inherited !== undefined
  return {
    state,
    turnsOn,
    below: {
      ...(owner !== undefined && { uid }),
      ...(group !== undefined && { gid }),
      ...(setsRights && { rights: rightsOf(state) }),
    },
  }
}

const MISSING = 'getfacl and setfacl are not installed (package acl)'

function turnsListsOn(acltype: string | undefined, now: State): boolean {
  if (acltype === undefined || acltype === now.acltype) return false
  if (acltype === 'nfsv4')
    throw invalid('OpenZFS on Linux has no NFSv4 access control lists: expected posixacl', {
      details: { field: 'acltype' },
    })
  if (acltype !== 'posixacl' && acltype !== 'posix')
    throw invalid('Expected posixacl; lists are turned off with the dataset’s property acltype', {
      details: { field: 'acltype' },
    })
  return now.acltype !== 'posix'
}

const refusal = (now: State, why: string, field: string) =>
  failedPrecondition(
    now.acltype === 'posix'
      ? `There can be no entries: ${why}`
      : `${why}. Send acltype "posixacl" as well to turn them on, with xattr=sa`,
    { details: { object: now.dataset, field } },
  )

const notRoot = (field: string) =>
  invalid(`This would be root’s: send allow_root true if that is meant`, { details: { field } })

/** The accounts that are in the lists already: they may have been deleted, and are kept all the same. */
function known({ uid, gid, lists }: State): Record<AccountType, Set<number>> {
  const all = [...lists.access.named, ...(lists.default?.named ?? [])]
  const of = (type: AccountType) => all.filter((one) => one.type === type).map(({ id }) => id)
  return { user: new Set([uid, ...of('user')]), group: new Set([gid, ...of('group')]) }
}

async function namedOf(
  entries: readonly Entry[],
  field: string,
  existing: Record<AccountType, Set<number>>,
  accounts: AccountNames,
): Promise<NamedEntry[]> {
  const found: NamedEntry[] = []
  for (const [i, { type, name, id, permissions }] of entries.entries()) {
    const at = `${field}.entries.${i}`
    const number =
      id !== undefined
        ? await accounts.idOf(type, String(id), `${at}.id`, existing[type])
        : await accounts.idOf(type, name ?? '', `${at}.name`, existing[type])
    if (id !== undefined && name !== undefined && !existing[type].has(id)) {
      if ((await accounts.idOf(type, name, `${at}.name`)) !== number)
        throw invalid('The name and the id are of two accounts', { details: { field: `${at}.name` } })
    }
    if (found.some((one) => one.type === type && one.id === number))
      throw invalid(`This ${type} is named twice`, { details: { field: at } })
    found.push({ type, id: number, rights: fromLetters(permissions) })
  }
  // As the kernel keeps them.
  return found.sort((a, b) => (a.type === b.type ? a.id - b.id : a.type === 'user' ? -1 : 1))
}

async function defaultOf(
  { owner, group, other, entries, mask }: DefaultAcl,
  existing: Record<AccountType, Set<number>>,
  accounts: AccountNames,
): Promise<AccessList> {
  return withMask({
    user: fromLetters(owner),
    group: fromLetters(group),
    other: fromLetters(other),
    mask: mask === undefined ? undefined : fromLetters(mask),
    named: await namedOf(entries, 'default_acl', existing, accounts),
  })
}

const withMask = (list: AccessList): AccessList => ({ ...list, mask: maskOf(list) })
