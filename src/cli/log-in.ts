// `edge-admin call --user`: exchanges a name and a password for a token of the storage API. The password comes from a
// file, the environment or standard input, never from argv, which `ps` shows to everybody.
import { text } from 'node:stream/consumers'
import { parseJson } from '../store/atomic.ts'
import { decodeText } from '../store/text.ts'
import { edited, Failure, type Io, UsageError } from './command.ts'
import type { Form } from './form.ts'
import { send, type Trust } from './send.ts'

const LOGIN = '/api/v1/auth/login'

export async function password(file: string | undefined, { env, stdin }: Io): Promise<string> {
  if (file !== undefined) return firstLine(edited(file)) || missing(`${file}: no password in it`)
  const given = env['EDGE_ADMIN_PASSWORD']
  if (given) return given
  // A terminal would echo it.
  if (!stdin || stdin.isTTY)
    throw new UsageError('--user needs --password-file, EDGE_ADMIN_PASSWORD or a password on standard input')
  const typed: Uint8Array[] = []
  for await (const chunk of stdin) typed.push(Buffer.from(chunk as Uint8Array))
  return decoded(Buffer.concat(typed)).replace(/\r?\n$/, '') || missing('there is no password on standard input')
}

const firstLine = (words: string) => words.split('\n', 1)[0]?.replace(/\r$/, '')

function decoded(bytes: Uint8Array): string {
  try {
    return decodeText(bytes)
  } catch (cause) {
    throw new Failure(`standard input: ${cause instanceof Error ? cause.message : cause}; expected UTF-8`)
  }
}

function missing(words: string): never {
  throw new Failure(words)
}

export async function logIn(url: URL, tls: Trust, username: string, word: string): Promise<string> {
  const to = new URL(LOGIN, url)
  const response = await send(to, { ...tls, method: 'POST', headers: {} }, render({ username, password: word }))
  const answer = parseJson(await text(response)) as { token?: unknown; message?: unknown } | undefined
  if (response.statusCode === 200 && typeof answer?.token === 'string') return answer.token
  const reason = typeof answer?.message === 'string' ? answer.message : `HTTP ${response.statusCode}`
  throw new Failure(`${url.host}: the log-in was refused: ${reason}`)
}

/** `--json TEXT` or `--json @FILE`: refused here if it is not JSON. */
export function jsonBody(value: string): Form {
  const source = value.startsWith('@') ? edited(value.slice(1)) : value
  try {
    return render(JSON.parse(source))
  } catch {
    throw new Failure(value.startsWith('@') ? `${value.slice(1)}: not JSON` : '--json: not JSON')
  }
}

function render(value: unknown): Form {
  const bytes = Buffer.from(JSON.stringify(value))
  return {
    contentType: 'application/json',
    length: bytes.length,
    async *body() {
      yield bytes
    },
  }
}
