// `edge-admin audit`: searches and verifies the audit log without the server, also a copy of it. The key beside a log
// proves nothing if both could have been replaced; pass the original key with --key.
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { auditFolder } from '../folders.ts'
import { readText } from '../store/atomic.ts'
import { fingerprint, publicKey, readCheckpoint } from '../store/audit/key.ts'
import { findEntries } from '../store/audit/query.ts'
import { type Checkpoint, clean, type Entry } from '../store/audit/record.ts'
import { checkpointFile, listSegments, publicKeyFile } from '../store/audit/segments.ts'
import { verifySegments } from '../store/audit/verify.ts'
import { edited, Failure, type Io, type Main, parse, say, UsageError } from './command.ts'
import { stateFolder } from './given-folders.ts'

const ACTIONS = new Map<string, Main>([
  ['list', list],
  ['verify', verify],
  ['key', key],
])
const STATE = { statedir: { type: 'string' } } as const

export async function audit([action = '', ...args]: string[], io: Io): Promise<number> {
  const main = ACTIONS.get(action)
  if (!main)
    throw new UsageError(`${action ? `unknown action ${action}` : 'an action is missing'}: list, verify or key`)
  return main(args, io)
}

const folderOf = (statedir: string | undefined) => auditFolder({ state: stateFolder({ statedir }) })

async function list(args: string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const
  const { values } = parse(args, {
    ...STATE,
    ...{ actor: text, action: text, resource: text, result: text },
    ...{ since: text, until: text, before: text, limit: text },
    json: { type: 'boolean', default: false },
  })
  const { actor, action, resource, result, json } = values
  if (result !== undefined && result !== 'success' && result !== 'failure')
    throw new UsageError('--result: success or failure')
  const found = findEntries(
    folderOf(values.statedir),
    {
      ...{ actor, action, resource, result },
      since: instant(values.since, '--since'),
      until: instant(values.until, '--until'),
      before: values.before === undefined ? undefined : whole(values.before.replace(/^audit-/, ''), '--before'),
      limit: whole(values.limit ?? '100', '--limit'),
    },
    // The caller may be another user than the server, so nothing is written to the log's folder.
    { keep: false },
  )
  for (const entry of found) say(io.stdout, json ? JSON.stringify(entry) : clean(line(entry), 4096))
  return 0
}

const line = ({ seq, time, actor, name, action, resource, result, message, ip }: Entry) =>
  [time, `audit-${seq}`, result, action, resource, name ? `${name} (${actor})` : actor, ip, message]
    .filter((part) => part)
    .join('  ')

function instant(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw new UsageError(`${option}: expected a time such as 2026-01-31T12:00:00Z`)
  return time
}

function whole(text: string, option: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw new UsageError(`${option}: expected a whole number from 1`)
  return Number(text)
}

async function verify(args: string[], io: Io): Promise<number> {
  const options = { ...STATE, key: { type: 'string' }, checkpoint: { type: 'string' } } as const
  const { values, positionals } = parse(args, options, [], Number.POSITIVE_INFINITY)
  if (values.statedir !== undefined && positionals.length > 0) throw new UsageError('--statedir, or files: not both')
  const [one] = positionals
  const part = one !== undefined && (positionals.length > 1 || !statSync(one).isDirectory())
  const folder = part ? dirname(one) : (one ?? folderOf(values.statedir))
  const known = readKey(values.key ?? publicKeyFile(folder))
  // Read before the segments: a running server may sign more of them meanwhile.
  const own = part ? undefined : readText(checkpointFile(folder))
  const kept = values.checkpoint === undefined ? undefined : edited(values.checkpoint)
  const checkpoints = [own, kept].filter((text) => text !== undefined).map((text) => text.trimEnd())
  const files = part ? inOrder(positionals) : listSegments(folder).map(({ path }) => path)
  if (files.length === 0 && checkpoints.length === 0) throw new Failure(`${folder}: there is no audit log`)
  const { bad, checked, first, last, signed } = verifySegments(files, { key: known, checkpoints, part })
  if (bad) throw new Failure(`entry ${bad.entry}${bad.file ? ` (${bad.file})` : ''}: ${bad.problem}`)
  say(io.stdout, `${verdict(first, part)}: ${checked} records, ${first} to ${last}, signed up to ${signed}`)
  if (signed < last) say(io.stdout, `not signed yet: ${signed + 1} to ${last}`)
  if (kept !== undefined && !part) say(io.stdout, sinceKept(readCheckpoint(known, kept.trimEnd()), first))
  say(io.stdout, `key: ${fingerprint(known)}`)
  if (values.key === undefined) say(io.stderr, 'checked with the key beside the log; --key takes the one that you kept')
  return 0
}

/** A log whose beginning is missing is not complete, whatever removed it. */
function verdict(first: number, part: boolean): string {
  if (first <= 1) return 'good'
  const before = first === 2 ? 'entry 1' : `entries 1 to ${first - 1}`
  return `good from entry ${first}; ${before} ${first === 2 ? 'was' : 'were'} ${part ? 'not looked at' : 'rotated out'}`
}

/** How much of what a kept checkpoint covers is still there. */
function sinceKept(kept: Checkpoint | undefined, first: number): string {
  if (!kept) return 'the checkpoint that was kept cannot be read'
  const { seq, checkpoint } = kept
  const of = `of the ${seq - checkpoint.first + 1} records up to the checkpoint that was kept (${checkpoint.first} to ${seq})`
  const gone = Math.max(0, Math.min(first, seq + 1) - checkpoint.first)
  if (gone === 0) return `${of}, none is gone`
  const which =
    gone > seq - checkpoint.first ? 'all are gone' : `${gone} are gone (${checkpoint.first} to ${first - 1})`
  return `${of}, ${which}`
}

const inOrder = (files: string[]) => files.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1))

function readKey(file: string) {
  const pem = edited(file)
  try {
    return publicKey(pem)
  } catch (error) {
    throw new Failure(`${file}: ${(error as Error).message}`)
  }
}

async function key(args: string[], io: Io): Promise<number> {
  const { values } = parse(args, STATE)
  const known = readKey(publicKeyFile(folderOf(values.statedir)))
  io.stdout.write(known.export({ type: 'spki', format: 'pem' }))
  say(io.stderr, `SHA-256 ${fingerprint(known)}`)
  return 0
}
