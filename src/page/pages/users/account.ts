// An account as the controller returns it, and descriptions of the roles.
import { request } from '../../api.ts'
import type { Role } from '../../session.ts'

export const USERS = '/api/v1/users'

export interface Account {
  id: string
  username: string
  email?: string
  role: Role
  active: boolean
  created_at: string
  updated_at: string
}

export const userPath = (id: string) => `${USERS}/${encodeURIComponent(id)}`

export const ROLE_OPTIONS: [Role, string][] = [
  ['viewer', 'Viewer: read-only'],
  ['operator', 'Operator: manages storage and sharing'],
  ['administrator', 'Administrator: full access'],
]

export const PASSWORD_RULE = '8 to 128 characters, at least one letter and one digit'

export interface Seen {
  user: Account
  /** If-Match for exactly the version that was shown. */
  tag: string
}

export async function seeUser(id: string): Promise<Seen> {
  const { data, headers } = await request<Account>('GET', userPath(id))
  return { user: data, tag: headers.get('ETag') ?? '' }
}

export const ifMatch = (tag: string): Record<string, string> => (tag === '' ? {} : { 'If-Match': tag })
