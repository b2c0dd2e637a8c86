// Whether a destruction is carried out: nothing depends on what goes, and the caller has agreed to all of it.
import { confirmRequired, inUse } from '../../errors.ts'
import type { Plan } from './plan.ts'

/** What the caller said, in the words of a query. */
export interface Agreement {
  dry_run?: 'true' | 'false' | undefined
  recursive?: 'true' | 'false' | undefined
  confirm?: string | undefined
}

/**
 * False for a dry run, which is answered with the plan. Throws what stands in the way, and where the caller has not agreed to all that goes;
 * `demanded`: only the token of the plan agrees.
 */
export function isAgreed(plan: Plan, { dry_run, recursive, confirm }: Agreement, demanded: boolean): boolean {
  if (dry_run === 'true') return false
  assertNoDependents(plan)
  if (recursive !== 'true') assertAlone(plan)
  assertPlanConfirmed(plan, confirm, demanded)
  return true
}

/** Throws where something depends on what would go. */
export function assertNoDependents({ object, depends }: Pick<Plan, 'object' | 'depends'>): void {
  if (depends.length === 0) return
  throw inUse(summarize(depends.map((one) => `${one.object} ${one.reason}`)), { details: { object } })
}

/** Throws where more would go than what was named. */
function assertAlone({ object, destroys }: Plan): void {
  const more = destroys.filter((name) => name !== object)
  if (more.length === 0) return
  const words = `This would destroy ${summarize(more)} as well: ask with ?recursive=true to agree`
  throw confirmRequired(words, { details: { object } })
}

/** Throws unless the caller has agreed to this very plan, where that is demanded or the caller names a plan. */
export function assertPlanConfirmed(plan: Plan, confirm: string | undefined, demanded: boolean): void {
  if (confirm === plan.confirm || (confirm === undefined && !demanded)) return
  const what = confirm === undefined ? 'This needs the confirm token of its plan' : 'The plan has changed since'
  throw confirmRequired(`${what}: ask with ?dry_run=true first`, { details: { object: plan.object } })
}

const NAMED = 5

/** Up to five names; of more, the first four and how many there are besides. */
export const summarize = (names: readonly string[]) =>
  names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED - 1).join(', ')} and ${names.length - NAMED + 1} more`
