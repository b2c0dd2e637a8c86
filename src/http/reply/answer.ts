// Turns a reply or an error into the response that Hono sends, with the surface's headers.
import { Readable } from 'node:stream'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { ApiError, type ErrorKind, knownError, notFound } from '../../errors.ts'
import { discardBody, hasBody } from '../body/discard.ts'
import type { Asked, Env, Request } from '../request.ts'
import type { CallerOf } from '../server/peer.ts'
import { answerText } from '../server/refusal.ts'
import type { MountOptions, Surface } from '../surface.ts'
import { headOnly } from './ranges.ts'
import type { Reply } from './reply.ts'

/** What a request is made from. */
type Caller = { env?: Env['Bindings'] | undefined; req: Pick<Asked['req'], 'method'> }
type Answering = { request: Request; options: Pick<MountOptions<unknown>, 'surface' | 'answered' | 'callerOf'> }

let requests = 0
const processId = Math.floor(Math.random() * 36 ** 4).toString(36)
const nextRequestId = () => `${processId}-${(++requests).toString(36)}`

/** Makes the request object: every path through the server needs one. */
export function newRequest(c: Caller, path: string, callerOf: CallerOf, template = ''): Request {
  const incoming = c.env?.incoming
  const head = c.req.method === 'HEAD'
  return {
    method: head ? 'GET' : c.req.method,
    head,
    path,
    template,
    address: callerOf(incoming),
    id: nextRequestId(),
    started: performance.now(),
    incoming,
    outgoing: c.env?.outgoing,
    cookie: undefined,
  }
}

export function respond({ request, options }: Answering, reply: Reply, error?: unknown): Response {
  options.answered(request, reply.status, error)
  const headers = options.surface.headers(request)
  for (const name in reply.headers) headers[name] = reply.headers[name] as string
  if (headers['Content-Type'] === '') delete headers['Content-Type']
  if (request.head) {
    headOnly(reply, headers)
    return new Response(null, { status: reply.status, headers })
  }
  if (reply.follow && request.outgoing) {
    request.outgoing.writeHead(reply.status, headers)
    request.outgoing.flushHeaders()
    reply.follow(request.outgoing)
    return RESPONSE_ALREADY_SENT
  }
  const body = reply.body instanceof Readable ? (Readable.toWeb(reply.body) as ReadableStream) : (reply.body as string)
  return new Response(isBare(reply.status) ? null : body, { status: reply.status, headers })
}

/** Statuses whose answers have no body, not even an empty one. */
const isBare = (status: number) => status === 204 || status === 304

export function fail(context: Answering, error: unknown): Response {
  const known = knownError(error)
  const { incoming } = context.request
  const reply = context.options.surface.renderError(known, context.request)
  // The rest of the body is not read: the connection closes after this answer.
  if (hasBody(incoming) && !incoming?.complete) reply.headers['Connection'] = 'close'
  return respond(context, reply, known.kind === 'internal' ? (known.cause ?? known) : known)
}

/** The complete answer to bytes that are not HTTP: there is no request to attach it to. */
export function unparsedText(surface: Surface, kind: ErrorKind): string {
  const request = newRequest({ req: { method: 'GET' } }, '', () => 'local')
  const { status, headers, body } = surface.renderError(new ApiError(kind, ''), request)
  const all = { ...surface.headers(request), ...headers, Connection: 'close' }
  return answerText({ status, headers: all, body: typeof body === 'string' ? body : '' })
}

/** For paths without an endpoint, and for malformed targets. */
export function notFoundReply(c: Caller, options: Answering['options'], error = notFound()): Response {
  const request = newRequest(c, c.env?.target?.path ?? '', options.callerOf)
  discardBody(request.incoming)
  return respond({ request, options }, options.surface.renderError(error, request), error)
}

/**
 * For a malformed request head. The bytes that follow may start in the middle of a message, so the connection is
 * closed.
 */
export function objectionReply(c: Caller, path: string, options: Answering['options'], error: ApiError): Response {
  const request = newRequest(c, path, options.callerOf)
  const reply = options.surface.renderError(error, request)
  reply.headers['Connection'] = 'close'
  return respond({ request, options }, reply, error)
}
