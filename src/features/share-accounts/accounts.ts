// Share users and groups: the records, the system and Samba, changed together, completely or not at all. The records
// are the truth: what the system or Samba lost, as after an update of a read-only root, is brought back at the start.
import { join } from 'node:path'
import type { Tool } from '../../drivers/programs.ts'
import { createSambaAccounts } from '../../drivers/samba-accounts.ts'
import { createSystemAccounts } from '../../drivers/system-accounts.ts'
import { ApiError, exists, knownError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { assertNoDependents } from '../destruction/agreement.ts'
import { AllOrNothing } from '../shares/config-transaction.ts'
import { toolFailure, withToolErrors } from '../tool-failure.ts'
import {
  type AccountRecord,
  type AccountStore,
  type GivenNumbers,
  type GroupRecord,
  groupsOf,
  type IdRange,
  keepNumbers,
  nextIds,
  openAccountStore,
  openGivenNumbers,
  type UserRecord,
  usersOf,
} from './record.ts'
import { endSessions, ownerOf } from './sessions.ts'
import {
  type Backend,
  bringIn,
  removeImportFile,
  takeGroupOut,
  takeUserOutOfSamba,
  takeUserOutOfSystem,
} from './system.ts'

export interface ShareAccountsOptions {
  tool: Tool
  folders: Folders
  ids: IdRange
  /** The server is root, and may change accounts of the system. */
  privileged: boolean
  /** The SMB shares that name a user or group: `shares/smb/…`, and why. */
  sharesNaming: (name: string, kind: 'user' | 'group') => Promise<{ object: string; reason: string }[]>
  /** Makes the home folders that users have not; called for a new user. Never throws. */
  makeFolders: () => Promise<void>
  /** Called for each account that was put right at the start, and each that could not be. */
  event: (target: string, what: string, failure?: unknown) => void
}

interface Touched {
  kind: 'user' | 'group'
  id: number
  name: string
}

/** The numbers that the system has given out. */
interface Taken {
  taken: ReadonlySet<number>
  primaryId: number | undefined
}

/** All records as they were, and the accounts that a change is about. */
interface Before {
  accounts: AccountRecord[]
  touched: Touched[]
  /** The accounts that had a problem before. */
  problems: number[]
}

/** The group that every share user has as its primary group. */
export const PRIMARY_GROUP = 'edge-shares'

const isAmong = (accounts: readonly AccountRecord[], one: Touched) =>
  accounts.some(({ kind, id }) => kind === one.kind && id === one.id)

export const targetOf = ({ kind, id }: Pick<AccountRecord, 'kind' | 'id'>) =>
  `share-${kind.endsWith('user') ? 'users' : 'groups'}/${id}`

export class ShareAccounts {
  readonly options: ShareAccountsOptions
  readonly backend: Backend
  /** Why an account is not in the system or Samba, by its number. */
  readonly problems = new Map<number, string>()
  private readonly store: AccountStore
  private readonly given: GivenNumbers
  private readonly changes: AllOrNothing<Before>

  constructor(options: ShareAccountsOptions) {
    const { tool, folders } = options
    this.options = options
    this.store = openAccountStore(folders)
    this.given = openGivenNumbers(folders)
    const folder = join(folders.state, 'share-accounts')
    this.backend = { system: createSystemAccounts(tool), samba: createSambaAccounts(tool), folder }
    this.changes = new AllOrNothing<Before>({
      name: 'share-account',
      file: join(folder, 'before.json'),
      putBack: (before) => this.putBack(before),
    })
  }

  /** For readers: after a kill, what was begun is undone first. */
  async records(): Promise<readonly AccountRecord[]> {
    await this.changes.settled()
    return this.store.all()
  }

  /** Runs a change when it is its turn. Errors of the programs are about `object`. */
  alone<T>(object: string | undefined, work: (all: readonly AccountRecord[]) => Promise<T>): Promise<T> {
    if (!this.options.privileged)
      throw new ApiError(
        'not-implemented',
        'Share users and groups need a server that runs as root: "privilege" is sudo in the configuration',
      )
    return withToolErrors(object, () => this.changes.alone(() => work(this.store.all())))
  }

  /** Within `alone`: `steps` change the system and Samba, and then the records are as `edit` leaves them; or nothing is. */
  async change(
    touched: Touched[],
    steps: () => Promise<void>,
    edit: (accounts: AccountRecord[]) => void,
  ): Promise<void> {
    const accounts = structuredClone([...this.store.all()])
    const before: Before = { accounts, touched, problems: [...this.problems.keys()] }
    await this.changes.change(before, async () => {
      await steps()
      checkpoint('share-account-brought')
      // The others are in the records. So a damaged file of numbers holds up no change of what is there.
      keepNumbers(
        this.given,
        touched.filter((one) => !isAmong(accounts, one)),
      )
      checkpoint('share-account-numbered')
      this.store.changeNow(edit)
    })
    for (const { id } of touched) this.problems.delete(id)
  }

  private async putBack({ accounts, touched, problems: known }: Before): Promise<void> {
    this.store.changeNow((now) => void now.splice(0, now.length, ...accounts))
    removeImportFile(this.backend)
    const there = (one: Touched) => isAmong(accounts, one)
    for (const one of touched.filter(({ kind }) => kind === 'user'))
      if (!there(one)) {
        await takeUserOutOfSamba(this.backend, one)
        await takeUserOutOfSystem(this.backend, one)
      }
    for (const one of touched.filter(({ kind }) => kind === 'group'))
      if (!there(one)) await takeGroupOut(this.backend, one)
    const ids = new Set(touched.filter(there).map(({ id }) => id))
    const { problems, shutOut } = await bringIn(this.backend, {
      groups: groupsOf(accounts).filter(({ id }) => ids.has(id)),
      users: usersOf(accounts).filter(({ id }) => ids.has(id)),
      everybody: usersOf(accounts),
    })
    await this.endTakenOver(usersOf(accounts).filter(({ id }) => shutOut.includes(id)))
    for (const [id, problem] of problems) {
      // Trying again would fail again, and until it succeeds no share account at all can be read or changed.
      const lasts = known.includes(id) || (problem instanceof ApiError && problem.kind === 'exists')
      if (!lasts) throw problem
      this.noteProblem(id, problem)
    }
  }

  noteProblem(id: number, problem: unknown): void {
    const { words } = knownError(toolFailure(problem))
    this.problems.set(id, words || 'It could not be brought into the system')
  }

  /** The primary group, which the first share account brings with it, and a number for a new account. */
  async prepare(
    all: readonly AccountRecord[],
    { taken, primaryId }: Taken,
  ): Promise<{ primary: GroupRecord; id: number }> {
    const next = (others: readonly AccountRecord[]) => this.freeId(others, taken)
    const there = groupsOf(all).find(({ primary }) => primary)
    if (there) return { primary: there, id: await next(all) }
    const now = new Date().toISOString()
    const primary: GroupRecord = {
      kind: 'group',
      // One that is there was made here: its records are lost.
      id: primaryId ?? (await next(all)),
      name: PRIMARY_GROUP,
      description: 'Every share user',
      members: [],
      primary: true,
      ...{ created_at: now, updated_at: now },
    }
    return { primary, id: await next([...all, primary]) }
  }

  /** The next number that is free also where it is asked for by itself: a directory server finds what it does not list. */
  private async freeId(all: readonly AccountRecord[], taken: ReadonlySet<number>): Promise<number> {
    const { system } = this.backend
    const used = new Set(taken)
    for (;;) {
      const ids = nextIds([...all.map(({ id }) => id), ...this.given.all()], used, this.options.ids)
      const keys = ids.map(String)
      for (const { uid } of await system.users(...keys)) used.add(uid)
      for (const { gid } of await system.groups(...keys)) used.add(gid)
      const free = ids.find((id) => !used.has(id))
      if (free !== undefined) return free
    }
  }

  /**
   * Throws if the name is taken: by a share account, or by an account that was not made here. Gives back the numbers
   * that the system has given out.
   */
  async refuseTaken(all: readonly AccountRecord[], name: string): Promise<Taken> {
    const taken = (what: string) => exists(what, { details: { field: 'name' } })
    const ours = [...usersOf(all), ...groupsOf(all)]
    if (name === PRIMARY_GROUP || ours.some((one) => one.name === name))
      throw taken('A share user or group with this name already exists')
    const { system, samba } = this.backend
    // The list, to compare without case; and the name, for a directory server that lists nothing.
    const users = [...(await system.users()), ...(await system.users(name))]
    const groups = [...(await system.groups()), ...(await system.groups(name))]
    const isIt = (one: { name: string }) => one.name.toLowerCase() === name
    if (users.some(isIt) || groups.some(isIt))
      throw taken('The system has an account or group with this name that was not made here')
    if ((await samba.list()).some(isIt)) throw taken('Samba has an account with this name that was not made here')
    const { first, last } = this.options.ids
    return {
      taken: new Set([...users.map(({ uid }) => uid), ...groups.map(({ gid }) => gid)]),
      primaryId: groups.find((one) => one.name === PRIMARY_GROUP && one.gid >= first && one.gid <= last)?.gid,
    }
  }

  /** Throws where a share names the account: asked in its turn, since one may have been made after the plan was. */
  async refuseNamed(record: UserRecord | GroupRecord): Promise<void> {
    assertNoDependents({
      object: targetOf(record),
      depends: await this.options.sharesNaming(record.name, record.kind),
    })
  }

  /** Brings every account into the system and Samba. A failure of one does not hold up the others. */
  async restore(): Promise<void> {
    if (!this.options.privileged || (await this.records()).length === 0) return
    const { event } = this.options
    await this.alone(undefined, async () => {
      removeImportFile(this.backend)
      const all = await this.adoptPasswords()
      const [groups, users] = [groupsOf(all), usersOf(all)]
      const { corrected, problems, shutOut } = await bringIn(this.backend, { groups, users, everybody: users })
      const byId = new Map([...groups, ...users].map((record) => [record.id, targetOf(record)]))
      this.problems.clear()
      for (const { id, what } of corrected) event(byId.get(id) ?? '', what)
      for (const [id, problem] of problems) {
        this.noteProblem(id, problem)
        event(byId.get(id) ?? '', 'it could not be put right', problem)
      }
      await this.endTakenOver(users.filter(({ id }) => shutOut.includes(id)))
      this.keepAllNumbers(all)
    })
  }

  /** What was opened with the log-in has the rights of the account that has the name now. */
  private async endTakenOver(users: readonly UserRecord[]): Promise<void> {
    const { event, tool } = this.options
    for (const user of users) {
      event(targetOf(user), 'it is disabled in Samba: another account of the system has its name')
      try {
        await endSessions(tool, await ownerOf(this.backend, user))
      } catch (error) {
        event(targetOf(user), 'its sessions could not be ended', error)
      }
    }
  }

  /** Of accounts that an earlier version made. */
  private keepAllNumbers(all: readonly AccountRecord[]): void {
    try {
      keepNumbers(this.given, all)
    } catch (error) {
      this.options.event('share-accounts', 'the numbers that were given out could not be kept', error)
    }
  }

  /** Within `alone`: a password that was set in Samba since, as by a user from Windows, is kept. */
  async adoptPasswords(): Promise<readonly AccountRecord[]> {
    const there = await this.backend.samba.list()
    const newer = usersOf(this.store.all()).flatMap((record) => {
      const { hash, changed } = there.find(({ name, uid }) => name === record.name && uid === record.id) ?? record
      return hash !== undefined && hash !== record.hash && changed > record.changed
        ? [{ ...record, hash, changed }]
        : []
    })
    if (newer.length > 0)
      this.store.changeNow((all) => {
        for (const user of newer) all[all.findIndex((one) => one.kind === 'user' && one.id === user.id)] = user
      })
    for (const user of newer) this.options.event(targetOf(user), 'its password was changed in Samba, and is kept')
    return this.store.all()
  }
}
