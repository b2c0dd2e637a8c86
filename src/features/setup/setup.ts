// Set-up: the first token, and every later one. The trap: between a request's arrival and this call another set-up may have won, so
// the caller's right is checked again here, in the same synchronous step as the change.
import { storeToken, TOKEN_CHARACTERS, type TokenStore } from '../../auth/token.ts'
import type { Folders } from '../../folders.ts'
import { log } from '../../folders.ts'
import { invalid } from '../../http/errors.ts'
import { AppendLog } from '../../store/append-log.ts'

/** Checks a new token (contract: "between 1 and 255 printable ASCII characters"). Returns it without the trailing blanks a form may add. */
export function readNewToken(value: string | undefined): string {
  const token = value?.replace(/[ \t\r\n]+$/, '')
  if (!token) throw invalid('', { words: 'Expected a value for option: newtoken' })
  if (!/^[\x21-\x7e]+$/.test(token))
    throw invalid(`Missing or invalid string for option: newtoken. Allowed: ${TOKEN_CHARACTERS}`)
  if (token.length > 255) throw invalid('Invalid string length for option: newtoken. Allowed: >= 1 and <= 255')
  return token
}

/** Sets the token when `allowed` still holds or none is set; false when somebody else was first. */
export function setToken(
  folders: Folders,
  tokens: TokenStore,
  label: string,
  token: string,
  allowed: () => boolean,
): boolean {
  if (!tokens.isUnset() && !allowed()) return false
  const lines = new AppendLog(log(folders, 'update_token.log'))
  // The token is what counts: a log that cannot be written (a full disk) must not turn a change that was made into a failure.
  const write = (text: string) => {
    try {
      lines.append(`[${Math.floor(Date.now() / 1000)}][${label}] ${text}`)
    } catch {}
  }
  try {
    write('Updating API token. Please wait..')
    storeToken(folders, token)
    write('Updating API token successful')
  } finally {
    lines.close()
  }
  return true
}
