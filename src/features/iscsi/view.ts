// A target as callers see it: never with a CHAP password, only with the name of its account.
import { createHmac, randomBytes } from 'node:crypto'
import type { Backstore, Credentials, LioState, LiveTarget } from '../../drivers/lio.ts'
import { targetId } from './names.ts'
import { isManaged, type Known, loggedIn, type Wanted, type WantedLun, zvolOf } from './target.ts'

export interface LunView {
  id: number
  zvol: string
  size?: number
  backend: string
}

/** Distinguishes CHAP passwords from others within this process only: it is in no JSON, and its key is random. */
export const CHAP_MARK = Symbol('CHAP password')
const KEY = randomBytes(32)

/** What is saved and not there, for people; the JSON has it in the note. */
export const UNSERVED = Symbol('not served')

export interface TargetView {
  [CHAP_MARK]: string
  [UNSERVED]: string[]
  id: string
  iqn: string
  luns: LunView[]
  initiators: string[]
  enabled: boolean
  managed: boolean
  portals: string[]
  sessions: string[]
  chap?: { username: string }
  mutual_chap?: { username: string }
  note?: string
}

/** Those in the kernel, and those that are saved and could not be brought back. */
export function viewTargets(known: Known): TargetView[] {
  const { state, saved } = known
  const live = state.targets.map((target) => viewTarget(target, known))
  const others = saved.filter(({ iqn }) => !state.targets.some((target) => target.iqn === iqn))
  return [...live, ...others.map((target) => viewAbsent(target, known))]
}

function viewTarget(target: LiveTarget, known: Known): TargetView {
  const initiators = target.acls.map(({ initiator }) => initiator)
  const isOpen = target.attributes['generate_node_acls'] === '1'
  const luns = viewLuns(target.luns, known.state)
  const saved = isManaged(target) ? known.saved.find(({ iqn }) => iqn === target.iqn) : undefined
  const waiting = (saved?.luns ?? []).filter(({ id }) => !luns.some((lun) => lun.id === id))
  const failures = known.failures.get(target.iqn)
  const unserved = [
    ...(saved?.enabled && !target.enabled ? [reasoned('the target', failures?.get(undefined))] : []),
    ...waiting.map(({ id, device }) => reasoned(`LUN ${id} (${zvolOf(device) ?? device})`, failures?.get(id))),
  ]
  return {
    [CHAP_MARK]: markOf(target),
    [UNSERVED]: unserved,
    id: targetId(target.iqn),
    iqn: target.iqn,
    luns: [...luns, ...waiting.map(viewWaiting)].sort((a, b) => a.id - b.id),
    initiators,
    enabled: target.enabled,
    managed: isManaged(target),
    portals: target.portals,
    sessions: loggedIn(target),
    ...(target.attributes['authentication'] === '1' && viewAccounts(target)),
    ...noteOf(unserved, initiators.length > 0 || isOpen),
  }
}

function viewAbsent(wanted: Wanted, { failures }: Known): TargetView {
  const { iqn, luns, initiators } = wanted
  const unserved = [reasoned('the target', failures.get(iqn)?.get(undefined))]
  return {
    [CHAP_MARK]: markOf(wanted),
    [UNSERVED]: unserved,
    id: targetId(iqn),
    iqn,
    luns: luns.map(viewWaiting),
    initiators,
    enabled: false,
    managed: true,
    portals: [],
    sessions: [],
    ...viewAccounts(wanted),
    ...noteOf(unserved, initiators.length > 0),
  }
}

const reasoned = (what: string, reason: string | undefined) => (reason === undefined ? what : `${what}: ${reason}`)

function noteOf(unserved: string[], isForSomebody: boolean): { note?: string } {
  const notes = [
    ...(isForSomebody ? [] : ['No initiators: nobody can log in']),
    ...(unserved.length > 0 ? [`Saved and not served: ${unserved.join('; ')}`] : []),
  ]
  return notes.length > 0 ? { note: notes.join('. ') } : {}
}

const viewAccounts = ({ chap, mutual }: Credentials) => ({
  ...(chap && { chap: { username: chap.username } }),
  ...(chap && mutual && { mutual_chap: { username: mutual.username } }),
})

const markOf = ({ chap, mutual }: Credentials) =>
  createHmac('sha256', KEY)
    .update(JSON.stringify([chap, mutual]))
    .digest('base64url')

/** Those whose volume is there. */
export function viewLuns(luns: LiveTarget['luns'], { backstores }: LioState): LunView[] {
  const byPath = new Map(backstores.map((store) => [store.path, store]))
  return luns.flatMap(({ id, to }) => {
    const store = byPath.get(to ?? '')
    return store ? [viewLun(id, store)] : []
  })
}

const viewWaiting = ({ id, device, store }: WantedLun) => viewLun(id, { device, name: store, bytes: undefined })

/** What is no zvol (made by hand) is named by its device or file. */
function viewLun(id: number, { device, name, bytes }: Pick<Backstore, 'device' | 'name' | 'bytes'>): LunView {
  const zvol = zvolOf(device)
  return {
    id,
    zvol: zvol ?? (device || name),
    ...(bytes !== undefined && { size: bytes }),
    backend: zvol === undefined ? name.replace(/\/.*/, '') : 'zvol',
  }
}
