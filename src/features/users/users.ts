// Creates, changes and deletes accounts. Hashing takes time, during which the caller may be demoted, the account
// deleted, or the name taken. So everything is checked again inside the one synchronous step that stores.
import { inForce } from '../../auth/in-force.ts'
import { mayAct, type Principal, type Role } from '../../auth/principal.ts'
import { newUserId, type StoredUser } from '../../auth/users.ts'
import { ApiError, exists, invalid, notFound, raise } from '../../errors.ts'
import { type Accounts, ended, proven, type RuledAccounts } from './accounts.ts'

export interface NewUser {
  username: string
  email?: string | undefined
  password: string
  role?: Role | undefined
}

export interface UserChange {
  email?: string | undefined
  password?: string | undefined
  role?: Role | undefined
  active?: boolean | undefined
}

const unknownUser = (id: string) => notFound('user not found', { details: { object: id } })

export const findUser = ({ users }: Accounts, id: string): StoredUser => users.byId(id) ?? raise(unknownUser(id))

/** Throws unless the caller is still the account that sent the request, and still an administrator. */
function stillAdministrator(by: Principal | undefined, users: readonly StoredUser[]): StoredUser {
  const user = inForce(by, users) ?? raise(ended())
  if (!mayAct({ ...by, role: user.role }, 'administrator'))
    throw new ApiError('forbidden', 'The account’s role does not allow this')
  return user
}

export async function createUser(
  { users, passwords, rules }: RuledAccounts,
  wanted: NewUser,
  by?: Principal,
): Promise<StoredUser> {
  const { username, email, password, role = 'viewer' } = wanted
  const refuseTaken = () => {
    if (users.byName(username)) throw exists('The user name is taken', { details: { field: 'username' } })
  }
  refuseTaken()
  rules.check(password, username)
  const hash = await passwords.hash(password, proven(by))
  return users.change((all) => {
    stillAdministrator(by, all)
    refuseTaken()
    const now = new Date().toISOString()
    const user: StoredUser = {
      id: newUserId(),
      username,
      ...(email !== undefined && { email }),
      role,
      active: true,
      created_at: now,
      updated_at: now,
      hash,
      generation: 1,
      ended: [],
    }
    all.push(user)
    return user
  })
}

/** Changes the given members. A new password, role or state ends every token of the account. */
export async function updateUser(
  accounts: RuledAccounts,
  id: string,
  change: UserChange,
  by?: Principal,
): Promise<StoredUser> {
  const { username } = findUser(accounts, id)
  const { email, password, role, active } = change
  if (password !== undefined) accounts.rules.check(password, username)
  const hash = password === undefined ? undefined : await accounts.passwords.hash(password, proven(by))
  return accounts.users.change((all) => {
    stillAdministrator(by, all)
    const user = all.find((one) => one.id === id) ?? raise(unknownUser(id))
    const before = JSON.stringify(user)
    const rights = hash !== undefined || (role ?? user.role) !== user.role || (active ?? user.active) !== user.active
    if (email !== undefined) user.email = email
    user.role = role ?? user.role
    user.active = active ?? user.active
    if (hash !== undefined) {
      user.hash = hash
      delete user.one_time
    }
    if (rights) {
      user.generation += 1
      user.ended = []
    }
    if (JSON.stringify(user) !== before) user.updated_at = new Date().toISOString()
    return user
  })
}

export function removeUser(accounts: Accounts, id: string, by?: Principal): void {
  findUser(accounts, id)
  accounts.users.change((all) => {
    const actor = stillAdministrator(by, all)
    if (actor.id === id) throw invalid('You cannot delete yourself', { details: { object: id } })
    const at = all.findIndex((user) => user.id === id)
    if (at < 0) throw unknownUser(id)
    all.splice(at, 1)
  })
}
