// What a destruction would take with it, shown before it is carried out. The token is not a secret: it names the plan that the caller saw,
// so that nothing created since is destroyed unseen.
import { createHash } from 'node:crypto'
import * as z from 'zod'

export const Plan = z
  .object({
    object: z.string(),
    destroys: z.array(z.string()).describe('everything that would be gone, the object itself first'),
    depends: z
      .array(z.object({ object: z.string(), reason: z.string() }))
      .describe('what uses it: a share, a clone, a hold; some of it has to go first'),
    confirm: z.string().describe('the value of ?confirm= that agrees to exactly this plan'),
  })
  .meta({ id: 'DestructionPlan' })
/** Of a plan, but not shown: `GUID<tab>NAME` of all that goes, by which the script knows it from what is made later under the same names. */
export const MEMBERS = Symbol('members')
export type Plan = z.infer<typeof Plan> & { [MEMBERS]?: readonly string[] }

/** The members of a query that every destruction takes. */
export const Destruction = z.object({
  dry_run: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'answer the plan and destroy nothing', parameter: 'DryRun' }),
  confirm: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'the token of the plan that is agreed to', parameter: 'Confirm' }),
})

/** `which` distinguishes these objects from others that are created later under the same names. */
export function makePlan(object: string, destroys: string[], depends: Plan['depends'], which: string[] = []): Plan {
  const reasons = depends.map((one) => [one.object, one.reason]).sort()
  const content = JSON.stringify([object, [...destroys].sort(), reasons, [...which].sort()])
  const confirm = createHash('sha256').update(content).digest('base64url').slice(0, 22)
  return { object, destroys, depends, confirm }
}
