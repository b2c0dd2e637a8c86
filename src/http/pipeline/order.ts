// What every request crosses, in the order in which it happens:
//   method and query, gate, credentials, request limit, permission, body, then (handle.ts) schemas, handler and audit entry.
// The query comes first because credentials may be in it: a stranger hears of an unknown name before anything else. Wrong methods that the
// path could have are refused after the permission, so that a stranger does not learn which there are.
// The trap: a request without a body is answered synchronously when its handler is; one `await` here costs more than all the rest.
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

/** `query`: as it came. */
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

/** A body of a change that takes none is refused where everything that a caller wrote counts. */
const isBodyRefused = <Deps>({ request, options }: Routed<Deps>, { method }: Endpoint<Deps>) =>
  method !== 'GET' && options.wire.query.strict && hasBody(request.incoming)

const takesForm = <Deps>({ form, input, method }: Endpoint<Deps>) =>
  form !== undefined || (input !== undefined && method !== 'GET')

/** Whether strangers are let through to the handler. */
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
 * A form. Its text parts before the first file may carry the credentials (the original takes them anywhere), so a caller who is not `known`
 * is authenticated and admitted while it arrives.
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
    // The next file may be here already: one request is refused once.
    if (refusal !== undefined) throw refusal
    try {
      // Once more: hundreds of bodies may have waited until the first of them had failed.
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
    // Hours may have passed, as slowly as the sender liked: a session that has ended meanwhile begins nothing any more.
    if (known?.via === 'session') authenticateBy({})
    else authorize(form.fields)
    return await invokeHandler(context, endpoint, parameters, form, principal)
  } finally {
    await form.discard()
  }
}

/** Methods that no path of the surface has, and HEAD where there is no GET to answer as. */
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
