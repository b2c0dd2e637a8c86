// Bodies: a JSON document or a form, read only once the caller may pass. The trap: credentials may be text parts of a form, so there the
// decision is made while it arrives, before the first byte of a file.
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Principal } from '../../auth/principal.ts'
import type { Configuration } from '../../config.ts'
import { invalid } from '../../errors.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import type { Endpoint } from '../endpoint.ts'
import { admit, authenticateNow, enterRefusal, precheck } from '../pipeline/admit.ts'
import { type Input, run } from '../pipeline/handle.ts'
import type { Reply } from '../reply/reply.ts'
import type { Routed } from '../surface.ts'
import { checkJsonHeaders, JSON_LIMIT, parseJson, readBytes } from './json-body.ts'
import type { Parameters } from './query.ts'
import { type Received, receive, tooLarge } from './upload.ts'

const SMALLEST_BODY_LIMIT = 1 << 20

export async function readJson<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Parameters,
  principal: Principal | undefined,
): Promise<Reply> {
  const { request, options } = context
  let json: Input['json']
  try {
    if (!request.incoming) throw invalid('', { words: 'A body is missing' })
    checkJsonHeaders(request.incoming, JSON_LIMIT)
    sayContinue(context)
    const bytes = await readBytes(request.incoming, JSON_LIMIT, options.config.limits['idle-seconds'] * 1000)
    json = { bytes, value: parseJson(bytes) }
  } catch (error) {
    enterRefusal(endpoint, request, options, error, principal)
    throw error
  }
  return run(context, endpoint, parameters, { fields: Object.create(null), files: {}, json }, principal)
}

/**
 * A body where none is taken, say `{"dry_run":true}` of a DELETE: what is in it was meant, and would be dropped. An empty one, `{}` and
 * `null` mean nothing; libraries send them.
 */
export async function readNothing<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Parameters,
  principal: Principal | undefined,
): Promise<Reply> {
  const { request, options } = context
  try {
    if (!request.incoming) throw invalid('')
    sayContinue(context)
    const bytes = await readBytes(request.incoming, JSON_LIMIT, options.config.limits['idle-seconds'] * 1000)
    if (!/^\s*(?:\{\s*\}|null)?\s*$/.test(Buffer.from(bytes).toString('latin1')))
      throw invalid('This request takes no body: what it takes is in its query')
  } catch (error) {
    enterRefusal(endpoint, request, options, error, principal)
    throw error
  }
  return run(context, endpoint, parameters, { fields: Object.create(null), files: {} }, principal)
}

/** Credentials may be text parts of the form, before its first file (the original takes them anywhere). */
export async function readForm<Deps>(
  context: Routed<Deps>,
  endpoint: Endpoint<Deps>,
  parameters: Parameters,
  early: Principal | undefined,
): Promise<Reply> {
  const { request, options, group } = context
  let principal = early
  let refusal: unknown
  const authorize = (fields: Parameters) => {
    if (principal) return
    // The next file may be here already: one request is refused once.
    if (refusal !== undefined) throw refusal
    try {
      // Once more: hundreds of bodies may have waited until the first of them had failed.
      options.surface.gate(request, endpoint)
      principal = authenticateNow(options.surface, request, { ...fields, ...parameters })
      admit(context, endpoint, principal, group)
    } catch (error) {
      refusal = error
      throw error
    }
  }
  if (!request.incoming) throw invalid('', { words: 'A body is missing' })
  if (principal) precheck(endpoint, request, options, principal)
  refuseTooLarge(endpoint, request.incoming, options.config)
  // An operator may have emptied tmp/ under us.
  for (const folder of Object.values(options.incoming)) ensureFolder(folder)
  sayContinue(context)
  const form = endpoint.form ?? {}
  const part = (name: string) => form[name]
  const received = await receive(request.incoming, {
    form,
    extra: (name) => options.surface.parameters.includes(name),
    lastWins: options.surface.query.lastWins,
    limit: (name) => {
      const known = part(name)
      return known?.kind === 'file' ? known.limit(options.config) : SMALLEST_BODY_LIMIT
    },
    folder: (name) => {
      const known = part(name)
      return options.incoming[(known?.kind === 'file' && known.bound) || 'task']
    },
    idle: options.config.limits['idle-seconds'] * 1000,
    authorize,
  })
  try {
    // Hours may have passed, as slowly as the sender liked: a session that has ended meanwhile begins nothing any more.
    if (early?.via === 'session') {
      principal = authenticateNow(options.surface, request, parameters)
      admit(context, endpoint, principal, group)
    } else authorize(received.fields)
    return await run(context, endpoint, parameters, received, principal)
  } finally {
    await discardFiles(received)
  }
}

/** A body that announces itself as too large for all its files together is refused before its first byte. */
function refuseTooLarge<Deps>({ form = {} }: Endpoint<Deps>, incoming: IncomingMessage, config: Configuration): void {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  const files = Object.entries(form).flatMap(([name, part]) =>
    part.kind === 'file' ? [{ name, limit: part.limit(config) }] : [],
  )
  const first = files[0]
  const total = files.reduce((sum, { limit }) => sum + limit, SMALLEST_BODY_LIMIT)
  if (first && announced > total) throw tooLarge(first.name, first.limit, announced)
}

export const mayCarryCredentials = (incoming: IncomingMessage | undefined) =>
  /^(multipart\/form-data|application\/x-www-form-urlencoded)\s*(;|$)/i.test(incoming?.headers['content-type'] ?? '')

/** Node leaves `100 Continue` to us, so that a refused upload is refused before its body is sent. */
function sayContinue({ c }: Pick<Routed<unknown>, 'c'>): void {
  const { incoming, outgoing } = c.env ?? {}
  // HTTP/1.0 knows no answer before the answer. The header may be a list, and may come twice.
  if (incoming?.httpVersion === '1.1' && /(?:^|\W)100-continue(?:$|\W)/i.test(incoming.headers.expect ?? ''))
    outgoing?.writeContinue()
}

/** Whatever a handler did not move away is dropped. */
async function discardFiles({ files }: Received): Promise<void> {
  await Promise.all(Object.values(files).map(({ path }) => rm(path, { force: true })))
}
