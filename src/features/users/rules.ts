// Rules for account names and passwords (facts: atlas.md). Names appear as actors in the audit log, so the words that
// the server itself writes there cannot be names.
import * as z from 'zod'
import { isReservedName } from '../../auth/actor-words.ts'
import { opaque } from '../../auth/opaque-string.ts'
import { ROLES } from '../../auth/principal.ts'

export const UserName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$/, 'Expected 3 to 32 letters, digits and . _ -, the first a letter or digit')
  .refine((name) => !isReservedName(name), 'This name is reserved')

/** Checks the normalized password (OpaqueString), in characters: a decomposed accent is not a character. */
const spelling = (holds: (text: string) => boolean) => (password: string) => holds(opaque(password))

export const Password = z
  .string()
  .refine(
    spelling((text) => [...text].length >= 8 && [...text].length <= 128),
    'Expected 8 to 128 characters',
  )
  .refine(
    spelling((text) => /[A-Za-z]/.test(text) && /[0-9]/.test(text)),
    'Expected at least one letter and one digit',
  )
  .regex(/^[^\x00-\x1f\x7f]*$/, 'Expected no control characters')
  .refine((text) => !/\p{Surrogate}/u.test(text), 'Expected whole characters')
  .meta({ format: 'password', minLength: 8, maxLength: 128 })

export const Email = z.email('Expected an e-mail address').max(254).meta({ id: 'Email' })
export const Role = z.enum(ROLES, 'Expected administrator, operator or viewer').meta({ id: 'Role' })
