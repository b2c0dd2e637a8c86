// The records of the audit log: how one is written, framed and chained (docs/audit-format.md describes it for other
// programs). The bytes are hashed and signed, so another member, or another order, is another record.
import { hash } from 'node:crypto'

/**
 * One line of a segment: `LENGTH DIGEST BODY\n`. BODY is JSON in UTF-8 without a line feed, LENGTH its size in bytes in
 * decimal, DIGEST the SHA-256 of `PREVIOUS LENGTH BODY` in hexadecimal, where PREVIOUS is the digest of the preceding
 * record (64 zeros before the first). The digest is stored with its own record, not with the next, so that a changed
 * byte shows in exactly the record that contains it.
 */
export interface Frame {
  length: number
  digest: string
  body: string
  /** Where the next one begins. */
  end: number
}

export const ORIGIN = '0'.repeat(64)
/** The maximum size of a body in bytes; ours are far smaller. */
const LONGEST = 16_384
const DIGEST = /^[0-9a-f]{64}$/

export interface Entry {
  seq: number
  /** ISO 8601, UTC, milliseconds. */
  time: string
  /** An account's ID, `token` for the API token, `nobody`, or `system`. */
  actor: string
  /** The account's name. */
  name?: string | undefined
  action: string
  resource: string
  result: 'success' | 'failure'
  message?: string | undefined
  ip?: string | undefined
  agent?: string | undefined
  request?: string | undefined
}

/** The maximum length of each text in characters; longer ones end in an ellipsis. */
const MOST: Record<Exclude<keyof Entry, 'seq' | 'time' | 'result'>, number> = {
  actor: 64,
  name: 64,
  action: 64,
  resource: 512,
  message: 256,
  ip: 64,
  agent: 256,
  request: 64,
}

/** A record that signs everything before it. */
export interface Checkpoint {
  seq: number
  time: string
  checkpoint: {
    /** The digest of the preceding record. */
    previous: string
    /** The first record that was kept: older ones were removed on purpose. */
    first: number
  }
  /** Ed25519, base64, over the body without this member (key.ts). */
  signature: string
}

export function digestOf(previous: string, length: number, body: string): string {
  return hash('sha256', `${previous} ${length} ${body}`)
}

/** A text from a caller, made safe for a log: limited, and without control or formatting characters. */
export function clean(text: string, most: number): string {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text
  return /^[\x20-\x7e]*$/.test(short) ? short : short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?')
}

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/

/** The body of an entry. Members without a value are left out. */
export function entryBody(entry: Entry): string {
  const { seq, time, actor, name, action, resource, result, message, ip, agent, request } = entry
  const body = JSON.stringify({ seq, time, actor, name, action, resource, result, message, ip, agent, request })
  // There is nearly always nothing to clean, and one check of the whole is cheaper than one of each part.
  return PLAIN.test(body) && fits(entry) ? body : JSON.stringify(cleaned(entry))
}

/** Written out: a loop over the names would be slower than all the rest. */
const fits = ({ actor, name = '', action, resource, message = '', ip = '', agent = '', request = '' }: Entry) =>
  actor.length <= MOST.actor &&
  name.length <= MOST.name &&
  action.length <= MOST.action &&
  resource.length <= MOST.resource &&
  message.length <= MOST.message &&
  ip.length <= MOST.ip &&
  agent.length <= MOST.agent &&
  request.length <= MOST.request

function cleaned(entry: Entry): Entry {
  const { seq, time, result } = entry
  const text = (name: keyof typeof MOST) => {
    const value = entry[name]
    return value === undefined ? undefined : clean(value, MOST[name])
  }
  return {
    seq,
    time,
    actor: text('actor') ?? '',
    name: text('name'),
    action: text('action') ?? '',
    resource: text('resource') ?? '',
    result,
    message: text('message'),
    ip: text('ip'),
    agent: text('agent'),
    request: text('request'),
  }
}

/**
 * Reads the record at `at`. Undefined if no complete, well-framed record begins there; its digest is not checked here.
 */
export function readFrame(bytes: Buffer, at: number): Frame | undefined {
  const blank = bytes.indexOf(32, at)
  if (blank < 0 || blank === at || blank - at > 5) return undefined
  const text = bytes.toString('latin1', at, blank)
  const length = Number(text)
  const start = blank + 66
  const end = start + length
  if (!/^[1-9][0-9]*$/.test(text) || length > LONGEST || end >= bytes.length) return undefined
  const digest = bytes.toString('latin1', blank + 1, blank + 65)
  if (bytes[start - 1] !== 32 || bytes[end] !== 10 || !DIGEST.test(digest)) return undefined
  const body = bytes.toString('utf8', start, end)
  // Invalid UTF-8 decodes to the replacement character: then two bodies would have one digest.
  if (body.includes('\ufffd') && !Buffer.from(body).equals(bytes.subarray(start, end))) return undefined
  return { length, digest, body, end: end + 1 }
}

/** The content of a body; undefined for anything that this program would not have written. */
export function readBody(body: string): Entry | Checkpoint | undefined {
  let value: Partial<Entry & Checkpoint>
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { seq, time, result, checkpoint } = value
  if (!Number.isSafeInteger(seq) || seq! < 1 || typeof time !== 'string') return undefined
  if (checkpoint !== undefined) {
    const { previous, first } = checkpoint ?? {}
    const known = typeof previous === 'string' && DIGEST.test(previous) && Number.isSafeInteger(first)
    return known && typeof value.signature === 'string' ? (value as Checkpoint) : undefined
  }
  const { actor, action, resource, name = '', message = '', ip = '', agent = '', request = '' } = value
  const parts = [actor, action, resource, name, message, ip, agent, request]
  const texts = parts.every((text) => typeof text === 'string')
  return texts && (result === 'success' || result === 'failure') ? (value as Entry) : undefined
}

export const isCheckpoint = (record: Entry | Checkpoint): record is Checkpoint => 'checkpoint' in record
