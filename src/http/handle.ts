// Calls the handler, and leaves exactly one audit entry for each change and each refusal of one.
import { accountOf, type Principal } from '../auth/principal.ts'
import { authenticateNow, enterRefusal, reasonOf } from './admit.ts'
import { origin, resourceOf } from './audit.ts'
import { parseQuery, pick, RequestCall, validate } from './call.ts'
import type { Actor, Endpoint } from './endpoint.ts'
import { invalid } from './errors.ts'
import { HEADER } from './idempotency.ts'
import type { Parameters } from './query.ts'
import type { Reply } from './reply.ts'
import { handleResource } from './resource.ts'
import type { Request, Routed, Surface } from './surface.ts'
import type { Received } from './upload.ts'

/** What came in the body. */
export interface Input extends Received {
  json?: { value: unknown; bytes: Uint8Array }
}

export function run<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Parameters,
  received: Input,
  principal: Principal | undefined,
): Reply | Promise<Reply> {
  const { c, request, options } = context
  const fields = endpoint.form ? { ...received.fields, ...pick(parameters, endpoint.form) } : received.fields
  let entry:
    | { event: string; target: string; actor?: string | Actor | undefined; entered?: (() => void) | undefined }
    | undefined
  const enter = ({ event, target, actor, entered }: NonNullable<typeof entry>, failure?: string) => {
    const { surface } = options
    // A mere name proves nothing, not even beside a token of somebody else.
    const account = actor === undefined ? accountOf(principal) : typeof actor === 'object' ? actor.id : undefined
    const name = (typeof actor === 'object' ? actor.name : actor) ?? principal?.name
    options.audit.write({
      event,
      target,
      actor: name ?? surface.nobody,
      account,
      name: account === undefined && name === surface.nobody ? undefined : name,
      resource: resourceOf((surface.targets === 'resource' && target) || request.path),
      failure,
      ...origin(request),
    })
    entered?.()
  }
  const done = (reply: Reply): Reply => {
    if (!entry && endpoint.method !== 'GET') entry = { event: endpoint.action ?? endpoint.id, target: '' }
    if (entry) enter(entry, reply.status < 400 ? undefined : String(reply.status))
    if (options.checkResponses) checkResponse(endpoint, reply)
    return reply
  }
  const refused = (error: unknown): never => {
    if (entry) enter(entry, reasonOf(error))
    else if (endpoint.method !== 'GET') enterRefusal(endpoint, request, options, error, principal)
    throw error
  }
  try {
    if (endpoint.method !== 'GET' && !endpoint.duringMaintenance) options.surface.refuseChanges?.()
    const call = new RequestCall(c, options.stopping, {
      params: endpoint.params && validate(endpoint.params, context.params),
      query: endpoint.query ? parseQuery(endpoint.query, parameters) : {},
      fields,
      files: received.files,
      body: endpoint.body && validate(endpoint.body, received.json?.value),
      principal,
      address: request.address,
      requestId: request.id,
      authenticateAgain: () => authenticateNow(options.surface, request, { ...received.fields, ...parameters }),
      audit: (event, target, actor, entered) => {
        entry = { event, target, actor, entered }
      },
    })
    const act = () =>
      endpoint.resource
        ? handleResource(endpoint, call, options.deps, { turns: options.turns, conditions: conditionsOf(request) })
        : endpoint.handle(call, options.deps)
    const once = asksForOnce(endpoint, request, options.surface, principal)
    const result = once
      ? once.answers
          .once({ ...once, query: parameters, body: received.json?.bytes }, act, () => entry?.target ?? '')
          .then(({ reply, replayed }) => {
            if (replayed) call.audit(`${endpoint.action ?? endpoint.id}.replayed`, replayed.target)
            return reply
          })
      : act()
    return result instanceof Promise ? result.then(done, refused) : done(result)
  } catch (error) {
    return refused(error)
  }
}

/** The Idempotency-Key of a request that is heard for it, and whose it is. Throws where one cannot be kept. */
function asksForOnce<Deps>(
  { method, repeatable, secret, form, response }: Endpoint<Deps>,
  { incoming, path }: Request,
  { answers }: Surface,
  principal: Principal | undefined,
) {
  const key = incoming?.headers['idempotency-key']
  if (key === undefined || !answers || !principal || method !== 'POST' || repeatable) return undefined
  const details = { field: HEADER }
  // An answer that is a secret must not be kept, one that is a file cannot be.
  if (secret || form || typeof response === 'string') throw invalid('This request takes no such header', { details })
  const [value = '', ...more] = incoming?.headersDistinct['idempotency-key'] ?? []
  if (more.length > 0 || !/^[\x20-\x7e]{1,255}$/.test(value))
    throw invalid('Expected 1 to 255 printable ASCII characters', { details })
  const account = principal.session?.user ?? `${principal.via} ${principal.name}`
  return { answers, key: value, account, role: principal.role, method, path }
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
  if (typeof endpoint.response === 'string') {
    if (reply.headers['Content-Type']?.split(';')[0] !== endpoint.response)
      throw new Error(`${endpoint.id} answers ${reply.headers['Content-Type']}`)
  } else if (typeof reply.body === 'string' || reply.body instanceof Uint8Array) {
    endpoint.response.parse(JSON.parse(Buffer.from(reply.body).toString()))
  }
  if (reply.status !== (endpoint.status ?? 200)) throw new Error(`${endpoint.id} answers an undeclared ${reply.status}`)
}
