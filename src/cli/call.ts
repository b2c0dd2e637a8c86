// `edge-admin call`: one signed request to an appliance. Token and hash are in the URL (the contract wants them there),
// so no message of this file may ever hold the URL.
import { createHmac } from 'node:crypto'
import { tokenKey } from '../auth/token.ts'
import { edited, Failure, type Io, parse, say, UsageError } from './command.ts'
import { createForm } from './form.ts'
import { jsonBody, logIn, password } from './log-in.ts'
import { printBody, saveBody } from './reply-body.ts'
import { send } from './send.ts'

const PREFIX = '/api/v1/admin/'
/** The storage API, which accepts accounts and not the token. */
const STORAGE = '/api/v1/'
const OPTIONS = {
  form: { type: 'string', short: 'F', multiple: true },
  output: { type: 'string', short: 'o' },
  url: { type: 'string', default: 'https://127.0.0.1:8443' },
  'token-file': { type: 'string' },
  'token-in-query': { type: 'boolean', default: false },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  json: { type: 'string' },
  ca: { type: 'string' },
  insecure: { type: 'boolean', default: false },
} as const

export async function call(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, OPTIONS, ['METHOD', 'PATH'])
  const method = (positionals[0] as string).toUpperCase()
  if (!/^[A-Z]{1,16}$/.test(method)) throw new UsageError('the method is a word such as GET or POST')
  const { user, json } = values
  if (user !== undefined && (values['token-file'] !== undefined || values['token-in-query']))
    throw new UsageError('--user, or the token: not both')
  if (user === undefined && values['password-file'] !== undefined) throw new UsageError('--password-file needs --user')
  if (json !== undefined && values.form) throw new UsageError('--json, or -F: not both')
  const url = target(values.url, positionals[1] as string, user === undefined ? PREFIX : STORAGE)
  const form = json === undefined ? values.form && createForm(values.form) : jsonBody(json)
  const tls = { rejectUnauthorized: !values.insecure, ca: values.ca && edited(values.ca) }

  const headers: Record<string, string> = {}
  if (user === undefined) sign(url, method, credentials(values['token-file'], io.env), values['token-in-query'])
  else headers['Authorization'] = `Bearer ${await logIn(url, tls, user, await password(values['password-file'], io))}`
  const response = await send(url, { method, ...tls, headers }, form)
  say(io.stderr, `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`)
  const status = response.statusCode ?? 0
  const good = status >= 200 && status < 300
  // An error is for the reader, so it does not go into the file.
  if (values.output !== undefined && good) await saveBody(response, values.output)
  else await printBody(response, io.stdout)
  return good ? 0 : 1
}

/** The named server and no other, whatever the path contains. */
function target(base: string, path: string, prefix: string): URL {
  if (!URL.canParse(base)) throw new UsageError('--url is not an address such as https://127.0.0.1:8443')
  const url = new URL(base)
  if (!/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.username || url.password) {
    throw new UsageError('--url is only a scheme, a host and a port')
  }
  const question = path.indexOf('?')
  const name = question < 0 ? path : path.slice(0, question)
  url.pathname = name.startsWith('/') ? name : prefix + name
  url.search = question < 0 ? '' : path.slice(question)
  return url
}

/** The token itself, or only its digest if the file contains just that: enough for the hash. */
type Credentials = { key: string; token?: string }

function credentials(file: string | undefined, env: Io['env']): Credentials | undefined {
  const line = file === undefined ? env['EDGE_ADMIN_TOKEN'] : edited(file).split('\n', 1)[0]?.replace(/\r$/, '')
  if (!line) {
    if (file !== undefined) throw new Failure(`${file}: no token in it`)
    return undefined
  }
  const stored = /^sha256 ([0-9a-f]{64})$/.exec(line)?.[1]
  return stored ? { key: stored } : { key: tokenKey(line), token: line }
}

function sign(url: URL, method: string, found: Credentials | undefined, inQuery: boolean): void {
  if (inQuery && !found?.token) throw new Failure('--token-in-query needs the token itself')
  if (!found) return
  // The signature covers the path as the server decodes it, without the query.
  const message = method + decoded(url.pathname)
  const pair = inQuery
    ? `token=${encodeURIComponent(found.token as string)}`
    : `hash=${createHmac('sha256', found.key).update(message).digest('hex')}`
  url.search = url.search ? `${url.search}&${pair}` : pair
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new UsageError('the path is not percent-encoded UTF-8')
  }
}
