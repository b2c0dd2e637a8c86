// The appliance's audit log: the original's lines, the chain that can be searched and verified, and the inbox in which
// commands leave entries.
import { join } from 'node:path'
import type { Configuration } from '../config.ts'
import { auditFolder, type Folders, log } from '../folders.ts'
import { AuditLog } from '../http/pipeline/audit.ts'
import { AuditChain } from '../store/audit/chain.ts'
import { Inbox } from '../store/audit/inbox.ts'
import { atStart } from './at-start.ts'

/** Milliseconds between two checks of the inbox. */
const LOOK = 5000

export interface AuditTrail {
  log: AuditLog
  chain: AuditChain
  /** The chain, after reading the inbox: a search right after a command finds its entry. */
  searched: Pick<AuditChain, 'findInTurns'>
  /** Repairs the end of the chain and starts watching the inbox. */
  start: () => void
  close: () => void
}

export interface AuditTrailOptions {
  folders: Folders
  config: Configuration
  mode: 'strict' | 'original'
  warn: (text: string, error?: unknown) => void
}

export function openAuditTrail({ folders, config, mode, warn }: AuditTrailOptions): AuditTrail {
  const failed = (error: unknown) => warn('the audit log cannot be written', error)
  const chain = new AuditChain({
    folder: auditFolder(folders),
    keyFile: join(folders.state, 'audit.key'),
    size: config.audit.size,
    failed,
    found: (text) => warn(`the audit log: ${text}`),
  })
  const audit = new AuditLog(log(folders, 'jidoteki-audit.log'), failed, chain, {
    size: config.audit.size,
    lines: config.log.size,
    ungathered: mode === 'original',
  })
  const inbox = new Inbox([folders.state, join(folders.root, 'etc')], {
    enter: ({ at, action, resource, by }, unsure) =>
      audit.write({
        ...{ event: action, target: resource, resource, actor: 'local', account: 'local', address: 'local', agent: by },
        ...(unsure && { failure: `interrupted at ${at}: whether it was done is not known` }),
      }),
    saved: () => audit.saved(),
    warn,
  })
  let looking: NodeJS.Timeout | undefined
  return {
    log: audit,
    chain,
    searched: {
      findInTurns(filter) {
        if (looking) inbox.look()
        return chain.findInTurns(filter)
      },
    },
    start() {
      atStart('the audit log cannot be opened', () => chain.start(), warn)
      atStart('what commands left for the audit log cannot be read', () => inbox.look(), warn)
      looking = setInterval(() => inbox.look(), LOOK).unref()
    },
    close() {
      clearInterval(looking)
      audit.close()
    },
  }
}
