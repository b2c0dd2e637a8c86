// Who is logged in to a target, as far as the kernel says it: of an initiator with several sessions it shows the last, and when a session
// began it does not keep.
import type { LioState, LiveTarget } from '../../drivers/lio.ts'
import { targetId } from './names.ts'
import { type LunView, viewLuns } from './view.ts'

export interface SessionView {
  target: string
  iqn: string
  initiator: string
  alias?: string
  addresses: string[]
  portal?: string
  state: 'logged-in' | 'failed' | 'unknown'
  luns: LunView[]
}

const STATES: Readonly<Record<string, SessionView['state']>> = { logged_in: 'logged-in', failed: 'failed' }

export function viewSessions(target: LiveTarget, state: LioState): SessionView[] {
  const { iqn, portals, acls, dynamic } = target
  const all = viewLuns(target.luns, state)
  // Which of several portals was used is in no file of the kernel.
  const common = { target: targetId(iqn), iqn, ...(portals.length === 1 && { portal: portals[0] as string }) }
  return [
    ...acls.flatMap(({ initiator, luns, session }) => {
      if (!session) return []
      const { alias, addresses, state: word } = session
      return [
        {
          ...common,
          initiator,
          ...(alias !== '' && { alias }),
          addresses,
          state: STATES[word] ?? ('unknown' as const),
          luns: luns.flatMap((mapped) => {
            const shown = all.find(({ id }) => mapped.to?.endsWith(`/lun_${id}`))
            return shown ? [{ ...shown, id: mapped.id }] : []
          }),
        },
      ]
    }),
    // Of an initiator without an ACL the kernel tells the name alone.
    ...dynamic.map((initiator) => ({ ...common, initiator, addresses: [], state: 'unknown' as const, luns: all })),
  ]
}
