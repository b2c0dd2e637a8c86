// What every destruction of storage answers: its plan for ?dry_run=true, 409 with what stands in the way, else the task. The trap: the plan
// is made anew with each request, so a token that still fits agrees to what is there now.
import * as z from 'zod'
import { callerName } from '../../auth/principal.ts'
import { planDestruction, refuseUnasked, startDestruction } from '../../features/datasets/destroy.ts'
import { Destruction, demandConsent, type Plan } from '../../features/destruction/plan.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import type { ControllerDeps } from './deps.ts'
import { finish } from './finish.ts'

/** For what may hold more than itself. */
export const RecursiveDestruction = Destruction.extend({
  recursive: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'agree that what is below it, or newer, goes as well', parameter: 'Recursive' }),
})

/** The answer of a dry run; undefined when the caller means it, and nothing stands in the way. */
export function answerPlan(
  { query, audit }: Pick<Call, 'query' | 'audit'>,
  { settings }: Pick<ControllerDeps, 'settings'>,
  { plan, target, action }: { plan: Plan; target: string; action: string },
): Reply | undefined {
  if (query['dry_run'] === 'true') {
    audit(`${action}.plan`, target)
    return json(plan)
  }
  refuseUnasked(plan, query['recursive'] === 'true')
  demandConsent(plan, query['confirm'] as string | undefined, settings['confirm-destroy'])
  return undefined
}

/** Who asks, for a task. */
export const askedBy = ({ principal, address }: Pick<Call, 'principal' | 'address'>) => ({
  name: callerName(principal),
  address,
})

/** Destroys a filesystem or volume; `target` is how the audit log calls it. */
export async function destroyDataset(
  call: Call<unknown, { name: string }>,
  deps: ControllerDeps,
  { action, target, message }: { action: string; target: string; message: string },
): Promise<Reply> {
  const { name } = call.params
  const plan = await planDestruction(deps.zfs, deps.dependents, name)
  const answer = answerPlan(call, deps, { plan, target, action })
  if (answer) return answer
  const task = await startDestruction(deps.tasks, plan, askedBy(call))
  const seconds = deps.settings['apply-seconds']
  return finish(call, { tasks: deps.tasks, task, action, target, seconds, object: name, done: () => json({ message }) })
}
