// A target as it should be, and what of the live one says so. The trap: only a target that carries our mark is ours; all others were made by
// hand, are shown, and never changed.
import type { Chap, LioState, LiveTarget } from '../../drivers/lio.ts'
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

export interface Wanted {
  iqn: string
  enabled: boolean
  portals: string[]
  initiators: string[]
  chap: Chap | undefined
  luns: WantedLun[]
}

export const isManaged = ({ alias }: LiveTarget) => alias === MARK

const ZVOL = '/dev/zvol/'
export const deviceOf = (zvol: string) => `${ZVOL}${zvol}`
export const zvolOf = (device: string) => (device.startsWith(ZVOL) ? device.slice(ZVOL.length) : undefined)

/** A zvol's LUN, whatever target it is in: name and serial follow from the zvol's guid, which a rename does not change. */
export function lunOf(zvol: string, guid: string): Omit<WantedLun, 'id'> {
  const serial = digest(`edge-admin iscsi ${guid}`, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  const readable = zvol.replace(/.*\//, '').slice(0, 32)
  return { store: `block/edge-${readable}-${serial.slice(0, 8)}`, device: deviceOf(zvol), serial }
}

/** A backstore that we made: nothing but a LUN of ours needs it. */
export const isOurStore = (name: string) => /^block\/edge-.+-[0-9a-f]{8}$/.test(name)

/** A live target as what was wanted of it. What is half made is not in it. */
export function wantedOf(target: LiveTarget, { backstores }: LioState): Wanted {
  const byPath = new Map(backstores.map((store) => [store.path, store]))
  return {
    iqn: target.iqn,
    enabled: target.enabled,
    portals: target.portals,
    initiators: target.acls.map(({ initiator }) => initiator),
    chap: target.chap,
    luns: target.luns.flatMap(({ id, to }) => {
      const store = byPath.get(to ?? '')
      return store ? [{ id, store: store.name, device: store.device, serial: store.serial }] : []
    }),
  }
}

/** The lowest number that is free; LIO's tools know 256 for an initiator. */
export function freeLun(luns: { id: number }[]): number | undefined {
  const taken = new Set(luns.map(({ id }) => id))
  return Array.from({ length: 256 }, (_, id) => id).find((id) => !taken.has(id))
}
