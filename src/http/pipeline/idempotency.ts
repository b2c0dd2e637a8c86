// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a repeated POST creates nothing twice. The record is on
// disk before the handler starts. A record without an answer means that the outcome of the first request is unknown, so
// the request is not run again. Ages use the steady clock: setting the wall clock, as after a first boot, must not make
// a record look a day old.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { CLOCK, type Clock, shiftSince, Written, writtenNow } from '../../auth/clock.ts'
import { ROLES, type Role } from '../../auth/principal.ts'
import { ApiError, failedPrecondition, isFull, locked, noSpace } from '../../errors.ts'
import { readJson, writeAtomic } from '../../store/atomic.ts'
import { canonicalJson } from '../../store/canonical-json.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import type { Reply } from '../reply/reply.ts'

export const HEADER = 'Idempotency-Key'
const DAY = 86_400_000
const MOST = 10_000

const Kept = z.object({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  /** The target of the audit entry. */
  target: z.string(),
})
export type Kept = z.infer<typeof Kept>
const Stored = z.object({
  /** In records of earlier versions: wall clock time. */
  at: z.number().optional(),
  written: Written.optional(),
  print: z.string(),
  role: z.enum(ROLES),
  answer: Kept.optional(),
})

/** Everything that must be equal for two requests to count as the same. */
export interface Once {
  account: string
  /** The caller's role at the time: the answer is not replayed to a lower one. */
  role: Role
  key: string
  method: string
  path: string
  query: { [name: string]: string | string[] }
  body: Uint8Array | undefined
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

/** Keys belong to an account: two accounts may use the same key. */
const nameOf = ({ account, key }: Once) => sha256(canonicalJson([account, key]))
/**
 * Hashed together with the key, which is not stored: a body may contain a password, which could be guessed from a plain
 * hash.
 */
const printOf = ({ key, method, path, query, body = new Uint8Array() }: Once) =>
  sha256(canonicalJson([key, method, path, { ...query }, sha256(body)]))

export class Answers {
  private readonly folder: string
  private readonly failed: (error: unknown) => void
  private readonly clock: Clock
  /** Names of the records on disk, the oldest first, with their steady time if this process wrote them. */
  private index: Map<string, number | undefined> | undefined
  private readonly underWay = new Map<string, string>()

  /** `failed` is called when an answer could not be stored: the request is done, and a retry of it is refused. */
  constructor(folder: string, failed: (error: unknown) => void, clock: Clock = CLOCK) {
    this.folder = folder
    this.failed = failed
    this.clock = clock
  }

  /**
   * Runs `act` at most once for a key, or returns the stored answer. `target` is called afterwards and returns the
   * target for the audit log.
   */
  async once(
    request: Once,
    act: () => Reply | Promise<Reply>,
    target: () => string,
  ): Promise<{ reply: Reply; replayed?: Kept }> {
    const [name, print] = [nameOf(request), printOf(request)]
    const kept = this.find(name, print, request.role)
    if (kept)
      return { reply: { ...kept, headers: { ...kept.headers, 'Idempotency-Replayed': 'true' } }, replayed: kept }
    this.begin(name, print, request.role)
    try {
      const reply = await this.attempt(name, act)
      this.keep(name, print, request.role, reply, target())
      return { reply }
    } finally {
      this.underWay.delete(name)
    }
  }

  /** The stored answer of the first request. Undefined if there was none; throws if its outcome is unknown. */
  private find(name: string, print: string, role: Role): Kept | undefined {
    const running = this.underWay.get(name)
    if (running === undefined && !this.records().has(name)) return undefined
    const record = Stored.safeParse(readJson(this.file(name))).data
    if (running === undefined && record && this.ageOf(record) > DAY) {
      this.forget(name)
      return undefined
    }
    const details = { field: HEADER }
    if ((running ?? record?.print ?? print) !== print)
      throw new ApiError('unprocessable', 'The key was used for another request', { details })
    if (running !== undefined)
      throw locked('The first request with this key is still under way', { details, retryAfter: 1 })
    if (!record?.answer)
      throw failedPrecondition('The outcome of the first request with this key is not known', { details })
    // What admitted the first request besides its role is unknown here, so a lower role gets no replay.
    if (ROLES.indexOf(role) < ROLES.indexOf(record.role))
      throw new ApiError('forbidden', 'The account’s role does not allow this any more', { details })
    return record.answer
  }

  private begin(name: string, print: string, role: Role): void {
    const records = this.records()
    for (const [other, made] of records) {
      if (records.size < MOST && !this.isOver(other, made)) break
      if (!this.underWay.has(other)) this.forget(other)
    }
    try {
      ensureFolder(this.folder, 0o700)
      writeAtomic(this.file(name), JSON.stringify({ written: writtenNow(this.clock), print, role }), 0o600)
    } catch (error) {
      throw isFull(error) ? noSpace(error) : error
    }
    records.set(name, this.clock.steady())
    this.underWay.set(name, print)
  }

  private async attempt(name: string, act: () => Reply | Promise<Reply>): Promise<Reply> {
    try {
      checkpoint('idempotency-recorded')
      return await act()
    } catch (error) {
      this.forget(name)
      throw error
    }
  }

  private keep(name: string, print: string, role: Role, { status, headers, body }: Reply, target: string): void {
    try {
      checkpoint('idempotency-acted')
      const answer = Kept.parse({ status, headers, body, target })
      writeAtomic(this.file(name), JSON.stringify({ written: writtenNow(this.clock), print, role, answer }), 0o600)
      checkpoint('idempotency-kept')
    } catch (error) {
      this.failed(error)
    }
  }

  /** In milliseconds. */
  private ageOf({ at = 0, written }: Pick<z.infer<typeof Stored>, 'at' | 'written'>): number {
    if (!written) return this.clock.wall() - at
    return this.clock.steady() - written.steady - shiftSince(written, this.clock)
  }

  private isOver(name: string, made: number | undefined): boolean {
    if (made !== undefined) return this.clock.steady() - made > DAY
    const record = Stored.safeParse(readJson(this.file(name))).data
    return this.ageOf(record ?? { at: statSync(this.file(name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }) > DAY
  }

  private forget(name: string): void {
    this.records().delete(name)
    rmSync(this.file(name), { force: true })
  }

  private file(name: string): string {
    return join(this.folder, `${name}.json`)
  }

  /** Read on first use: most servers never receive a key. */
  private records(): Map<string, number | undefined> {
    if (this.index) return this.index
    const found: [string, number][] = []
    for (const entry of existsSync(this.folder) ? readdirSync(this.folder) : []) {
      const name = /^([0-9a-f]{64})\.json$/.exec(entry)?.[1]
      if (name) found.push([name, statSync(join(this.folder, entry)).mtimeMs])
      // A write that was cut short by a crash.
      else if (entry.startsWith('.')) rmSync(join(this.folder, entry), { force: true })
    }
    found.sort(([, a], [, b]) => a - b)
    this.index = new Map(found.map(([name]) => [name, undefined]))
    return this.index
  }
}
