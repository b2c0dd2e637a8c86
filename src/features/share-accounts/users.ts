// Creates, changes and removes share users. The hash of a password is what Samba made of it, read back from there.
import { ApiError, invalid, notFound, raise } from '../../errors.ts'
import { invalidFields } from '../../field-errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { ShareAccounts } from './accounts.ts'
import { type AccountRecord, type GroupRecord, groupsOf, type UserRecord, usersOf } from './record.ts'
import { type EndedSession, endSessions, ownerOf, sessionsOf } from './sessions.ts'
import { bringIn, bringInOrFail, canLogIn, takeUserOutOfSamba, takeUserOutOfSystem } from './system.ts'
import { type ShareUser, viewUser } from './view.ts'

export interface NewShareUser {
  name: string
  password: string
  full_name: string
  enabled: boolean
  groups: string[]
}

export interface ShareUserChange {
  password?: string | undefined
  full_name?: string | undefined
  enabled?: boolean | undefined
  groups?: string[] | undefined
}

const unknownUser = (id: string) => notFound('share user not found', { details: { object: id } })

export const findUser = (all: readonly AccountRecord[], id: string): UserRecord =>
  usersOf(all).find((user) => String(user.id) === id) ?? raise(unknownUser(id))

export async function listShareUsers(accounts: ShareAccounts): Promise<ShareUser[]> {
  const all = await accounts.records()
  return usersOf(all).map((user) => viewUser(user, all, accounts.problems))
}

export async function getShareUser(accounts: ShareAccounts, id: string): Promise<ShareUser> {
  const all = await accounts.records()
  return viewUser(findUser(all, id), all, accounts.problems)
}

export async function createShareUser(accounts: ShareAccounts, wanted: NewShareUser): Promise<ShareUser> {
  const { name, password, full_name, enabled } = wanted
  const { backend } = accounts
  const made = await accounts.alone(name, async (all) => {
    const taken = await accounts.refuseTaken(all, name)
    await checkLength(accounts, password)
    const inGroups = groupsNamed(all, wanted.groups)
    const { primary, id } = await accounts.prepare(all, taken)
    const now = new Date().toISOString()
    const blank = { kind: 'user' as const, id, name, gid: primary.id, full_name, enabled, changed: 0 }
    const groups = withMember(inGroups, id, now)
    let user: UserRecord | undefined
    const touched = [{ kind: 'user' as const, id, name }, ...touchedGroups([primary, ...groups])]
    await accounts.change(
      touched,
      async () => {
        const stamps = { created_at: now, updated_at: now }
        const fresh = { ...blank, ...stamps }
        // Disabled until it has its password.
        await bringInOrFail(backend, {
          groups: [primary, ...groups],
          users: [{ ...fresh, enabled: false }],
          everybody: [...usersOf(all), fresh],
        })
        checkpoint('share-account-made')
        user = await withPassword(accounts, fresh, password)
      },
      (records) => {
        if (!records.some((one) => one.kind === 'group' && one.id === primary.id)) records.push(primary)
        replaceGroups(records, groups)
        if (user) records.push(user)
      },
    )
    return getShareUser(accounts, String(id))
  })
  await accounts.options.makeFolders()
  return made
}

export async function updateShareUser(
  accounts: ShareAccounts,
  id: string,
  change: ShareUserChange,
): Promise<ShareUser> {
  const { password, groups: wantedGroups } = change
  const { backend, options } = accounts
  return accounts.alone(undefined, async (stored) => {
    findUser(stored, id)
    const all = await accounts.adoptPasswords()
    const before = findUser(all, id)
    if (password !== undefined) await checkLength(accounts, password)
    const now = new Date().toISOString()
    const groups = wantedGroups === undefined ? [] : movedGroups(all, before.id, groupsNamed(all, wantedGroups), now)
    let user: UserRecord = {
      ...before,
      full_name: change.full_name ?? before.full_name,
      enabled: change.enabled ?? before.enabled,
    }
    const isSame = password === undefined && groups.length === 0 && JSON.stringify(user) === JSON.stringify(before)
    // Somebody may have enabled it in Samba: who asks that nobody logs in gets that.
    const isDone = isSame && change.enabled !== false && !accounts.problems.has(before.id)
    if (isDone) return viewUser(before, all, accounts.problems)
    if (!isSame) user.updated_at = now
    const owner = user.enabled ? undefined : await ownerOf(backend, before)
    const known = owner ? await sessionsOf(options.tool, owner) : []
    let ended: EndedSession[] = []
    let problem: unknown
    await accounts.change(
      [{ kind: 'user', id: user.id, name: user.name }, ...touchedGroups(groups)],
      async () => {
        const { problems } = await bringIn(backend, { groups, users: [user], everybody: usersOf(all) })
        problem = problems.get(user.id)
        for (const one of problems.values()) {
          // What counts of a disabled user is that it cannot log in. The rest is said in the answer.
          const isOff = one === problem && password === undefined && !user.enabled && !(await canLogIn(backend, user))
          if (!isOff) throw one
        }
        checkpoint('share-account-made')
        if (password !== undefined) {
          user = await withPassword(accounts, user, password)
        }
        if (owner) ended = await endSessions(options.tool, owner, known)
      },
      (records) => {
        records[records.findIndex((one) => one.kind === 'user' && one.id === user.id)] = user
        replaceGroups(records, groups)
      },
    )
    if (problem !== undefined) accounts.noteProblem(user.id, problem)
    return { ...(await getShareUser(accounts, id)), ...(ended.length > 0 && { ended_sessions: ended }) }
  })
}

/** Removes a user. Its number stays taken, and its files keep it. */
export async function removeShareUser(accounts: ShareAccounts, id: string): Promise<EndedSession[]> {
  const { backend, options } = accounts
  return accounts.alone(undefined, async (all) => {
    const user = findUser(all, id)
    await accounts.refuseNamed(user)
    const owner = await ownerOf(backend, user)
    const known = await sessionsOf(options.tool, owner)
    const now = new Date().toISOString()
    const groups = movedGroups(all, user.id, [], now)
    let ended: EndedSession[] = []
    await accounts.change(
      [{ kind: 'user', id: user.id, name: user.name }, ...touchedGroups(groups)],
      async () => {
        // In this order: nobody logs in any more, and `userdel` refuses while a process of the user runs.
        await takeUserOutOfSamba(backend, user)
        ended = await endSessions(options.tool, owner, known)
        await takeUserOutOfSystem(backend, user)
        checkpoint('share-account-made')
        const others = usersOf(all).filter((one) => one.id !== user.id)
        await bringInOrFail(backend, { groups, users: [], everybody: others })
      },
      (records) => {
        const { id: uid, name, created_at } = user
        const gone = { kind: 'gone-user' as const, id: uid, name, created_at, updated_at: now }
        records[records.findIndex((one) => one.kind === 'user' && one.id === uid)] = gone
        replaceGroups(records, groups)
      },
    )
    return ended
  })
}

/** Sets the password. The record then has what Samba made of it. */
async function withPassword(
  { backend }: ShareAccounts,
  user: Omit<UserRecord, 'hash'>,
  password: string,
): Promise<UserRecord> {
  const { name } = user
  await backend.samba.setPassword(name, password)
  checkpoint('share-account-password')
  const there = (await backend.samba.list()).find((one) => one.name === name)
  if (there?.hash === undefined)
    throw new ApiError('command-failed', 'Samba did not take the password', { details: { object: name } })
  const record = { ...user, hash: there.hash, changed: there.changed }
  // Samba enables an account with its first password.
  if (there.disabled === user.enabled) await bringInOrFail(backend, { groups: [], users: [record], everybody: [] })
  return record
}

async function checkLength({ backend: { samba } }: ShareAccounts, password: string): Promise<void> {
  const least = await samba.minimumLength()
  if ([...password].length < least)
    throw invalid(`Expected at least ${least} characters, as Samba’s account policy says`, {
      details: { field: 'password' },
    })
}

/** The groups of these names. Throws a 400 that names each that does not exist. */
function groupsNamed(all: readonly AccountRecord[], names: readonly string[]): GroupRecord[] {
  const found = names.map((name) => groupsOf(all).find((group) => !group.primary && group.name === name.toLowerCase()))
  const errors = found.flatMap((group, i) =>
    group ? [] : [{ field: `groups.${i}`, message: 'Expected the name of a share group' }],
  )
  if (errors.length > 0) throw invalidFields(errors)
  return found.filter((group) => group !== undefined)
}

const withMember = (groups: readonly GroupRecord[], id: number, updated_at: string): GroupRecord[] =>
  [...new Set(groups)].map((group) => ({ ...group, members: [...group.members, id], updated_at }))

/** The groups that change when a user is to be in exactly these, as they are to be. */
function movedGroups(
  all: readonly AccountRecord[],
  id: number,
  wanted: readonly GroupRecord[],
  now: string,
): GroupRecord[] {
  const isWanted = (group: GroupRecord) => wanted.some((one) => one.id === group.id)
  const changing = groupsOf(all).filter((group) => !group.primary && group.members.includes(id) !== isWanted(group))
  return [
    ...withMember(changing.filter(isWanted), id, now),
    ...changing
      .filter((group) => !isWanted(group))
      .map((group) => ({ ...group, members: group.members.filter((one) => one !== id), updated_at: now })),
  ]
}

const touchedGroups = (groups: readonly GroupRecord[]) => groups.map(({ kind, id, name }) => ({ kind, id, name }))

function replaceGroups(records: AccountRecord[], groups: readonly GroupRecord[]): void {
  for (const group of groups) records[records.findIndex((one) => one.kind === 'group' && one.id === group.id)] = group
}
