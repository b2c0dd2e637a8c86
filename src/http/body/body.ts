// Reads the body of a request: a JSON document, a form, or nothing. A body is read only once the caller is admitted
// (pipeline/order.ts); the text fields of a form that precede its first file may decide that.
import { rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { Configuration } from '../../config.ts'
import { invalid } from '../../errors.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import type { Endpoint, Form } from '../endpoint.ts'
import type { Request } from '../request.ts'
import type { Mounted } from '../surface.ts'
import type { Wire } from '../wire.ts'
import { hasBody } from './discard.ts'
import { checkJsonHeaders, JSON_LIMIT, parseJson, readBytes } from './json-body.ts'
import type { Values } from './query.ts'
import { type Received, receive, tooLarge } from './upload.ts'
import { memberFor } from './values.ts'

const SMALLEST_BODY_LIMIT = 1 << 20

/** A JSON body, as its bytes and its value. */
export interface Json {
  bytes: Uint8Array
  value: unknown
}

export async function readJson(request: Request, config: Configuration, { body }: Pick<Wire, 'body'>): Promise<Json> {
  const { incoming } = request
  if (body === 'optional' && !hasBody(incoming)) return { bytes: NO_BYTES, value: {} }
  if (!incoming) throw invalid('', { words: 'A body is missing' })
  checkJsonHeaders(incoming, JSON_LIMIT, { typeless: body === 'optional' })
  const bytes = await readWhole(request, incoming, config)
  if (body === 'optional' && /^\s*(?:null\s*)?$/.test(Buffer.from(bytes).toString('latin1')))
    return { bytes, value: {} }
  return { bytes, value: parseJson(bytes) }
}

const NO_BYTES = new Uint8Array()

/**
 * Refuses a body where the endpoint takes none, for example `{"dry_run":true}` on a DELETE: the client meant something
 * by it, and it would be dropped. An empty body, `{}` and `null` carry nothing, and libraries send them.
 */
export async function refuseBody(request: Request, config: Configuration): Promise<void> {
  if (!request.incoming) throw invalid('')
  const bytes = await readWhole(request, request.incoming, config)
  if (!/^\s*(?:\{\s*\}|null)?\s*$/.test(Buffer.from(bytes).toString('latin1')))
    throw invalid('This request takes no body: its parameters belong in the query')
}

function readWhole(request: Request, incoming: IncomingMessage, { limits }: Configuration): Promise<Buffer> {
  sayContinue(request)
  return readBytes(incoming, JSON_LIMIT, limits['idle-seconds'] * 1000)
}

/**
 * `authorize` decides, from the text fields so far, whether a file may be stored; `discard` removes the files that the
 * handler did not move away.
 */
export async function readForm(
  request: Request,
  { form = {}, input }: Pick<Endpoint<never>, 'form' | 'input'>,
  { surface, wire, config, incoming: folders }: Pick<Mounted<unknown>, 'surface' | 'wire' | 'config' | 'incoming'>,
  authorize: (fields: Values) => void,
): Promise<Received & { discard: () => Promise<void> }> {
  if (!request.incoming) throw invalid('', { words: 'A body is missing' })
  refuseTooLarge(form, request.incoming, config)
  // An administrator may have emptied tmp/ while the server runs.
  for (const folder of Object.values(folders)) ensureFolder(folder)
  sayContinue(request)
  const received = await receive(request.incoming, {
    form,
    extra: (name) => surface.parameters.includes(name) || (input && memberFor(input.shape, name) !== undefined),
    ...(input && { textLimit: JSON_LIMIT }),
    ...{ read: wire.query.readForm, lastWins: wire.query.lastWins },
    ...{ collect: wire.query.doubled !== undefined, ignore: wire.query.unknown === undefined },
    limit: (name) => {
      const known = form[name]
      return known?.kind === 'file' ? known.limit(config) : SMALLEST_BODY_LIMIT
    },
    folder: (name) => {
      const known = form[name]
      return folders[(known?.kind === 'file' && known.bound) || 'task']
    },
    idle: config.limits['idle-seconds'] * 1000,
    authorize,
  })
  return { ...received, discard: () => discardFiles(received) }
}

/** A body whose announced length exceeds the limits of all its files together is refused before its first byte. */
function refuseTooLarge(form: Form, incoming: IncomingMessage, config: Configuration): void {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  const files = Object.entries(form).flatMap(([name, part]) =>
    part.kind === 'file' ? [{ name, limit: part.limit(config) }] : [],
  )
  const first = files[0]
  const total = files.reduce((sum, { limit }) => sum + limit, SMALLEST_BODY_LIMIT)
  if (first && announced > total) throw tooLarge(first.name, first.limit, announced)
}

export const isForm = (incoming: IncomingMessage | undefined) =>
  /^(multipart\/form-data|application\/x-www-form-urlencoded)\s*(;|$)/i.test(incoming?.headers['content-type'] ?? '')

/** Node leaves `100 Continue` to this server, so that a refused upload is refused before its body is sent. */
function sayContinue({ incoming, outgoing }: Request): void {
  // HTTP/1.0 has no interim responses. The header may be a list, and may occur twice.
  if (incoming?.httpVersion === '1.1' && /(?:^|\W)100-continue(?:$|\W)/i.test(incoming.headers.expect ?? ''))
    outgoing?.writeContinue()
}

async function discardFiles({ files }: Received): Promise<void> {
  await Promise.all(Object.values(files).map(({ path }) => rm(path, { force: true })))
}
