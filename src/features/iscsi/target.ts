// A target as it should be, and how the live one shows it. Only a target with our mark is changed; all others were made by hand and are
// only shown.
import type { Credentials, LioState, LiveTarget } from '../../drivers/lio.ts'
import { deviceOf } from '../zfs/names.ts'
import { digest } from './names.ts'

/** Our mark, in a member that has no effect, that initiators may see, and that saveconfig.json keeps. */
export const MARK = 'edge-admin'

export interface WantedLun {
  id: number
  /** rtslib's name of the backstore: `block/NAME`. */
  store: string
  device: string
  serial: string
}

export interface Wanted extends Credentials {
  iqn: string
  enabled: boolean
  portals: string[]
  initiators: string[]
  luns: WantedLun[]
}

/** Initiators that have a session, also those that need no ACL (demo mode). */
export const loggedIn = (live: LiveTarget | undefined): string[] => [
  ...(live?.acls ?? []).filter(({ session }) => session !== undefined).map(({ initiator }) => initiator),
  ...(live?.dynamic ?? []),
]

export const isManaged = ({ alias }: LiveTarget) => alias === MARK

export { deviceOf, zvolOf } from '../zfs/names.ts'

/** A zvol's LUN, whatever target it is in: name and serial follow from the zvol's guid, which a rename does not change. */
export function lunOf(zvol: string, guid: string): Omit<WantedLun, 'id'> {
  const serial = digest(`edge-admin iscsi ${guid}`, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  const readable = zvol.replace(/.*\//, '').replaceAll(' ', '_').slice(0, 32)
  return { store: `block/edge-${readable}-${serial.slice(0, 8)}`, device: deviceOf(zvol), serial }
}

/** A backstore that we made: only our LUNs need it. */
export const isOurStore = (name: string) => /^block\/edge-.+-[0-9a-f]{8}$/.test(name)

/** What the live target was meant to be, without its incomplete parts. */
export function wantedOf(target: LiveTarget, { backstores }: LioState): Wanted {
  const byPath = new Map(backstores.map((store) => [store.path, store]))
  return {
    iqn: target.iqn,
    enabled: target.enabled,
    portals: target.portals,
    initiators: target.acls.map(({ initiator }) => initiator),
    chap: target.chap,
    mutual: target.mutual,
    luns: target.luns.flatMap(({ id, to }) => {
      const store = byPath.get(to ?? '')
      return store ? [{ id, store: store.name, device: store.device, serial: store.serial }] : []
    }),
  }
}

/** Our targets: in the kernel, and saved. */
export interface Known {
  state: LioState
  saved: Wanted[]
  /** Why something saved is not live: by target, and its LUNs' numbers; undefined: the target itself. */
  failures: ReadonlyMap<string, ReadonlyMap<number | undefined, string>>
}

/**
 * A target as it is wanted: as it is saved, and what is live besides, which somebody added by hand. What is saved and not live (a pool that
 * comes late, a port that is taken) is wanted as much as ever.
 */
export function merge(live: Wanted | undefined, saved: Wanted | undefined): Wanted | undefined {
  if (!live || !saved) return saved ?? live
  const added = live.luns.filter(({ id }) => !saved.luns.some((lun) => lun.id === id))
  return {
    ...saved,
    portals: [...new Set([...saved.portals, ...live.portals])],
    initiators: [...new Set([...saved.initiators, ...live.initiators])],
    chap: saved.chap ?? live.chap,
    mutual: saved.mutual ?? live.mutual,
    luns: [...saved.luns, ...added].sort((a, b) => a.id - b.id),
  }
}

/** The LUNs of `all` that the others have not: of that number and that volume. */
export const lunsWithout = (all: readonly WantedLun[], others: readonly WantedLun[]): WantedLun[] =>
  all.filter(({ id, store }) => !others.some((lun) => lun.id === id && lun.store === store))

/** The lowest number that is free; LIO's tools know 256 for an initiator. */
export function freeLun(luns: { id: number }[]): number | undefined {
  const taken = new Set(luns.map(({ id }) => id))
  return Array.from({ length: 256 }, (_, id) => id).find((id) => !taken.has(id))
}
