// Brings share users and groups into the system and into Samba, as their records say, and takes them out. It never
// changes an account of another name or number: where one is in the way, it says so.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { formatSambaUser, type SambaAccounts, type SambaUser } from '../../drivers/samba-accounts.ts'
import { NO_LOGIN, type SystemAccounts, type SystemGroup, type SystemUser } from '../../drivers/system-accounts.ts'
import { ApiError } from '../../errors.ts'
import { writeAtomic } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import type { GroupRecord, UserRecord } from './record.ts'

export interface Backend {
  system: SystemAccounts
  samba: SambaAccounts
  /** Holds the file of hashes that `pdbedit` imports, for as long as that takes. */
  folder: string
}

/** A user that has no password yet is disabled. */
export type WantedUser = Omit<UserRecord, 'hash'> & { hash?: string }

export interface Wanted {
  groups: readonly GroupRecord[]
  users: readonly WantedUser[]
  /** Every share user, to name the members of the groups. */
  everybody: readonly Pick<UserRecord, 'id' | 'name'>[]
}

export interface Outcome {
  /** What was put right: the number of the account, and how it differed. */
  corrected: { id: number; what: string }[]
  /** What could not be put right, by the number of the account. */
  problems: Map<number, unknown>
  /** Those who must not log in, because that would open another account of the system. Their sessions must end, too. */
  shutOut: number[]
}

const importFile = ({ folder }: Backend) => join(folder, 'import.smbpasswd')
/** What a killed server left; every hash in it is also in the records. */
export const removeImportFile = (backend: Backend): void => rmSync(importFile(backend), { force: true })

const inTheWay = (what: string, name: string) =>
  new ApiError('exists', `The system has ${what} that was not made here; it is left alone`, {
    details: { object: name },
  })

/** Brings these accounts in. One that fails does not hold up the others. */
export async function bringIn(backend: Backend, { groups, users, everybody }: Wanted): Promise<Outcome> {
  const { system } = backend
  const outcome: Outcome = { corrected: [], problems: new Map(), shutOut: [] }
  const each = async (id: number, work: () => Promise<string | undefined>) => {
    try {
      const what = await work()
      if (what !== undefined) outcome.corrected.push({ id, what })
    } catch (error) {
      outcome.problems.set(id, error)
    }
  }
  const knownGroups = groups.length > 0 ? await system.groups(...keysOf(groups)) : []
  for (const group of groups) await each(group.id, () => bringGroup(system, group, knownGroups))
  const knownUsers = users.length > 0 ? await system.users(...keysOf(users)) : []
  for (const user of users) await each(user.id, () => bringUser(system, user, knownUsers))
  const present = groups.some(({ members }) => members.length > 0) ? await ownAmong(system, everybody) : []
  for (const group of groups)
    if (!group.primary && !outcome.problems.has(group.id))
      await each(group.id, () => bringMembers(system, group, { everybody, present, knownGroups }))
  await bringIntoSamba(backend, users, outcome)
  return outcome
}

/** Those whose account in the system is theirs. A group must not take in another account that has the name of a member. */
async function ownAmong(system: SystemAccounts, all: Wanted['everybody']): Promise<Wanted['everybody']> {
  const known = await system.users(...keysOf(all))
  return all.filter(({ id, name }) => known.some((one) => one.name === name && one.uid === id))
}

/** Throws the first problem. */
export async function bringInOrFail(backend: Backend, wanted: Wanted): Promise<void> {
  const { problems } = await bringIn(backend, wanted)
  for (const problem of problems.values()) throw problem
}

/** The names, and the numbers: both must be free or ours. */
const keysOf = (all: readonly { id: number; name: string }[]) => all.flatMap(({ id, name }) => [name, String(id)])

async function bringGroup(
  system: SystemAccounts,
  { id, name }: GroupRecord,
  known: SystemGroup[],
): Promise<string | undefined> {
  const there = known.find((one) => one.name === name)
  if (there?.gid === id) return undefined
  if (there) throw inTheWay('a group of this name', name)
  if (known.some(({ gid }) => gid === id)) throw inTheWay(`a group with the number ${id}`, name)
  await system.addGroup(name, id)
  return 'the group was missing'
}

async function bringUser(system: SystemAccounts, user: WantedUser, known: SystemUser[]): Promise<string | undefined> {
  const { id: uid, name, gid, full_name } = user
  const there = known.find((one) => one.name === name)
  if (!there) {
    if (known.some((one) => one.uid === uid)) throw inTheWay(`an account with the number ${uid}`, name)
    await system.addUser({ name, uid, gid, full_name })
    return 'the account was missing'
  }
  if (there.uid !== uid) throw inTheWay('an account of this name', name)
  const { home, shell } = NO_LOGIN
  if (there.gid === gid && there.full_name === full_name && there.home === home && there.shell === shell)
    return undefined
  await system.correctUser({ name, gid, full_name })
  return 'the account differed'
}

/** Members that were added by hand and are no share users stay. A member without an account has a problem of its own. */
async function bringMembers(
  system: SystemAccounts,
  { id, name, members }: GroupRecord,
  {
    everybody,
    present,
    knownGroups,
  }: Pick<Wanted, 'everybody'> & {
    present: Wanted['everybody']
    knownGroups: SystemGroup[]
  },
): Promise<string | undefined> {
  const there = knownGroups.find((one) => one.gid === id)?.members ?? []
  const ours = new Set(everybody.map((user) => user.name))
  const wanted = present.filter((user) => members.includes(user.id)).map((user) => user.name)
  const all = [...wanted, ...there.filter((member) => !ours.has(member))]
  if ([...all].sort().join() === [...there].sort().join()) return undefined
  await system.setMembers(name, all)
  return 'the members differed'
}

async function bringIntoSamba(backend: Backend, users: readonly WantedUser[], outcome: Outcome): Promise<void> {
  const { samba } = backend
  const present = users.filter(({ id }) => !outcome.problems.has(id))
  for (const user of users)
    if (outcome.problems.has(user.id))
      await shutOut(backend, user, outcome).catch((error) => outcome.problems.set(user.id, error))
  if (present.length === 0) return
  const before = await samba.list()
  const wrong = present.map(sambaUserOf).filter((user) => !isSame(before, user))
  if (wrong.length === 0) return
  ensureFolder(backend.folder)
  try {
    writeAtomic(importFile(backend), wrong.map(formatSambaUser).join(''), 0o600)
    await samba.importFile(importFile(backend))
  } finally {
    removeImportFile(backend)
  }
  const after = await samba.list()
  for (const user of wrong)
    if (isSame(after, user))
      outcome.corrected.push({
        id: user.uid,
        what: `Samba’s account ${find(before, user) ? 'differed' : 'was missing'}`,
      })
    else outcome.problems.set(user.uid, notTaken(user.name))
}

const notTaken = (name: string) =>
  new ApiError('command-failed', 'Samba did not take the account', { details: { object: name } })

const sambaUserOf = ({ id, name, hash, enabled, changed }: WantedUser): SambaUser => ({
  ...{ name, uid: id, hash, disabled: !enabled || hash === undefined, changed },
})
const find = (all: readonly SambaUser[], { name }: Pick<SambaUser, 'name'>) => all.find((one) => one.name === name)
function isSame(all: readonly SambaUser[], user: SambaUser): boolean {
  const there = find(all, user)
  return there?.uid === user.uid && there.hash === user.hash && there.disabled === user.disabled
}

/**
 * Whether Samba's account of this name is the user's. Beside another account of the system it is only with the password
 * that was set here: then it must not open that other account.
 */
export async function isOwnInSamba(
  backend: Backend,
  user: Pick<UserRecord, 'id' | 'name'> & { hash?: string | undefined },
): Promise<boolean> {
  const account = find(await backend.samba.list(), user)
  if (!account) return false
  return !(await isTakenOver(backend, user)) || (user.hash !== undefined && account.hash === user.hash)
}

/** Whether another account of the system has the name: Samba gives a log-in with it the rights of that one. */
async function isTakenOver({ system }: Backend, { id, name }: Pick<UserRecord, 'id' | 'name'>): Promise<boolean> {
  const there = (await system.users(name)).find((one) => one.name === name)
  return there !== undefined && there.uid !== id
}

/** Disables a user in Samba who cannot be put right: one that is disabled, and one whose log-in would open another account. */
async function shutOut(backend: Backend, user: WantedUser, outcome: Outcome): Promise<void> {
  const isOther = await isTakenOver(backend, user)
  if ((isOther || !user.enabled) && (await canLogIn(backend, user))) {
    await backend.samba.disable(user.name)
    checkpoint('share-account-shut-out')
    if (await canLogIn(backend, user)) throw notTaken(user.name)
  }
  // An account that is already disabled is included: its sessions may still be open, as after a crash.
  if (isOther && (await isOwnInSamba(backend, user))) outcome.shutOut.push(user.id)
}

export const canLogIn = async (backend: Backend, user: WantedUser): Promise<boolean> =>
  (await isOwnInSamba(backend, user)) && find(await backend.samba.list(), user)?.disabled === false

/** Takes a user out of Samba, so that nobody logs in with it any more. */
export async function takeUserOutOfSamba(backend: Backend, user: Parameters<typeof isOwnInSamba>[1]): Promise<void> {
  const { samba } = backend
  if (!(await isOwnInSamba(backend, user))) return
  await samba.remove(user.name)
  if (find(await samba.list(), user)) throw leftBehind('Samba', user.name)
}

/** Takes a user out of the system, unless the account there is another one. */
export async function takeUserOutOfSystem(
  { system }: Backend,
  { id, name }: Pick<UserRecord, 'id' | 'name'>,
): Promise<void> {
  const there = (await system.users(name)).find((one) => one.name === name)
  if (there?.uid !== id) return
  await system.removeUser(name)
  if ((await system.users(name)).some((one) => one.name === name)) throw leftBehind('The system', name)
}

export async function takeGroupOut({ system }: Backend, { id, name }: Pick<GroupRecord, 'id' | 'name'>): Promise<void> {
  const there = (await system.groups(name)).find((one) => one.name === name)
  if (there?.gid !== id) return
  await system.removeGroup(name)
  if ((await system.groups(name)).some((one) => one.name === name)) throw leftBehind('The system', name)
}

const leftBehind = (who: string, name: string) =>
  new ApiError('command-failed', `${who} still has the account`, { details: { object: name } })
