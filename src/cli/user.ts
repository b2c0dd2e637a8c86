// `edge-admin user`: for people with access to the machine who lost the password. The server may write the same file at
// the same time: both use one lock, and a file replaced by root still belongs to the server (UserStore).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { accountLabel, isReservedName } from '../auth/actor-words.ts'
import { hashPasswordNow } from '../auth/password.ts'
import { oneTimePassword, UserStore } from '../auth/users.ts'
import { DEFAULT_FOLDERS } from '../folders.ts'
import { recorded } from '../store/audit/inbox.ts'
import { Failure, type Io, onBehalf, parse, say, UsageError } from './command.ts'
import { stateFolder } from './given-folders.ts'
import { becomeServer } from './step-down.ts'

export async function user(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { statedir: { type: 'string' } }, ['ACTION'], 2)
  const [action, name] = positionals
  if (action !== 'list' && action !== 'reset') throw new UsageError(`unknown action ${action}: list or reset`)
  if (action === 'list' && name !== undefined) throw new UsageError(`one word too many: ${name}`)
  if (action === 'reset' && name === undefined) throw new UsageError('a word is missing: NAME (see --help)')
  const state = stateFolder(values)
  const file = join(state, 'users.json')
  if (!existsSync(file))
    throw new Failure(`${file}: no accounts yet: the server makes the first one when its controller surface is on`)
  const users = new UserStore({ ...DEFAULT_FOLDERS, state })
  if (name === undefined) {
    for (const { username, role, active } of users.all())
      say(
        io.stdout,
        `${username.padEnd(32)} ${role}${active ? '' : ', inactive'}${isReservedName(username) ? `, in the audit log ${accountLabel(username)}` : ''}`,
      )
    return 0
  }
  const account = users.byName(name)
  if (!account) throw new Failure('there is no such account: see edge-admin user list')
  const entry = { action: 'users.reset', resource: `users/${account.id}`, by: onBehalf('edge-admin user reset', io) }
  becomeServer(state, join(state, 'tasks'), ['users.json'])
  say(
    io.stdout,
    recorded(state, entry, () => reset(users, name), [file]),
  )
  return 0
}

/** Returns the new password. */
function reset(users: UserStore, name: string): string {
  const password = oneTimePassword()
  const hash = hashPasswordNow(password)
  users.change((all) => {
    const account = all.find(({ username }) => username.toLowerCase() === name.toLowerCase())
    if (!account) throw new Failure('there is no such account: see edge-admin user list')
    account.hash = hash
    account.active = true
    account.generation += 1
    account.ended = []
    delete account.one_time
    account.updated_at = new Date().toISOString()
  })
  return password
}
