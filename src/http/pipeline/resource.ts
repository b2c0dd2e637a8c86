// Versions of resources: ETag, If-Match, If-None-Match, and one change of a resource at a time. Conditions are
// evaluated while the resource is locked: evaluated earlier, two writers could both find theirs true.
import { createHash } from 'node:crypto'
import { ApiError, invalid } from '../../errors.ts'
import { canonicalJson } from '../../store/canonical-json.ts'
import type { KeyedMutex } from '../../store/keyed-mutex.ts'
import type { Call, Endpoint } from '../endpoint.ts'
import type { Reply } from '../reply/reply.ts'

export interface Conditions {
  match: string | undefined
  noneMatch: string | undefined
}

/** The strong entity tag of a version; undefined if the resource does not exist. */
export const entityTag = (version: unknown) =>
  version === undefined
    ? undefined
    : `"${createHash('sha256')
        .update(canonicalJson(JSON.parse(JSON.stringify(version))))
        .digest('base64url')
        .slice(0, 27)}"`

export async function handleResource<Deps>(
  endpoint: Endpoint<Deps>,
  call: Call,
  deps: Deps,
  { turns, conditions }: { turns: KeyedMutex; conditions: Conditions },
): Promise<Reply> {
  const resource = endpoint.resource as NonNullable<typeof endpoint.resource>
  const now = async () => entityTag(await resource.version?.(call, deps))
  if (endpoint.method === 'GET') {
    // Read before the content: a tag newer than its content would let the reader overwrite a change that he never saw.
    const before = await now()
    const reply = await endpoint.handle(call, deps)
    const tag = entityTag(reply.version) ?? before
    if (isUnchanged(conditions.noneMatch, tag)) return { ...tagged(reply, tag), status: 304, body: '' }
    return tagged(reply, tag)
  }
  const { match, noneMatch } = conditions
  const release = await turns.take([resource.key(call.params, call.body, call.principal)].flat())
  try {
    if (match !== undefined || noneMatch !== undefined) {
      const tag = await now()
      if (match !== undefined && !isListed(match, tag, 'If-Match')) throw failed('If-Match')
      if (noneMatch !== undefined && isListed(noneMatch, tag, 'If-None-Match')) throw failed('If-None-Match')
    }
    const reply = await endpoint.handle(call, deps)
    if (reply.version !== undefined) return tagged(reply, entityTag(reply.version))
    // A change that has only started has no new version yet, and a removed resource has none any more.
    if (reply.status === 202 || endpoint.method === 'DELETE') return reply
    // The change is made: failing to read its version does not make it a failure.
    return tagged(reply, await now().catch(() => undefined))
  } finally {
    release()
  }
}

const tagged = (reply: Reply, tag: string | undefined): Reply =>
  tag === undefined ? reply : { ...reply, headers: { ...reply.headers, ETag: tag } }

const failed = (field: string) =>
  new ApiError('condition-failed', 'It was changed meanwhile, or does not exist', { details: { field } })

const LIST = /^[ \t,]*(?:W\/)?"[\x21\x23-\x7e]*"(?:[ \t]*,(?:[ \t]*(?:W\/)?"[\x21\x23-\x7e]*")?)*[ \t]*$/

/**
 * RFC 9110, 13.1: `*` matches whatever exists. Our ETags are strong: a weak tag never matches If-Match, and matches
 * If-None-Match by value.
 */
export function isListed(header: string, tag: string | undefined, field: 'If-Match' | 'If-None-Match'): boolean {
  if (header.trim() === '*') return tag !== undefined
  if (!LIST.test(header)) throw invalid('Expected * or a list of entity tags', { details: { field } })
  const given = header.match(/(?:W\/)?"[^"]*"/g) ?? []
  return given.some((one) => one === tag || (field === 'If-None-Match' && one === `W/${tag}`))
}

/**
 * If-None-Match of a read: an empty or malformed list matches nothing, and the whole is sent. On a change it is
 * refused.
 */
export const isUnchanged = (header: string | undefined, tag: string | undefined): boolean =>
  header !== undefined && (header.trim() === '*' || LIST.test(header)) && isListed(header, tag, 'If-None-Match')
