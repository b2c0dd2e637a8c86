// A target as callers see it. The trap: a CHAP password never gets here; the name of its account does.
import { createHmac, randomBytes } from 'node:crypto'
import type { Backstore, LioState, LiveTarget } from '../../drivers/lio.ts'
import { targetId } from './names.ts'
import { isManaged, zvolOf } from './target.ts'

export interface LunView {
  id: number
  zvol: string
  size?: number
  backend: string
}

/** Tells one CHAP password from another, to nobody else: no JSON has it, and its key is this process's own. */
export const CHAP_MARK = Symbol('CHAP password')
const KEY = randomBytes(32)

export interface TargetView {
  [CHAP_MARK]: string
  id: string
  iqn: string
  luns: LunView[]
  initiators: string[]
  enabled: boolean
  managed: boolean
  portals: string[]
  sessions: string[]
  chap?: { username: string }
  note?: string
}

export function viewTarget(target: LiveTarget, { backstores }: LioState): TargetView {
  const byPath = new Map(backstores.map((store) => [store.path, store]))
  const initiators = target.acls.map(({ initiator }) => initiator)
  const isOpen = target.attributes['generate_node_acls'] === '1'
  return {
    [CHAP_MARK]: createHmac('sha256', KEY)
      .update(JSON.stringify(target.chap ?? null))
      .digest('base64url'),
    id: targetId(target.iqn),
    iqn: target.iqn,
    luns: target.luns.flatMap(({ id, to }) => {
      const store = byPath.get(to ?? '')
      return store ? [viewLun(id, store)] : []
    }),
    initiators,
    enabled: target.enabled,
    managed: isManaged(target),
    portals: target.portals,
    sessions: [...target.acls.filter((acl) => acl.isLoggedIn).map(({ initiator }) => initiator), ...target.dynamic],
    ...(target.chap && target.attributes['authentication'] === '1' && { chap: { username: target.chap.username } }),
    ...(initiators.length === 0 && !isOpen && { note: 'No initiators: nobody can log in' }),
  }
}

/** What is no zvol (made by hand) is named by its device or file. */
function viewLun(id: number, { device, name, bytes }: Backstore): LunView {
  const zvol = zvolOf(device)
  return {
    id,
    zvol: zvol ?? (device || name),
    ...(bytes !== undefined && { size: bytes }),
    backend: zvol === undefined ? name.replace(/\/.*/, '') : 'zvol',
  }
}
