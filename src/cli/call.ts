// `edge-admin call`: one signed request to an appliance. The trap: token and hash are in the URL (the contract wants them there), so
// no message of this file may ever hold the URL.
import { createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { tokenKey } from '../auth/token.ts'
import { edited, Failure, type Io, parse, say, UsageError } from './command.ts'
import { createForm, type Form } from './form.ts'
import { jsonBody, logIn, password } from './log-in.ts'
import { printBody, saveBody } from './reply-body.ts'

const PREFIX = '/api/v1/admin/'
/** Of the storage API, which takes accounts and not the token. */
const STORAGE = '/api/v1/'
/** An update, a restore or a debug bundle may keep us waiting; a dead server may not for ever. */
const SILENCE = 600_000

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
  // An error's text is for the reader, not for the file.
  if (values.output !== undefined && good) await saveBody(response, values.output)
  else await printBody(response, io.stdout)
  return good ? 0 : 1
}

/** The server that was named, and no other, whatever the path says. */
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

/** The token itself, or only its digest when that is all the file holds: enough for the hash. */
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
  // What is signed is the path as the server decodes it, without the query.
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

/** Which certificate of the other side is believed. */
export type Trust = Pick<RequestOptions, 'ca' | 'rejectUnauthorized'>

/** Sends, and answers as soon as the server does: it may refuse an upload before the last byte. */
export function send(
  url: URL,
  options: Omit<RequestOptions, 'headers'> & { headers?: Record<string, string> },
  form: Form | undefined,
): Promise<IncomingMessage> {
  const headers: Record<string, string | number> = { 'User-Agent': 'edge-admin', Accept: '*/*', ...options.headers }
  if (form) Object.assign(headers, { 'Content-Type': form.contentType, 'Content-Length': form.length })
  else if (options.method !== 'GET' && options.method !== 'HEAD') headers['Content-Length'] = 0
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = open(url, { ...options, headers, agent: false, timeout: SILENCE })
    request.on('timeout', () => request.destroy(new Failure('the server is silent')))
    request.on('response', (response) => {
      // Nobody reads the rest of an upload that was answered early.
      response.once('end', () => request.destroy())
      resolve(response)
    })
    request.on('error', (error) => reject(explain(error, url)))
    if (!form) request.end()
    // A failed upload shows up as the request's own error, or no longer matters because the answer is there.
    else pipeline(Readable.from(form.body()), request).catch((error) => reject(explain(error, url)))
  })
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up',
  ETIMEDOUT: 'no answer',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut',
}
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO|CERT_|ERR_TLS_CERT/

function explain(error: Error, url: URL): Error {
  const code = 'code' in error ? String(error.code) : ''
  if (error instanceof Failure || 'path' in error) return error
  if (UNTRUSTED.test(code))
    return new Failure(`${url.host}: its certificate is not trusted (${code}): use --ca or --insecure`)
  return new Failure(`${url.host}: ${REASONS[code] ?? (code || 'the request failed')}`)
}
