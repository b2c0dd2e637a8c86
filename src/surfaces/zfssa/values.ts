// How the appliance's clients write values: booleans as JSON or as text, numbers as numbers or as text.
import * as z from 'zod'

export const Flag = z
  .union([z.boolean(), z.string().regex(/^(?:true|false)$/i, 'Expected true or false')])
  .transform((value) => value === true || String(value).toLowerCase() === 'true')

export const Count = z.union([
  z.int(),
  z
    .string()
    .regex(/^[0-9]{1,15}$/, 'Expected a whole number')
    .transform(Number),
])

/** `?props=true`: describes the properties, and makes a change a dry run. Without a value it counts as true. */
export const Props = z
  .enum(['', 'true', 'false'])
  .transform((value) => value !== 'false')
  .optional()
