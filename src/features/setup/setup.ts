// Set-up: sets the first token and every later one. Another set-up may have won between a request's arrival and this
// call, so the caller's right is checked again here, in the same synchronous step as the change.
import { endFirstRun, storeToken, TOKEN_CHARACTERS, type TokenStore, tokenKey } from '../../auth/token.ts'
import { ApiError, invalid, locked } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { log } from '../../folders.ts'
import { AppendLog } from '../../store/append-log.ts'
import type { Asker, Tasks } from '../../tasks/tasks.ts'
import type { MemoryImage } from '../memory-image.ts'

/**
 * Checks a new token (contract: "between 1 and 255 printable ASCII characters"). Returns it without the trailing spaces
 * that a form may add.
 */
export function readNewToken(value: string | undefined): string {
  const token = value?.replace(/[ \t\r\n]+$/, '')
  if (!token) throw invalid('', { words: 'Expected a value for option: newtoken' })
  if (!/^[\x21-\x7e]+$/.test(token))
    throw invalid(`Missing or invalid string for option: newtoken. Allowed: ${TOKEN_CHARACTERS}`)
  if (token.length > 255) throw invalid('Invalid string length for option: newtoken. Allowed: >= 1 and <= 255')
  return token
}

/** Sets the token if `allowed` still holds or none is set; resolves to false if another caller was faster. */
export type SetToken = (token: string, allowed: () => boolean, by: Asker) => Promise<boolean>

interface SetTokenOptions {
  folders: Folders
  tokens: TokenStore
  tasks: Pick<Tasks, 'start' | 'wait'>
  memory: MemoryImage
  /** What log lines call this machine. */
  label: string
  /** The original's wrapper does it. */
  wrapped: boolean
}

export function tokenSetter({ folders, tokens, tasks, memory, label, wrapped }: SetTokenOptions): SetToken {
  const throughWrapper = async (token: string, by: Asker) => {
    const task = await tasks.start('token', { inputs: { 'api.token': { text: `${token}\n` } }, by })
    if (!task) throw locked('The token is being changed already')
    const ended = await tasks.wait(task.id)
    // What counts is which token is in force, not the wrapper's exit status.
    if (tokens.current() === tokenKey(token)) return endFirstRun(folders)
    const cause = ended?.error
    if (cause?.code === 'NO_SPACE') throw new ApiError('no-space', cause.message)
    throw invalid('', { cause, words: 'The token was not changed: see the log of the task' })
  }
  return async (token, allowed, by) => {
    if (!tokens.isUnset() && !allowed()) return false
    if (wrapped) {
      await throughWrapper(token, by)
      return true
    }
    writeToken(folders, label, token)
    await memory.save()
    return true
  }
}

function writeToken(folders: Folders, label: string, token: string): void {
  const lines = new AppendLog(log(folders, 'update_token.log'))
  // Only the token counts: a log that cannot be written (a full disk) must not turn a change into a failure.
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
}
