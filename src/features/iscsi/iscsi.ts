// iSCSI targets: list, make, change, remove; zvols as their LUNs. The trap: what is decided here is decided inside the turn of a change, on the
// state as it is then; asked before, two callers would both find a zvol free.
import type { Chap, LioState, LiveTarget } from '../../drivers/lio.ts'
import { busy, invalid, notFound, raise } from '../../http/errors.ts'
import { about } from '../zfs/failure.ts'
import { Changes, type ChangesOptions } from './changes.ts'
import { targetId } from './names.ts'
import { deviceOf, freeLun, isManaged, lunOf, type Wanted, wantedOf } from './target.ts'
import { viewTarget } from './view.ts'

export interface IscsiOptions extends ChangesOptions {
  /** Where new targets listen. */
  portals: readonly string[]
}

export interface Change {
  initiators?: string[] | undefined
  enabled?: boolean | undefined
  /** null: without CHAP. */
  chap?: Chap | null | undefined
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

  async list() {
    const state = await this.changes.read()
    return state.targets.map((target) => viewTarget(target, state))
  }

  async find(id: string) {
    return (await this.list()).find((target) => target.id === id)
  }

  async get(id: string) {
    return (await this.find(id)) ?? raise(noTarget(id))
  }

  async create(iqn: string, { initiators = [], chap }: Pick<Change, 'initiators' | 'chap'>) {
    const after = await this.changes.change(async (state) => {
      if (state.targets.some((target) => target.iqn === iqn))
        throw busy('A target of this name is there already', { details: { object: iqn } })
      const portals = [...this.options.portals]
      return { iqn, wanted: { iqn, enabled: true, portals, initiators, chap: chap ?? undefined, luns: [] } }
    })
    return shown(after, targetId(iqn))
  }

  async update(id: string, { initiators, enabled, chap }: Change, force: boolean) {
    const after = await this.changes.change(async (state) => {
      const target = own(state, id)
      const { iqn } = target
      const before = wantedOf(target, state)
      const wanted: Wanted = {
        ...before,
        initiators: initiators ?? before.initiators,
        enabled: enabled ?? before.enabled,
        chap: chap === undefined ? before.chap : (chap ?? undefined),
      }
      const lost = loggedIn(target).filter((name) => !wanted.enabled || !wanted.initiators.includes(name))
      if (!force) refuseLogged(target, lost)
      return { iqn, wanted }
    })
    return shown(after, id)
  }

  async remove(id: string, force: boolean): Promise<void> {
    await this.changes.change(async (state) => {
      const target = own(state, id)
      if (!force) refuseLogged(target, loggedIn(target))
      return { iqn: target.iqn, wanted: undefined }
    })
  }

  /** Shows a zvol under the lowest free number. */
  async addLun(id: string, zvol: string) {
    let number = 0
    const after = await this.changes.change(async (state) => {
      const before = wantedOf(own(state, id), state)
      const lun = lunOf(zvol, await this.guidOf(zvol))
      const user = state.backstores.find(({ device, name }) => device === lun.device || name === lun.store)
      if (user && usersOf(state, user.path).length > 0) throw inUse(zvol, usersOf(state, user.path))
      number = freeLun(before.luns) ?? raise(busy('All 256 LUNs of the target are taken', { details: { object: id } }))
      return { iqn: before.iqn, wanted: { ...before, luns: [...before.luns, { id: number, ...lun }] } }
    })
    return shown(after, id).luns.find((lun) => lun.id === number) ?? raise(noTarget(id))
  }

  async removeLun(id: string, number: number, force: boolean): Promise<void> {
    await this.changes.change(async (state) => {
      const target = own(state, id)
      const before = wantedOf(target, state)
      if (!target.luns.some((lun) => lun.id === number))
        throw notFound('LUN not found', { details: { object: `${id}/luns/${number}` } })
      if (!force) refuseLogged(target, loggedIn(target))
      return { iqn: target.iqn, wanted: { ...before, luns: before.luns.filter((lun) => lun.id !== number) } }
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
    const properties = await about(zvol, () => this.options.zfs.get(zvol))
    if (!properties) throw notFound('zvol not found', { details: { object: zvol } })
    if (properties.get('type')?.value !== 'volume') throw invalid('Not a zvol', { details: { field: 'zvol' } })
    return properties.get('guid')?.value ?? zvol
  }
}

const shown = (state: LioState, id: string) => viewTarget(find(state, id), state)

const find = ({ targets }: LioState, id: string): LiveTarget =>
  targets.find(({ iqn }) => targetId(iqn) === id) ?? raise(noTarget(id))

function own(state: LioState, id: string): LiveTarget {
  const target = find(state, id)
  if (!isManaged(target))
    throw busy('This target was made by hand: it is shown, and not changed from here', { details: { object: id } })
  return target
}

const loggedIn = ({ acls, dynamic }: LiveTarget) => [
  ...acls.filter((acl) => acl.isLoggedIn).map(({ initiator }) => initiator),
  ...dynamic,
]

function refuseLogged({ iqn }: LiveTarget, initiators: string[]): void {
  if (initiators.length === 0) return
  const names = initiators.slice(0, 8).join(', ')
  throw busy(`Logged in: ${names}. Log them out first, or ask with ?force=true`, { details: { object: targetId(iqn) } })
}

const usersOf = ({ targets }: LioState, path: string) =>
  targets.flatMap(({ iqn, luns }) => luns.filter(({ to }) => to === path).map(({ id }) => `LUN ${id} of ${iqn}`))

const inUse = (zvol: string, users: string[]) =>
  busy(`The zvol is shown already: ${users.join(', ')}`, { details: { object: zvol } })
