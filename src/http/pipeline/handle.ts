// Calls the handler, and writes exactly one audit entry for each change and each refused change. The entry of a change
// is on disk before the change is answered.
import { accountOf, nameOf, type Principal } from '../../auth/principal.ts'
import { ApiError, invalid, isFull } from '../../errors.ts'
import type { Json } from '../body/body.ts'
import { contradiction, singles, type Values } from '../body/query.ts'
import type { Received } from '../body/upload.ts'
import { oneOfEach } from '../body/values.ts'
import type { Actor, Endpoint } from '../endpoint.ts'
import { inParts } from '../reply/ranges.ts'
import type { Reply } from '../reply/reply.ts'
import type { Request } from '../request.ts'
import { isRefusal } from '../status.ts'
import type { Routed, Surface } from '../surface.ts'
import { authenticateNow, enterRefusal, reasonOf, statusOf } from './admit.ts'
import { origin, resourceOf } from './audit.ts'
import { parseInput, parseQuery, pick, RequestCall, validate } from './call.ts'
import { HEADER } from './idempotency.ts'
import { handleResource } from './resource.ts'

/** A HEAD is never held back. Made by the first one: Node loads its DOMException for it. */
let atOnce: AbortSignal | undefined

/** The parsed content of the body. */
export interface Input extends Received {
  json?: Json
}

export function invokeHandler<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Values,
  received: Input,
  principal: Principal | undefined,
): Reply | Promise<Reply> {
  const { c, request, options } = context
  const { query: dialect } = options.wire
  const besides = endpoint.form ? pick(parameters, endpoint.form) : {}
  let entry:
    | { event: string; target: string; actor?: string | Actor | undefined; entered?: (() => void) | undefined }
    | undefined
  /** `wait`: the entry must be on disk before the answer. Refusals of strangers do not wait for the disk. */
  const enter = (
    { event, target, actor }: NonNullable<typeof entry>,
    status: number,
    failure?: string,
    isRefused = status < 500,
  ): boolean => {
    const { surface } = options
    // A claimed name proves nothing, not even when another account's token was sent with it.
    const account = actor === undefined ? accountOf(principal) : typeof actor === 'object' ? actor.id : undefined
    const name = (typeof actor === 'object' ? actor.name : actor) ?? nameOf(principal)
    options.audit.write({
      event: failure === undefined ? event : lineEvent(endpoint, event, isRefused),
      action: actionOf(endpoint, event, status, surface),
      target,
      actor: name ?? surface.anonymousActor,
      account,
      name: account === undefined && name === surface.anonymousActor ? undefined : name,
      resource: resourceOf((surface.targets === 'resource' && target) || request.path),
      failure,
      ...origin(request),
    })
    return failure === undefined || account !== undefined
  }
  /**
   * Waits for the disk. The change has been made, so its answer is kept for a retry; only then is a disk error reported
   * to the caller.
   */
  let refusedByDisk: unknown
  const save = async ({ entered }: NonNullable<typeof entry>): Promise<void> => {
    try {
      await options.audit.saved()
      entered?.()
    } catch (error) {
      // Logins and logouts succeed even so, so that an administrator can find out why.
      if (!endpoint.repeatable && endpoint.permission !== 'public') refusedByDisk = error
    }
  }
  const whole = (reply: Reply) =>
    inParts(reply, request.incoming?.headers ?? {}, { head: request.head, fresh: endpoint.acts === true })
  const done = (reply: Reply): Reply | Promise<Reply> => {
    if (!entry && endpoint.method !== 'GET') entry = { event: actionName(endpoint), target: '' }
    if (options.checkResponses) checkResponse(endpoint, reply)
    if (!entry) return whole(reply)
    const failure = reply.status < 400 ? undefined : String(reply.status)
    return enter(entry, reply.status, failure) ? save(entry).then(() => whole(reply)) : whole(reply)
  }
  const refused = (error: unknown): Promise<never> => {
    const status = statusOf(options.surface, error, request)
    let wait: Promise<void> | undefined
    if (entry && enter(entry, status, reasonOf(status, error), isRefusal(error))) wait = save(entry)
    else if (!entry && endpoint.method !== 'GET') {
      enterRefusal(endpoint, request, options, error, principal)
      // A bug may have left a part of the change behind.
      if (!isRefusal(error)) wait = options.audit.saved().catch(() => {})
    }
    return (wait ?? Promise.resolve()).then(() => {
      throw error
    })
  }
  const safe = (reply: Reply): Reply => {
    if (refusedByDisk !== undefined) throw notSafe(refusedByDisk)
    return reply
  }
  try {
    if (endpoint.method !== 'GET' && !endpoint.duringMaintenance) options.surface.refuseChanges?.()
    for (const name in dialect.lastWins || dialect.doubled ? {} : besides) {
      if (name in received.fields && received.fields[name] !== besides[name]) throw contradiction(name)
    }
    if (dialect.strict) refuseUnkept(endpoint, request)
    atOnce ??= request.head ? AbortSignal.abort() : undefined
    const call = new RequestCall(c, request.head && atOnce ? atOnce : options.stopping, {
      params: endpoint.params && validate(endpoint.params, context.params),
      query: endpoint.query ? parseQuery(endpoint.query, parameters, dialect) : {},
      input:
        endpoint.input &&
        parseInput(endpoint.input, { path: context.params, query: parameters, form: received.fields }, dialect),
      fields: endpoint.form
        ? oneOfEach(besides, received.fields, dialect, Object.keys(endpoint.form))
        : singles(received.fields, dialect),
      files: received.files,
      body: endpoint.body && validate(endpoint.body, received.json?.value),
      principal,
      address: request.address,
      requestId: request.id,
      authenticateAgain: () =>
        authenticateNow(
          options.surface,
          request,
          oneOfEach(parameters, received.fields, dialect, options.surface.parameters),
        ),
      audit: (event, target, actor, entered) => {
        entry = { event, target, actor, entered }
      },
    })
    const act = () =>
      endpoint.resource
        ? handleResource(endpoint, call, options.deps, { turns: options.turns, conditions: conditionsOf(request) })
        : endpoint.handle(call, options.deps)
    const once = asksForOnce(endpoint, request, options.surface, principal)
    // Audited before the answer is stored: a retry gets that answer, and must not become the first entry of the change.
    const result = once
      ? once.answers
          .once(
            { ...once, query: parameters, body: received.json?.bytes },
            async () => done(await act()),
            () => entry?.target ?? '',
          )
          .then(({ reply, replayed }) => {
            if (!replayed) return reply
            call.audit(`${actionName(endpoint)}.replayed`, replayed.target)
            return done(reply)
          })
      : act()
    if (!(result instanceof Promise)) {
      const answer = done(result)
      return answer instanceof Promise ? answer.then(safe) : answer
    }
    return result.then(once ? (reply) => reply : done, refused).then(safe)
  } catch (error) {
    return refused(error)
  }
}

/** The change was made but its entry may be lost: neither a success, nor a reason to repeat the change. */
function notSafe(cause: unknown): ApiError {
  const message = 'The change was made, but its entry in the audit log could not be written to the disk'
  return new ApiError(isFull(cause) ? 'no-space' : 'internal', message, { cause })
}

/** The action of a declaration; changes always declare one (test/unit/endpoint-table.test.ts). */
export const actionName = <Deps>({ action, id }: Endpoint<Deps>) => action ?? id

/** Stages of an action other than done: started, only planned, replayed, or refused because the caller has to wait. */
const STAGE = /\.(?:accepted|plan|replayed|backoff)$/

/** The action in the chain: the declaration's word, whatever event the handler gave for the original's line. */
function actionOf<Deps>(endpoint: Endpoint<Deps>, event: string, status: number, surface: Surface): string {
  const stage = STAGE.exec(event)?.[0] ?? (status === 202 && !surface.acceptedIsDone ? '.accepted' : '')
  return `${actionName(endpoint)}${stage}`
}

/** The event in the original's line. The original has no event for failures, so they get a suffix. */
const lineEvent = <Deps>(endpoint: Endpoint<Deps>, event: string, isRefused: boolean) =>
  event !== actionName(endpoint) ? event : `${event}.${isRefused ? 'refused' : 'failed'}`

/** The Idempotency-Key of a request, and whose it is. Throws where an answer cannot be kept. */
function asksForOnce<Deps>(
  { method, repeatable, secret, form, response }: Endpoint<Deps>,
  { incoming, path }: Request,
  { answers }: Surface,
  principal: Principal | undefined,
) {
  const key = incoming?.headers['idempotency-key']
  if (key === undefined || !answers || !principal || method !== 'POST' || repeatable) return undefined
  const details = { field: HEADER }
  // A secret must not be stored, and a file cannot be.
  if (secret || form || typeof response === 'string')
    throw invalid('This request does not accept this header', { details })
  const [value = '', ...more] = incoming?.headersDistinct['idempotency-key'] ?? []
  if (more.length > 0 || !/^[\x20-\x7e]{1,255}$/.test(value))
    throw invalid('Expected 1 to 255 printable ASCII characters', { details })
  return { answers, key: value, account: accountOf(principal), role: principal.role, method, path }
}

/**
 * Refuses a condition that the endpoint does not honor: ignoring it would make a change that the caller wanted only if
 * nothing had changed.
 */
function refuseUnkept<Deps>({ method, resource }: Endpoint<Deps>, { incoming }: Request): void {
  if (method === 'GET' || !incoming) return
  const { headers } = incoming
  const refuse = (field: string, why: string) => invalid(`${field} is not kept here: ${why}`, { details: { field } })
  if (headers['if-unmodified-since'] !== undefined) throw refuse('If-Unmodified-Since', 'send If-Match with the ETag')
  if (resource) return
  if (headers['if-match'] !== undefined) throw refuse('If-Match', 'what this changes has no ETag')
  if (headers['if-none-match'] !== undefined) throw refuse('If-None-Match', 'what this changes has no ETag')
}

const conditionsOf = ({ incoming }: Request) => ({
  match: incoming?.headers['if-match'],
  noneMatch: incoming?.headers['if-none-match'],
})

function checkResponse<Deps>(endpoint: Endpoint<Deps>, reply: Reply): void {
  if (reply.status === 304) return
  if (endpoint.accepted && reply.status === 202) {
    endpoint.accepted.parse(JSON.parse(String(reply.body)))
    return
  }
  if (endpoint.response === 'none') {
    if (reply.body !== '') throw new Error(`${endpoint.id} answers with a body`)
  } else if (typeof endpoint.response === 'string') {
    if (reply.headers['Content-Type']?.split(';')[0] !== endpoint.response)
      throw new Error(`${endpoint.id} answers ${reply.headers['Content-Type']}`)
  } else if (typeof reply.body === 'string' || reply.body instanceof Uint8Array) {
    endpoint.response.parse(JSON.parse(Buffer.from(reply.body).toString()))
  }
  if (reply.status !== (endpoint.status ?? 200)) throw new Error(`${endpoint.id} answers an undeclared ${reply.status}`)
}
