// What an account may be called and what its password has to have (facts: atlas.md). The trap: these names are written into the audit log
// as actors, so the words that stand for nobody in particular are no names.
import * as z from 'zod'
import { ROLES } from '../../auth/principal.ts'

const TAKEN = /^(nobody|system|local)$/i

export const UserName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$/, 'Expected 3 to 32 letters, digits and . _ -, the first a letter or digit')
  .refine((name) => !TAKEN.test(name), 'This name is reserved')

export const Password = z
  .string()
  .min(8, 'Expected 8 to 128 characters')
  .max(128, 'Expected 8 to 128 characters')
  .regex(/[A-Za-z][\s\S]*[0-9]|[0-9][\s\S]*[A-Za-z]/, 'Expected at least one letter and one digit')
  .regex(/^[^\x00-\x1f\x7f]*$/, 'Expected no control characters')
  .meta({ format: 'password' })

export const Email = z.email('Expected an e-mail address').max(254)
export const Role = z.enum(ROLES, 'Expected administrator, operator or viewer')
