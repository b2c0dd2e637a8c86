// Writes the audit log: one entry for each change and each refusal, in two places: the original's line format for
// programs that read that file, and the chain (store/audit), which can be searched and verified. Targets are words of
// the server, and no part of an entry may be a secret.
import { randomFillSync } from 'node:crypto'
import { accountLabel, lineLabel, ORIGINAL_WORD } from '../../auth/actor-words.ts'
import { canonicalAddress } from '../../auth/back-off.ts'
import { AppendLog } from '../../store/append-log.ts'
import type { AuditChain } from '../../store/audit/chain.ts'
import type { Request } from '../request.ts'
import type { AuditEntry } from './audit-entry.ts'
import { Refusals } from './refusals.ts'

/** The members of an entry that say where a request came from. */
export const origin = ({ address, id, incoming }: Request) => ({
  address,
  request: id,
  agent: incoming?.headers['user-agent'],
})

/** `users/user-1` of `/api/v1/users/user-1`. */
export const resourceOf = (path: string) => path.replace(/^\/?api\/v1\//, '').replace(/\/$/, '')

/**
 * Formats `<epoch>.<9 digits>,<16 hex>,web,<actor>,<event>,"<target>",<address>` (facts: jidoteki.md 4.6; the address
 * is ours). `nanoseconds` since 1970.
 */
export function auditLine(
  { event, target, actor = ORIGINAL_WORD, address }: Pick<AuditEntry, 'event' | 'target' | 'actor' | 'address'>,
  nanoseconds: bigint,
  id: string,
): string {
  const seconds = nanoseconds / 1_000_000_000n
  const rest = String(nanoseconds % 1_000_000_000n).padStart(9, '0')
  return `${seconds}.${rest},${id},web,${actor.replace(/[^A-Za-z0-9._@-]/g, '?')},${event},"${target.replace(/[^\x20-\x7e]|["\\]/g, '?')}",${address}`
}

/** Random bytes are fetched in blocks: a call is expensive, a byte is not. */
const random = { bytes: Buffer.alloc(4096), used: 4096 }
function lineId(): string {
  if (random.used === random.bytes.length) {
    randomFillSync(random.bytes)
    random.used = 0
  }
  random.used += 8
  return random.bytes.toString('hex', random.used - 8, random.used)
}

export interface AuditLogOptions {
  /** Bytes that the chain may take; refusals may use a fraction of it. */
  size?: number
  /** Bytes of the original's log before it is rotated. */
  lines?: number
  /**
   * Enters every refusal by itself, as the original does (`--compat original`): unauthenticated callers then decide how
   * fast the log grows.
   */
  ungathered?: boolean
}

export class AuditLog {
  private readonly log: AppendLog
  private readonly failed: (error: unknown) => void
  private readonly chain: AuditChain | undefined
  private readonly strangers: Refusals
  private readonly known: Refusals
  private readonly ungathered: boolean
  /** Entries since the start, for /metrics. */
  written = 0

  /** `failed` is called for a line that could not be written (a full disk); the request itself continues. */
  constructor(
    file: string,
    failed: (error: unknown) => void,
    chain?: AuditChain,
    { size = 1 << 30, lines, ungathered = false }: AuditLogOptions = {},
  ) {
    this.log = new AppendLog(file, { most: lines })
    this.failed = failed
    this.chain = chain
    this.ungathered = ungathered
    const enter = (entry: AuditEntry) => this.enter(entry)
    // At this rate refusals alone would take years to fill the log.
    this.strangers = new Refusals({
      ...{ each: 20, most: 60, burst: Math.min(1 << 20, size / 64), perHour: size / 40_000, enter },
      ...{ whose: 'callers who have proven nothing', groupOf: ({ address }) => canonicalAddress(address) },
    })
    this.known = new Refusals({
      ...{ each: 300, most: 1000, burst: Math.min(4 << 20, size / 16), perHour: size / 4000, enter },
      ...{ whose: 'known callers', groupOf: ({ account = '' }) => account },
    })
  }

  write(entry: AuditEntry): void {
    if (this.ungathered) this.enter(entry)
    else if (entry.failure !== undefined && entry.account === undefined) this.strangers.add(entry)
    else if (entry.refusal) this.known.add(entry)
    else this.enter(entry)
  }

  /**
   * Resolves when everything written so far survives a power cut; rejects when the disk failed. The original's lines
   * are not waited for.
   */
  async saved(): Promise<void> {
    await this.chain?.synced()
  }

  /** Returns the approximate number of bytes written. */
  private enter(entry: AuditEntry): number {
    const { account, name, event, target, failure, address, agent, request } = entry
    const nanoseconds = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)
    const line = auditLine({ event, target, actor: lineActor(entry), address }, nanoseconds, lineId())
    try {
      this.log.append(line)
      this.written += 1
    } catch (error) {
      this.failed(error)
    }
    const resource = entry.resource ?? resourceOf(target)
    const record = {
      actor: account ?? 'nobody',
      // The API token has no name in the chain, since an account may be called `admin`, too.
      name: name === undefined || NAMELESS.has(account) ? undefined : accountLabel(name),
      // The suffix is dropped: the entry has a result of its own.
      action: entry.action ?? event.replace(/\.(?:refused|failed|success)$/, ''),
      resource,
      result: failure === undefined ? ('success' as const) : ('failure' as const),
      message: failure ?? (target === '' || resourceOf(target) === resource ? undefined : target),
      ip: address,
      agent,
      request,
    }
    this.chain?.append(record)
    // A record's number, time, digest and length take some 150 bytes.
    return entry.failure === undefined ? 0 : Buffer.byteLength(JSON.stringify(record)) + 150
  }

  close(): void {
    this.strangers.flush()
    this.known.flush()
    this.log.close()
    this.chain?.close()
  }
}

/** Ids that stand for no account and so have no name: an account could have the same name. */
const NAMELESS: ReadonlySet<string | undefined> = new Set(['token', 'system', 'local'])

/** The actor in the original's line: there `admin` is the API token and nothing else. */
function lineActor({ account, name, actor }: AuditEntry): string | undefined {
  if (account === 'token') return ORIGINAL_WORD
  if (account === 'system' || account === 'local') return account
  return name === undefined ? actor : lineLabel(name)
}
