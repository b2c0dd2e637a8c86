// The audit log: one entry for each change and each refusal, in two files. The original's line, for whoever reads that file; and the chain
// (store/audit), which can be searched and verified. The trap: targets are our own words, and no part of an entry may be a secret.
import { randomFillSync } from 'node:crypto'
import { AppendLog } from '../store/append-log.ts'
import type { AuditChain } from '../store/audit/chain.ts'
import type { Request } from './surface.ts'

export interface AuditEntry {
  event: string
  target: string
  /** The account's name. The admin surface has one account, and so the original's word for it. */
  actor?: string | undefined
  /** The peer's address, or `local` for our own acts. */
  address: string
  /** The account's id; left out when nobody has proven anything. */
  account?: string | undefined
  /** The account's name; also of one that somebody only claimed to be. */
  name?: string | undefined
  /** What it was about: `pools/tank`. The path, where a surface has no better word. */
  resource?: string | undefined
  /** Of a change that was refused or failed: why. */
  failure?: string | undefined
  agent?: string | undefined
  request?: string | undefined
}

/** The part of an entry that tells where a request came from. */
export const origin = ({ address, id, incoming }: Request) => ({
  address,
  request: id,
  agent: incoming?.headers['user-agent'],
})

/** `users/user-1` of `/api/v1/users/user-1`. */
export const resourceOf = (path: string) => path.replace(/^\/?api\/v1\//, '').replace(/\/$/, '')

/**
 * Formats `<epoch>.<9 digits>,<16 hex>,web,<actor>,<event>,"<target>",<address>` (facts: jidoteki.md 4.6; the address is ours).
 * `nanoseconds` since 1970.
 */
export function auditLine(
  { event, target, actor = 'admin', address }: AuditEntry,
  nanoseconds: bigint,
  id: string,
): string {
  const seconds = nanoseconds / 1_000_000_000n
  const rest = String(nanoseconds % 1_000_000_000n).padStart(9, '0')
  return `${seconds}.${rest},${id},web,${actor.replace(/[^A-Za-z0-9._-]/g, '?')},${event},"${target.replace(/[^\x20-\x7e]|["\\]/g, '?')}",${address}`
}

/** Random bytes are dear by the call, not by the byte. */
const random = { bytes: Buffer.alloc(4096), used: 4096 }
function lineId(): string {
  if (random.used === random.bytes.length) {
    randomFillSync(random.bytes)
    random.used = 0
  }
  random.used += 8
  return random.bytes.toString('hex', random.used - 8, random.used)
}

export class AuditLog {
  private readonly log: AppendLog
  private readonly failed: (error: unknown) => void
  private readonly chain: AuditChain | undefined
  /** Entries since the start, for /metrics. */
  written = 0

  /** `failed` hears of a line that could not be written (a full disk); the request itself goes on. */
  constructor(file: string, failed: (error: unknown) => void, chain?: AuditChain) {
    this.log = new AppendLog(file)
    this.failed = failed
    this.chain = chain
  }

  write(entry: AuditEntry): void {
    const nanoseconds = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)
    try {
      this.log.append(auditLine(entry, nanoseconds, lineId()))
      this.written += 1
    } catch (error) {
      this.failed(error)
    }
    const {
      account,
      name,
      event,
      target,
      resource = resourceOf(entry.target),
      failure,
      address,
      agent,
      request,
    } = entry
    this.chain?.append({
      actor: account ?? 'nobody',
      name,
      // The result says it.
      action: event.replace(/\.(?:refused|failed|success)$/, ''),
      resource,
      result: failure === undefined ? 'success' : 'failure',
      message: failure ?? (resourceOf(target) === resource ? undefined : target),
      ip: address,
      agent,
      request,
    })
  }

  close(): void {
    this.log.close()
    this.chain?.close()
  }
}
