// A whole number in a query: text on the wire, a number for the handler, an integer in the OpenAPI document.
import * as z from 'zod'

/** Decimal digits, no sign, from `least` to `most`. */
export function wholeNumber(
  least: number,
  most: number,
  about: { description?: string; default?: number; parameter?: string } = {},
) {
  const words = `Expected a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^[0-9]{1,15}$/, words)
    .transform(Number)
    .refine((value) => value >= least && value <= most, words)
    .optional()
    .meta({ type: 'integer', minimum: least, maximum: most, ...about })
}
