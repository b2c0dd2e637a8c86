// The first run in one step: the API token and the administrator's password. Hashing takes time and another set-up may
// win meanwhile, so the right to do it is checked again in the same synchronous step as the change. The password is set
// first, so that after a crash the first run is repeated.
import { type TokenStore, tokenKey } from '../../auth/token.ts'
import type { StoredUser } from '../../auth/users.ts'
import { ApiError, changed, failedPrecondition, invalid } from '../../errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { Asker } from '../../tasks/tasks.ts'
import { type Accounts, type RuledAccounts, replaceHash } from '../users/accounts.ts'
import { readNewToken, type SetToken } from './setup.ts'

export interface FirstRun {
  /** Whether the phrase is required. */
  phrase: boolean
  /** Whether the administrator's password is set as well. */
  password: boolean
}

export interface FirstRunNeeds {
  tokens: TokenStore
  setToken: SetToken
  /** Whether a phrase is generated at the first start. */
  phrases: boolean
  accounts: RuledAccounts | undefined
}

const NAME = 'admin'

/** The account of the first start, as long as it is unchanged. */
function administrator(accounts: Accounts | undefined): StoredUser | undefined {
  const user = accounts?.users.byName(NAME)
  return user?.active && user.role === 'administrator' ? user : undefined
}

/** What the first run has to do; undefined once it is done. */
export function firstRun({ tokens, phrases, accounts }: FirstRunNeeds): FirstRun | undefined {
  const phrase = phrases && tokens.pending()
  if (!phrase && !tokens.isUnset()) return undefined
  const user = administrator(accounts)
  // With the phrase the password may be set again; without it, only while it is the one-time one, so that nobody can
  // take it from its owner.
  return { phrase, password: user !== undefined && (phrase || user.one_time === true) }
}

/** Whether this is the phrase, if one is required. */
export const isPhrase = (tokens: TokenStore, phrase: string | undefined) =>
  phrase !== undefined && tokens.authenticate('', '', { token: phrase }) !== undefined

export interface FirstSecrets {
  phrase?: string | undefined
  token: string
  password?: string | undefined
}

/**
 * Sets both; resolves to the account whose password was set, or undefined if only the token was. Throws, with nothing
 * changed, if another set-up was faster.
 */
export async function completeFirstRun(
  needs: FirstRunNeeds,
  { phrase, token, password }: FirstSecrets,
  by: Asker,
): Promise<StoredUser | undefined> {
  const { tokens, setToken, accounts } = needs
  const done = () => failedPrecondition('Set-up has been done already')
  const wanted = firstRun(needs)
  if (!wanted) throw done()
  const newToken = readNewToken(token)
  if (phrase !== undefined && tokenKey(phrase) === tokenKey(newToken))
    throw invalid('The token must differ from the phrase', { details: { field: 'token' } })
  if (wanted.password !== (password !== undefined))
    throw invalid(wanted.password ? 'The administrator’s password is needed' : 'There is no password to set', {
      details: { field: 'password' },
    })
  if (password !== undefined) accounts?.rules.check(password, NAME)
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
    if (!user) throw changed('The account has been removed meanwhile')
    return replaceHash(user, hash)
  })
}
