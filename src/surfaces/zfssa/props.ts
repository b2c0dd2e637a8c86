// `?props=true`: what properties a resource has, of which type, and whether they can be changed (facts: zfssa.md, 3).
import * as z from 'zod'

export interface Prop {
  name: string
  label: string
  type: 'String' | 'Integer' | 'Boolean' | 'ChooseOne' | 'ChooseSeveral'
  immutable: boolean
  choices?: readonly string[]
}

export const PropsView = z
  .array(
    z.object({
      name: z.string(),
      label: z.string(),
      type: z.string(),
      immutable: z.boolean(),
      choices: z.array(z.string()).optional(),
    }),
  )
  .optional()
  .meta({ id: 'Props', description: 'only with ?props=true' })

/** The answer with the description of its properties, if that is asked for. */
export const withProps = <T extends object>(body: T, props: readonly Prop[], asked: unknown) =>
  asked === true ? { props, ...body } : body
