// How every request to destroy storage is answered: the plan for ?dry_run=true, 409 with the obstacles, otherwise the
// task. The plan is made anew with each request, so a token that still matches confirms the current state.
import * as z from 'zod'
import { planDestruction, startDestruction } from '../../features/datasets/destroy.ts'
import { isAgreed } from '../../features/destruction/agreement.ts'
import { Destruction, type Plan } from '../../features/destruction/plan.ts'
import type { Call } from '../../http/endpoint.ts'
import { json, type Reply } from '../../http/reply/reply.ts'
import type { ControllerDeps } from './context.ts'
import { finish } from './finish.ts'

/** For storage that may contain more. */
export const RecursiveDestruction = Destruction.extend({
  recursive: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'agree that what is below it, or newer, goes as well', parameter: 'Recursive' }),
})

/** The answer to a dry run; undefined if the plan is to be carried out. */
export function answerPlan(
  { query, audit }: Pick<Call, 'query' | 'audit'>,
  { settings }: Pick<ControllerDeps, 'settings'>,
  { plan, target, action }: { plan: Plan; target: string; action: string },
): Reply | undefined {
  if (isAgreed(plan, query, settings['confirm-destroy'])) return undefined
  audit(`${action}.plan`, target)
  return json(plan)
}

/** Destroys a filesystem or volume; `target` is its name in the audit log. */
export async function destroyDataset(
  call: Call<unknown, { name: string }>,
  deps: ControllerDeps,
  { action, target, message }: { action: string; target: string; message: string },
): Promise<Reply> {
  const { name } = call.params
  const plan = await planDestruction(deps.zfs, deps.dependents, name)
  const answer = answerPlan(call, deps, { plan, target, action })
  if (answer) return answer
  const task = await startDestruction(deps.tasks, plan, call.by)
  const seconds = deps.settings['apply-seconds']
  return finish(call, { tasks: deps.tasks, task, action, target, seconds, object: name, done: () => json({ message }) })
}
