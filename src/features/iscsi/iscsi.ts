// iSCSI targets: list, create, change, remove; zvols as their LUNs. The trap: every decision is made within the turn of its change, from
// the state at that time; made before, two callers would both find a zvol free.
import type { Chap, Credentials, LiveTarget } from '../../drivers/lio.ts'
import { exists, failedPrecondition, inUse, invalid, notFound, raise } from '../../errors.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { Changes, type ChangesOptions } from './changes.ts'
import { targetId } from './names.ts'
import { type SessionView, viewSessions } from './sessions.ts'
import {
  deviceOf,
  freeLun,
  isManaged,
  type Known,
  loggedIn,
  lunOf,
  merge,
  type Wanted,
  type WantedLun,
  wantedOf,
} from './target.ts'
import { viewTargets } from './view.ts'

export interface IscsiOptions extends ChangesOptions {
  /** Where new targets listen. */
  portals: readonly string[]
}

export interface Change {
  initiators?: string[] | undefined
  enabled?: boolean | undefined
  /** null: without CHAP. */
  chap?: Chap | null | undefined
  /** What the target proves to the initiators; null: nothing. */
  mutual_chap?: Chap | null | undefined
}

const noTarget = (id: string) => notFound('iSCSI target not found', { details: { object: id } })

export class Iscsi {
  private readonly options: IscsiOptions
  private readonly changes: Changes

  constructor(options: IscsiOptions) {
    this.options = options
    this.changes = new Changes(options)
  }

  /** After a start, and once a pool was imported. */
  restore(): Promise<void> {
    return this.changes.restore()
  }

  close(): void {
    this.changes.close()
  }

  async list() {
    return viewTargets(await this.changes.known())
  }

  /** Who is logged in: to this target, or to any. */
  async sessions(id?: string): Promise<SessionView[]> {
    const known = await this.changes.known()
    if (id !== undefined && !viewTargets(known).some((target) => target.id === id)) throw noTarget(id)
    return known.state.targets
      .filter(({ iqn }) => id === undefined || targetId(iqn) === id)
      .flatMap((target) => viewSessions(target, known.state))
  }

  async find(id: string) {
    return (await this.list()).find((target) => target.id === id)
  }

  async get(id: string) {
    return (await this.find(id)) ?? raise(noTarget(id))
  }

  async create(iqn: string, change: Omit<Change, 'enabled'>) {
    const credentials = credentialsAfter({ chap: undefined, mutual: undefined }, change)
    const after = await this.changes.change(async ({ state, saved }) => {
      if ([...state.targets, ...saved].some((target) => target.iqn === iqn))
        throw exists('A target with this name already exists', { details: { object: iqn } })
      const portals = [...this.options.portals]
      const initiators = change.initiators ?? []
      return { iqn, wanted: { iqn, enabled: true, portals, initiators, ...credentials, luns: [] } }
    })
    return shown(after, targetId(iqn))
  }

  async update(id: string, change: Change, force: boolean) {
    const after = await this.changes.change(async (known) => {
      const { iqn, live } = own(known, id)
      const before = wantedNow(known, iqn, live)
      const wanted: Wanted = {
        ...before,
        initiators: change.initiators ?? before.initiators,
        enabled: change.enabled ?? before.enabled,
        ...credentialsAfter(before, change),
      }
      const lost = loggedIn(live).filter((name) => !wanted.enabled || !wanted.initiators.includes(name))
      if (!force) refuseLogged(iqn, lost)
      return { iqn, wanted }
    })
    return shown(after, id)
  }

  async remove(id: string, force: boolean): Promise<void> {
    await this.changes.change(async (known) => {
      const { iqn, live } = own(known, id)
      if (!force) refuseLogged(iqn, loggedIn(live))
      return { iqn, wanted: undefined }
    })
  }

  /** Shows a zvol under the lowest free number. */
  async addLun(id: string, zvol: string) {
    let number = 0
    const after = await this.changes.change(async (known) => {
      const { iqn, live } = own(known, id)
      const before = wantedNow(known, iqn, live)
      const lun = lunOf(zvol, await this.guidOf(zvol))
      const users = usersOf(known, lun)
      if (users.length > 0) throw isShown(zvol, users)
      number =
        freeLun(before.luns) ??
        raise(failedPrecondition('All 256 LUNs of the target are taken', { details: { object: id } }))
      return { iqn, wanted: { ...before, luns: [...before.luns, { id: number, ...lun }] } }
    })
    return shown(after, id).luns.find((lun) => lun.id === number) ?? raise(noTarget(id))
  }

  async removeLun(id: string, number: number, force: boolean): Promise<void> {
    await this.changes.change(async (known) => {
      const { iqn, live } = own(known, id)
      const before = wantedNow(known, iqn, live)
      const luns = before.luns.filter((lun) => lun.id !== number)
      const isLive = live?.luns.some((lun) => lun.id === number) ?? false
      if (!isLive && luns.length === before.luns.length)
        throw notFound('LUN not found', { details: { object: `${id}/luns/${number}` } })
      if (!force && isLive) refuseLogged(iqn, loggedIn(live))
      return { iqn, wanted: { ...before, luns } }
    })
  }

  /**
   * What of iSCSI stands in the way of these datasets' end: the zvols among them that are LUNs, those too that are saved and cannot be
   * served at the moment: their initiators wait for them.
   */
  async dependents(destroyed: readonly string[]): Promise<{ object: string; reason: string; claims?: string }[]> {
    const { targets, backstores } = await this.changes.read()
    const devices = new Map(destroyed.map((name) => [deviceOf(name), name]))
    const zvols = new Map(backstores.map(({ path, device }) => [path, devices.get(device)]))
    const about = (zvol: string, id: number, iqn: string) => ({
      object: `iscsi/targets/${targetId(iqn)}`,
      reason: `${zvol} is LUN ${id} of ${iqn}`,
    })
    const live = targets.flatMap(({ iqn, luns }) =>
      luns.flatMap(({ id, to = '' }) => {
        const zvol = zvols.get(to)
        return zvol === undefined ? [] : [{ ...about(zvol, id, iqn), claims: zvol }]
      }),
    )
    const saved = this.changes.saved().flatMap(({ iqn, luns }) =>
      luns.flatMap(({ id, device }) => {
        const zvol = devices.get(device)
        return zvol === undefined ? [] : [about(zvol, id, iqn)]
      }),
    )
    const known = new Set(live.map(({ reason }) => reason))
    return [...live, ...saved.filter(({ reason }) => !known.has(reason))]
  }

  /** Who has a zvol as his disk now: its content must not change under him. */
  async usersOf(zvol: string): Promise<{ object: string; reason: string }[]> {
    const { targets, backstores } = await this.changes.read()
    const paths = backstores.filter(({ device }) => device === deviceOf(zvol)).map(({ path }) => path)
    return targets
      .filter((target) => loggedIn(target).length > 0 && target.luns.some(({ to = '' }) => paths.includes(to)))
      .map((target) => ({
        object: `iscsi/targets/${targetId(target.iqn)}`,
        reason: `shows ${zvol} to ${loggedIn(target).slice(0, 8).join(', ')}: log them out first, or disable the target`,
      }))
  }

  private async guidOf(zvol: string): Promise<string> {
    const properties = await withZfsErrors(zvol, () => this.options.zfs.get(zvol))
    if (!properties) throw notFound('zvol not found', { details: { object: zvol } })
    if (properties.get('type')?.value !== 'volume') throw invalid('Not a zvol', { details: { field: 'zvol' } })
    return properties.get('guid')?.value ?? zvol
  }
}

const shown = (known: Known, id: string) => viewTargets(known).find((target) => target.id === id) ?? raise(noTarget(id))

/** The target of this id, where it is ours: live, saved or both. */
function own({ state, saved }: Known, id: string): { iqn: string; live: LiveTarget | undefined } {
  const is = ({ iqn }: { iqn: string }) => targetId(iqn) === id
  const live = state.targets.find(is)
  if (live && !isManaged(live))
    throw failedPrecondition('This target was created by hand and cannot be changed here', {
      details: { object: id },
    })
  const { iqn } = live ?? saved.find(is) ?? raise(noTarget(id))
  return { iqn, live }
}

/** What a change starts from. Never from the kernel alone: what it has not would be gone from the file as well. */
function wantedNow({ state, saved }: Known, iqn: string, live: LiveTarget | undefined): Wanted {
  const [now, before] = [live && wantedOf(live, state), saved.find((target) => target.iqn === iqn)]
  const other = now?.luns.find(({ id, store }) => before?.luns.some((lun) => lun.id === id && lun.store !== store))
  if (other)
    throw failedPrecondition(`LUN ${other.id} is not the volume that is saved for it: take one of them away by hand`, {
      details: { object: targetId(iqn) },
    })
  return merge(now, before) ?? raise(noTarget(targetId(iqn)))
}

/** An initiator that learned our secret could pass for the target with it: RFC 7143, 9.2.1 wants two. */
function credentialsAfter(before: Credentials, { chap, mutual_chap }: Change): Credentials {
  const after: Credentials = {
    chap: chap === undefined ? before.chap : (chap ?? undefined),
    // Without CHAP nobody proves anything.
    mutual: mutual_chap === undefined && chap !== null ? before.mutual : (mutual_chap ?? undefined),
  }
  // What was set by hand does not hold up a change of something else.
  if (!chap && !mutual_chap) return after
  const refused = (message: string) => invalid(message, { details: { field: mutual_chap ? 'mutual_chap' : 'chap' } })
  if (after.mutual && !after.chap)
    throw refused('The target proves itself only to initiators that do so first: set chap')
  if (after.mutual && after.mutual.password === after.chap?.password)
    throw refused('The two passwords, of chap and of mutual_chap, must differ')
  return after
}

function refuseLogged(iqn: string, initiators: string[]): void {
  if (initiators.length === 0) return
  const names = initiators.slice(0, 8).join(', ')
  throw inUse(`Logged in: ${names}. Log them out first, or ask with ?force=true`, {
    details: { object: targetId(iqn) },
  })
}

/** The LUNs, live or saved, that a volume is. */
function usersOf({ state, saved }: Known, { device, store }: Omit<WantedLun, 'id'>): string[] {
  const user = state.backstores.find((one) => one.device === device || one.name === store)
  const name = (iqn: string, id: number) => `LUN ${id} of ${iqn}`
  const live = state.targets.flatMap(({ iqn, luns }) =>
    luns.filter(({ to }) => to !== undefined && to === user?.path).map(({ id }) => name(iqn, id)),
  )
  const waiting = saved.flatMap(({ iqn, luns }) =>
    luns.filter((lun) => lun.device === device || lun.store === store).map(({ id }) => name(iqn, id)),
  )
  return [...new Set([...live, ...waiting])]
}

const isShown = (zvol: string, users: string[]) =>
  inUse(`The zvol is already in use as a LUN: ${users.join(', ')}`, { details: { object: zvol } })
