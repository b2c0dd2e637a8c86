// The steps of every request, in order:
// method and query, gate, credentials, request limit, permission, body, then (handle.ts) schemas, handler, audit entry.
// The query comes first because it may hold credentials: an unknown name is reported before anything else. Known
// methods that the path lacks are refused after the permission check, so that strangers cannot discover the methods.
// A request without a body must stay synchronous if its handler is: one `await` here costs more than all the rest.
import type { Principal } from '../../auth/principal.ts'
import { isForm, readForm, readJson, refuseBody } from '../body/body.ts'
import { discardBody, hasBody } from '../body/discard.ts'
import type { Values } from '../body/query.ts'
import { oneOfEach } from '../body/values.ts'
import { changes, type Endpoint } from '../endpoint.ts'
import { nothing, type Reply } from '../reply/reply.ts'
import type { Routed } from '../surface.ts'
import { admit, allowedMethods, authenticateNow, enterRefusal, isKnown, knownNames, precheck } from './admit.ts'
import { type Input, invokeHandler } from './handle.ts'

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

const NO_BODY: Input = Object.freeze({ fields: Object.freeze(Object.create(null)), files: Object.freeze({}) })

/** `query`: the raw query string. */
export function answerRequest<Deps>(context: Routed<Deps>, query: string): Reply | Promise<Reply> {
  const { request, group } = context
  const { surface, wire } = context.options
  const endpoint = group.find(({ method }) => method === request.method)
  if (request.method === 'OPTIONS' && wire.options === 'allow') return allowed(context)
  refuseStrangeMethod(context, endpoint)
  const parameters = readParameters(context, endpoint, query)
  surface.gate(request, endpoint)
  const proven = surface.authenticate(request, oneOfEach(parameters, undefined, wire.query, surface.parameters))
  return proven instanceof Promise
    ? proven.then((principal) => afterAuthentication(context, endpoint, parameters, principal))
    : afterAuthentication(context, endpoint, parameters, proven)
}

function afterAuthentication<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps> | undefined,
  parameters: Values,
  principal: Principal | undefined,
): Reply | Promise<Reply> {
  const { request, options } = context
  if (!endpoint?.unlimited) options.surface.count?.(request, principal)
  if (!principal && endpoint && takesForm(endpoint) && !isOpen(endpoint) && isForm(request.incoming))
    return withForm(context, endpoint, parameters, undefined)
  const admitted = admit(context, endpoint, principal)
  if (admitted.form || (takesForm(admitted) && hasBody(request.incoming)))
    return withForm(context, admitted, parameters, principal)
  if (admitted.body || isBodyRefused(context, admitted)) return withBody(context, admitted, parameters, principal)
  discardBody(request.incoming)
  return invokeHandler(context, admitted, parameters, NO_BODY, principal)
}

/** Whether the body of a change that takes none is refused, as in strict dialects. */
const isBodyRefused = <Deps>({ request, options }: Routed<Deps>, { method }: Endpoint<Deps>) =>
  method !== 'GET' && options.wire.query.strict && hasBody(request.incoming)

const takesForm = <Deps>({ form, input, method }: Endpoint<Deps>) =>
  form !== undefined || (input !== undefined && method !== 'GET')

/** Whether anonymous callers reach the handler. */
const isOpen = <Deps>({ permission }: Endpoint<Deps>) => permission === 'public' || permission === 'set-up'

/** A JSON body, or one that must be empty. */
async function withBody<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Values,
  principal: Principal | undefined,
): Promise<Reply> {
  const { request, options } = context
  let input = NO_BODY
  try {
    if (endpoint.body) input = { ...NO_BODY, json: await readJson(request, options.config, options.wire) }
    else await refuseBody(request, options.config)
  } catch (error) {
    enterRefusal(endpoint, request, options, error, principal)
    throw error
  }
  return invokeHandler(context, endpoint, parameters, input, principal)
}

/**
 * A form. Its text fields before the first file may carry the credentials (the original accepts them anywhere), so a
 * caller who is not yet `known` is authenticated and admitted while the form arrives.
 */
async function withForm<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Values,
  known: Principal | undefined,
): Promise<Reply> {
  const { request, options } = context
  let principal = known
  let refusal: unknown
  const authenticateBy = (fields: Values) => {
    const { surface, wire } = options
    principal = authenticateNow(surface, request, oneOfEach(parameters, fields, wire.query, surface.parameters))
    admit(context, endpoint, principal)
  }
  const authorize = (fields: Values) => {
    if (principal) return
    // The next file may already be here: a request is refused only once.
    if (refusal !== undefined) throw refusal
    try {
      // Checked again: hundreds of bodies may have been waiting when the first guess failed.
      options.surface.gate(request, endpoint)
      authenticateBy(fields)
    } catch (error) {
      refusal = error
      throw error
    }
  }
  if (known) precheck(endpoint, request, options, known)
  const form = await readForm(request, endpoint, options, authorize)
  try {
    // A slow upload may take hours: a session that ended meanwhile may not start anything.
    if (known?.via === 'session') authenticateBy({})
    else authorize(form.fields)
    return await invokeHandler(context, endpoint, parameters, form, principal)
  } finally {
    await form.discard()
  }
}

/** Refuses methods that no path of the surface has, and HEAD where there is no GET. */
function refuseStrangeMethod<Deps>({ request, options, group }: Routed<Deps>, endpoint: Endpoint<Deps> | undefined) {
  const headless = !endpoint || endpoint.acts || options.wire.head === 'refuse'
  if (request.head ? headless : !METHODS.includes(request.method))
    throw options.surface.wrongMethod(request.head ? 'HEAD' : request.method, allowedMethods(group, options.wire))
}

function allowed<Deps>({ request, options, group }: Routed<Deps>): Reply {
  discardBody(request.incoming)
  return nothing(200, { Allow: allowedMethods(group, options.wire).join(', ') })
}

function readParameters<Deps>(
  { options: { surface, wire }, group }: Routed<Deps>,
  endpoint: Endpoint<Deps> | undefined,
  query: string,
): Values {
  const { read, unknown } = wire.query
  const parameters = read(query, (endpoint ? [endpoint] : group).some(changes))
  if (!unknown) return parameters
  for (const name in parameters) {
    if (!isKnown(name, endpoint, group, surface)) throw unknown(name, () => knownNames(endpoint, group))
  }
  return parameters
}
