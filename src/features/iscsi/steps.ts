// The steps from the live target to the wanted one, in an order that the kernel takes: first remove the surplus, then add what is missing,
// and enable last. They start from any state, an incomplete one too, since they also undo a change that failed or was killed.
import type { Backstore, Credentials, LioState, LiveAcl, LiveLun, LiveTarget, Step } from '../../drivers/lio.ts'
import { isOurStore, MARK, type Wanted, type WantedLun } from './target.ts'

/** Nobody gets in, or sees the name, without an ACL. */
const CLOSED = { generate_node_acls: '0', demo_mode_discovery: '0' }

/** `wanted` undefined: the target is to be gone. */
export function stepsTo(state: LioState, iqn: string, wanted: Wanted | undefined): Step[] {
  const live = state.targets.find((target) => target.iqn === iqn)
  const kept = live?.luns.filter((lun) => wanted?.luns.some((one) => isShown(lun, one, state))) ?? []
  const steps = new Steps(iqn)
  if (live) steps.takeAway(live, kept, wanted)
  steps.dropStores(state, live, kept)
  if (wanted) steps.add(state, live, kept, wanted)
  return steps.list
}

const storeNamed = ({ backstores }: LioState, name: string) => backstores.find((store) => store.name === name)
const isShown = (lun: LiveLun, { id, store }: WantedLun, state: LioState) =>
  lun.id === id && lun.to !== undefined && lun.to === storeNamed(state, store)?.path

class Steps {
  readonly list: Step[] = []
  private readonly target: string
  private readonly group: string

  constructor(iqn: string) {
    this.target = `iscsi/${iqn}`
    this.group = `${this.target}/tpgt_1`
  }

  takeAway(live: LiveTarget, kept: LiveLun[], wanted: Wanted | undefined): void {
    if (live.enabled && !wanted?.enabled) this.write(`${this.group}/enable`, '0')
    for (const acl of live.acls) {
      const stays = wanted?.initiators.includes(acl.initiator) ?? false
      const folder = `${this.group}/acls/${acl.initiator}`
      for (const lun of acl.luns) if (!stays || !this.leadsTo(lun, kept)) this.dropLun(folder, lun)
      if (!stays) this.list.push(['rmdir', folder])
    }
    for (const lun of live.luns) if (!kept.includes(lun)) this.dropLun(`${this.group}/lun`, lun)
    for (const portal of live.portals)
      if (!wanted?.portals.includes(portal)) this.list.push(['rmdir', `${this.group}/np/${portal}`])
    if (wanted) return
    if (live.tags.includes(1)) this.list.push(['rmdir', this.group])
    this.list.push(['rmdir', this.target])
  }

  /** Whether an initiator's LUN shows one of these. */
  private leadsTo({ to }: LiveLun, luns: LiveLun[]): boolean {
    return luns.some(({ id }) => to === `${this.group}/lun/lun_${id}`)
  }

  private dropLun(folder: string, { id, link }: LiveLun): void {
    if (link !== undefined) this.list.push(['unlink', `${folder}/lun_${id}/${link}`])
    this.list.push(['rmdir', `${folder}/lun_${id}`])
  }

  /** Ours that no LUN shows any more, and places that a killed change left empty. */
  dropStores({ backstores, targets, hbas }: LioState, live: LiveTarget | undefined, kept: LiveLun[]): void {
    const luns = [...targets.filter((target) => target !== live).flatMap((target) => target.luns), ...kept]
    const shown = new Set(luns.map(({ to }) => to))
    for (const store of backstores.filter((one) => isOurStore(one.name) && !shown.has(one.path)))
      this.list.push(['rmdir', store.path], ['rmdir', hbaOf(store)])
    const used = new Set(backstores.map(hbaOf))
    for (const hba of hbas.filter((name) => name.startsWith('iblock_') && !used.has(`core/${name}`)))
      this.list.push(['rmdir', `core/${hba}`])
  }

  add(state: LioState, live: LiveTarget | undefined, kept: LiveLun[], wanted: Wanted): void {
    const dropped = new Set(this.list.filter(([operation]) => operation === 'rmdir').map(([, path]) => path))
    const stores = state.backstores.filter(({ path }) => !dropped.has(path))
    const missing = wanted.luns.filter(({ id }) => !kept.some((lun) => lun.id === id))
    const taken = state.hbas.filter((name) => !dropped.has(`core/${name}`)).map((name) => name.replace(/.*_/, ''))
    const free = freeNumbers(new Set(taken))
    const paths = new Map(stores.map(({ name, path }) => [name, path]))
    for (const lun of missing) if (!paths.has(lun.store)) paths.set(lun.store, this.addStore(free(), lun))
    if (!live) this.list.push(['mkdir', this.target])
    if (!live?.tags.includes(1)) this.list.push(['mkdir', this.group])
    this.settings(live, wanted)
    for (const { id, store } of missing) this.addLun(`${this.group}/lun`, id, paths.get(store) ?? '')
    for (const initiator of wanted.initiators) this.addAcl(live, kept, initiator, wanted)
    for (const portal of wanted.portals)
      if (!live?.portals.includes(portal)) this.list.push(['mkdir', `${this.group}/np/${portal}`])
    if (wanted.enabled && !live?.enabled) this.write(`${this.group}/enable`, '1')
  }

  private settings(live: LiveTarget | undefined, wanted: Wanted): void {
    const attributes = { ...CLOSED, authentication: wanted.chap ? '1' : '0' }
    if (live?.alias !== MARK) this.write(`${this.group}/param/TargetAlias`, MARK)
    this.credentials(this.group, live, wanted)
    for (const [name, value] of Object.entries(attributes))
      if (live?.attributes[name] !== value) this.write(`${this.group}/attrib/${name}`, value)
  }

  private credentials(folder: string, now: Credentials | undefined, wanted: Credentials): void {
    const put = (file: string, from: string | undefined, to: string | undefined) => {
      if (from !== to) this.write(`${folder}/auth/${file}`, to ?? 'NULL')
    }
    put('userid', now?.chap?.username, wanted.chap?.username)
    put('password', now?.chap?.password, wanted.chap?.password)
    put('userid_mutual', now?.mutual?.username, wanted.mutual?.username)
    put('password_mutual', now?.mutual?.password, wanted.mutual?.password)
  }

  private addAcl(live: LiveTarget | undefined, kept: LiveLun[], initiator: string, wanted: Wanted): void {
    const acl: LiveAcl | undefined = live?.acls.find((one) => one.initiator === initiator)
    const folder = `${this.group}/acls/${initiator}`
    if (!acl) this.list.push(['mkdir', folder])
    this.credentials(folder, acl, wanted)
    const mapped = acl?.luns.filter((lun) => this.leadsTo(lun, kept)) ?? []
    for (const { id } of wanted.luns)
      if (!mapped.some((lun) => lun.id === id)) this.addLun(folder, id, `${this.group}/lun/lun_${id}`)
  }

  private addLun(folder: string, id: number, to: string): void {
    this.list.push(['mkdir', `${folder}/lun_${id}`], ['link', `${folder}/lun_${id}/${MARK}`, to])
  }

  /** Each in its own place, as rtslib wants it. */
  private addStore(place: number, { store, device, serial }: WantedLun): string {
    const hba = `core/iblock_${place}`
    const path = `${hba}/${store.replace('block/', '')}`
    this.list.push(['device', device], ['mkdir', hba], ['mkdir', path])
    this.write(`${path}/control`, `udev_path=${device}`)
    this.write(`${path}/udev_path`, device)
    this.write(`${path}/control`, 'readonly=0')
    this.write(`${path}/enable`, '1')
    this.write(`${path}/wwn/vpd_unit_serial`, serial)
    // What an initiator frees is freed in the pool. The write cache is the zvol's own: LIO passes its flushes and FUA on.
    this.write(`${path}/attrib/emulate_tpu`, '1')
    return path
  }

  private write(path: string, value: string): void {
    this.list.push(['write', path, value])
  }
}

const hbaOf = ({ path }: Backstore) => path.replace(/\/[^/]*$/, '')

function freeNumbers(taken: Set<string>): () => number {
  let next = 0
  return () => {
    while (taken.has(String(next))) next++
    return next++
  }
}
