// Sends one request of `edge-admin call`, and explains what kept it from being answered. The URL may contain a token,
// so no message of this file may contain the URL.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from './command.ts'
import type { Form } from './form.ts'

/** An update, a restore or a debug bundle may take long; a dead server must not block for ever. */
const SILENCE = 600_000

/** Which server certificates are trusted. */
export type Trust = Pick<RequestOptions, 'ca' | 'rejectUnauthorized'>

/** Sends the request, and returns as soon as the server answers: it may refuse an upload before the last byte. */
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
      // The rest of an upload that was answered early is not needed.
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
