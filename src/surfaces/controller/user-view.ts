// An account as the contract shows it. view() lists the members that go out, so that a new stored member (a hash!)
// stays in.
import * as z from 'zod'
import type { StoredUser } from '../../auth/users.ts'
import { Timestamp } from '../../features/timestamp.ts'
import { Role } from '../../features/users/rules.ts'

export const User = z
  .object({
    id: z.string(),
    username: z.string(),
    email: z.email().optional(),
    role: Role,
    active: z.boolean(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: 'User' })

export const view = ({ id, username, email, role, active, created_at, updated_at }: StoredUser) => ({
  id,
  username,
  ...(email !== undefined && { email }),
  role,
  active,
  created_at,
  updated_at,
})
