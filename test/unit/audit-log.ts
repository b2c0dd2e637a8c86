// A throw-away audit log for tests: made by the real writer, with small segments so that a few entries fill several.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuditChain, type ChainOptions, type NewEntry } from '../../src/store/audit/chain.ts'
import type { Entry } from '../../src/store/audit/record.ts'
import { readFrame } from '../../src/store/audit/record.ts'
import { checkpointFile, listSegments, publicKeyFile } from '../../src/store/audit/segments.ts'
import { type Report, verifySegments } from '../../src/store/audit/verify.ts'

export const ENTRY: NewEntry = {
  actor: 'user-1',
  name: 'alice',
  action: 'pools.create',
  resource: 'pools/tank',
  result: 'success',
  ip: '192.0.2.1',
  agent: 'curl/8',
  request: 'abc-1',
}

export class SampleLog {
  readonly base: string
  readonly folder: string
  readonly errors: unknown[] = []
  private readonly options: Partial<ChainOptions>
  chain: AuditChain

  constructor({ base, ...options }: Partial<ChainOptions> & { base?: string } = {}) {
    this.base = base ?? mkdtempSync(join(tmpdir(), 'edge-audit-'))
    this.folder = join(this.base, 'audit')
    this.options = options
    this.chain = this.open()
  }

  open(): AuditChain {
    return new AuditChain({
      folder: this.folder,
      keyFile: join(this.base, 'audit.key'),
      size: 1 << 30,
      failed: (error) => this.errors.push(error),
      ...this.options,
    })
  }

  /** Closes it and opens it again, as a server does. */
  restart(): void {
    this.chain.close()
    this.chain = this.open()
    this.chain.start()
  }

  /** So many entries, each with a resource of its own. */
  fill(count: number, from = 1): void {
    for (let i = from; i < from + count; i++) this.chain.append({ ...ENTRY, resource: `pools/p${i}` })
  }

  get segments(): string[] {
    return listSegments(this.folder).map(({ path }) => path)
  }

  get key(): KeyObject {
    return createPublicKey(readFileSync(publicKeyFile(this.folder)))
  }

  get checkpoint(): string {
    return readFileSync(checkpointFile(this.folder), 'utf8').trimEnd()
  }

  verify(checkpoints = [this.checkpoint]): Report {
    return verifySegments(this.segments, { key: this.key, checkpoints })
  }

  /** Everything, oldest first. */
  all(): Entry[] {
    return this.chain.find({ limit: 1e9 }).toReversed()
  }

  /** The records of a segment as they lie in the file. */
  static lines(bytes: Buffer): Buffer[] {
    const lines: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const frame = readFrame(bytes, at)
      if (!frame) throw new Error('no record')
      lines.push(bytes.subarray(at, frame.end))
      at = frame.end
    }
    return lines
  }

  remove(): void {
    this.chain.close()
    rmSync(this.base, { recursive: true, force: true })
  }
}
