// Bodies: a JSON document, a form, or none. Each is read only once the caller may pass (pipeline/order.ts); of a form, the text before its
// first file may be what decides that.
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
 * A body where none is taken, say `{"dry_run":true}` of a DELETE: what is in it was meant, and would be dropped. An empty one, `{}` and
 * `null` mean nothing; libraries send them.
 */
export async function refuseBody(request: Request, config: Configuration): Promise<void> {
  if (!request.incoming) throw invalid('')
  const bytes = await readWhole(request, request.incoming, config)
  if (!/^\s*(?:\{\s*\}|null)?\s*$/.test(Buffer.from(bytes).toString('latin1')))
    throw invalid('This request takes no body: what it takes is in its query')
}

function readWhole(request: Request, incoming: IncomingMessage, { limits }: Configuration): Promise<Buffer> {
  sayContinue(request)
  return readBytes(incoming, JSON_LIMIT, limits['idle-seconds'] * 1000)
}

/** `authorize` decides, from the text parts so far, whether a file may be stored; `discard` removes the files that nobody moved away. */
export async function readForm(
  request: Request,
  { form = {}, input }: Pick<Endpoint<never>, 'form' | 'input'>,
  { surface, wire, config, incoming: folders }: Pick<Mounted<unknown>, 'surface' | 'wire' | 'config' | 'incoming'>,
  authorize: (fields: Values) => void,
): Promise<Received & { discard: () => Promise<void> }> {
  if (!request.incoming) throw invalid('', { words: 'A body is missing' })
  refuseTooLarge(form, request.incoming, config)
  // An operator may have emptied tmp/ under us.
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

/** A body that announces itself as too large for all its files together is refused before its first byte. */
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

/** Node leaves `100 Continue` to us, so that a refused upload is refused before its body is sent. */
function sayContinue({ incoming, outgoing }: Request): void {
  // HTTP/1.0 knows no answer before the answer. The header may be a list, and may come twice.
  if (incoming?.httpVersion === '1.1' && /(?:^|\W)100-continue(?:$|\W)/i.test(incoming.headers.expect ?? ''))
    outgoing?.writeContinue()
}

async function discardFiles({ files }: Received): Promise<void> {
  await Promise.all(Object.values(files).map(({ path }) => rm(path, { force: true })))
}
