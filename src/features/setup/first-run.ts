// The first run in one step: the API token and the administrator's password. The trap: it is decided again in the same synchronous step that
// changes, since hashing takes time and another set-up may have won; and the password comes first, so that a crash leaves it to be done again.
import { type TokenStore, tokenKey } from '../../auth/token.ts'
import type { StoredUser } from '../../auth/users.ts'
import { ApiError, busy, invalid } from '../../errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { Asker } from '../../tasks/tasks.ts'
import type { Accounts } from '../users/users.ts'
import { readNewToken, type SetToken } from './setup.ts'

export interface FirstRun {
  /** Whether it needs the phrase. */
  phrase: boolean
  /** Whether the administrator's password is to be set as well. */
  password: boolean
}

export interface FirstRunNeeds {
  tokens: TokenStore
  setToken: SetToken
  /** Whether a phrase is made at the first start. */
  phrases: boolean
  accounts: Accounts | undefined
}

const NAME = 'admin'

/** The account of the first start, as long as it is what it was. */
function administrator(accounts: Accounts | undefined): StoredUser | undefined {
  const user = accounts?.users.byName(NAME)
  return user?.active && user.role === 'administrator' ? user : undefined
}

/** What there is to do; undefined once it is done. */
export function firstRun({ tokens, phrases, accounts }: FirstRunNeeds): FirstRun | undefined {
  const phrase = phrases && tokens.pending()
  if (!phrase && !tokens.isUnset()) return undefined
  const user = administrator(accounts)
  // Whoever has the phrase may set the password anew; whoever merely came first may not take it from its owner.
  return { phrase, password: user !== undefined && (phrase || user.one_time === true) }
}

/** Whether this is the phrase, while one is needed. */
export const isPhrase = (tokens: TokenStore, phrase: string | undefined) =>
  phrase !== undefined && tokens.authenticate('', '', { token: phrase }) !== undefined

export interface FirstSecrets {
  phrase?: string | undefined
  token: string
  password?: string | undefined
}

/**
 * Sets both; resolves to the account whose password was set. Undefined where there was none to set: then the token alone is proven. Throws,
 * with nothing changed, when it is done already, by whoever it was.
 */
export async function completeFirstRun(
  needs: FirstRunNeeds,
  { phrase, token, password }: FirstSecrets,
  by: Asker,
): Promise<StoredUser | undefined> {
  const { tokens, setToken, accounts } = needs
  const done = () => busy('Set-up has been done already')
  const wanted = firstRun(needs)
  if (!wanted) throw done()
  const newToken = readNewToken(token)
  if (phrase !== undefined && tokenKey(phrase) === tokenKey(newToken))
    throw invalid('Expected another token than the phrase', { details: { field: 'token' } })
  if (wanted.password !== (password !== undefined))
    throw invalid(wanted.password ? 'The administrator’s password is needed' : 'There is no password to set', {
      details: { field: 'password' },
    })
  const hash =
    password !== undefined ? await accounts?.passwords.hash(password, { address: 'first run', known: true }) : undefined
  const now = firstRun(needs)
  if (!now || now.phrase !== wanted.phrase || now.password !== wanted.password) throw done()
  const allowed = () => !now.phrase || isPhrase(tokens, phrase)
  if (!allowed()) throw new ApiError('forbidden', 'This is not the phrase')
  const user = hash === undefined ? undefined : accounts && setPassword(accounts, hash)
  checkpoint('first-run-password-set')
  if (!(await setToken(newToken, allowed, by))) throw done()
  return user
}

function setPassword({ users }: Accounts, hash: string): StoredUser {
  return users.change((all) => {
    const user = all.find(({ username }) => username === NAME)
    if (!user) throw busy('The account has been removed meanwhile')
    user.hash = hash
    delete user.one_time
    user.generation += 1
    user.ended = []
    user.updated_at = new Date().toISOString()
    return user
  })
}
