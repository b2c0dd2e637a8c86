// `edge-admin token`: sets the API token without the server. Never from argv, which `ps` shows to everybody; and
// written as the server's user, or a server without root could no longer read it.
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { makeMetricsToken, removeMetricsToken } from '../auth/metrics-token.ts'
import { storeToken, TOKEN_CHARACTERS } from '../auth/token.ts'
import { etc, type Folders } from '../folders.ts'
import { recorded } from '../store/audit/inbox.ts'
import { Failure, type Io, onBehalf, parse, say, UsageError } from './command.ts'
import { commandFolders } from './given-folders.ts'
import { saveState } from './save-state.ts'
import { becomeServer } from './step-down.ts'

const ACTIONS = ['set', 'rotate', 'metrics']

export async function token(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { root: { type: 'string' }, remove: { type: 'boolean' } }, ['ACTION'])
  const action = positionals[0] as string
  if (!ACTIONS.includes(action)) throw new UsageError(`unknown action ${action}: set, rotate or metrics`)
  if (values.remove && action !== 'metrics') throw new UsageError('--remove is for edge-admin token metrics')
  const folders = commandFolders({ root: values.root }, io)
  const parent = statSync(join(folders.root, 'etc'), { throwIfNoEntry: false })
  if (!parent?.isDirectory()) throw new Failure(`${folders.root}: no etc folder in it: run edge-admin init first`)

  if (action === 'metrics') {
    stepDown(folders)
    const by = onBehalf('edge-admin token metrics', io)
    const made = recordedMetrics(folders, by, values.remove === true)
    if (made === undefined) say(io.stderr, 'the token for metrics is removed')
    else say(io.stdout, made)
    return saveState(folders, made === undefined ? 'the removal' : 'the token for metrics', io)
  }
  const value = action === 'set' ? checked(await readLine(io)) : randomBytes(24).toString('base64url')
  stepDown(folders)
  store(folders, value, onBehalf(`edge-admin token ${action}`, io))
  if (action === 'rotate') say(io.stdout, value)
  else say(io.stderr, 'the token is set')
  // Printed first: whatever happens now, a valid token that nobody has seen would lock everybody out.
  return saveState(folders, 'the token', io)
}

function recordedMetrics(folders: Folders, by: string, remove: boolean): string | undefined {
  const entry = { action: remove ? 'metrics-token.remove' : 'metrics-token.update', resource: 'metrics-token', by }
  return recorded(
    join(folders.root, 'etc'),
    entry,
    () => (remove ? void removeMetricsToken(folders) : makeMetricsToken(folders)),
    [etc(folders, 'metrics.token')],
  )
}

function store(folders: Folders, value: string, by: string): void {
  const entry = { action: 'token.update', resource: 'token', by }
  try {
    recorded(join(folders.root, 'etc'), entry, () => storeToken(folders, value), [
      etc(folders, 'api.token'),
      etc(folders, 'api.token.setup'),
    ])
  } catch (error) {
    // The system's message would name a temporary file that no longer exists.
    if (error instanceof Error && 'path' in error) error.path = join(folders.root, 'etc/api.token')
    throw error
  }
}

const stepDown = ({ root }: Folders) =>
  becomeServer(join(root, 'etc'), join(root, 'tmp/incoming'), ['api.token', 'api.token.setup', 'metrics.token'])

function checked(value: string): string {
  if (value.length < 1 || value.length > 255) throw new Failure('a token has 1 to 255 characters')
  if ([...value].some((character) => !TOKEN_CHARACTERS.includes(character))) {
    throw new Failure('a token has only printable ASCII characters and no blanks')
  }
  return value
}

/** The first line of standard input; a second one is refused rather than lost. */
async function readLine({ stdin, stderr }: Io): Promise<string> {
  if (stdin?.isTTY) stderr.write('New token: ')
  let text = ''
  for await (const chunk of stdin ?? []) {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
    if (text.length > 4096 || (stdin?.isTTY && text.includes('\n'))) break
  }
  return text.replace(/\r?\n$/, '')
}
