// Run by audit-chain.test.ts: appends to the log in argv[2] until it is killed, and writes a byte into `said` after each.
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AuditChain } from '../../src/store/audit/chain.ts'

const base = process.argv[2] ?? ''
const chain = new AuditChain({
  folder: join(base, 'audit'),
  keyFile: join(base, 'audit.key'),
  size: 1 << 30,
  segment: 8192,
  every: 7,
  failed: (error) => {
    throw error
  },
})
const said = openSync(join(base, 'said'), 'a')
chain.start()
for (let i = 1; ; i++) {
  chain.append({ actor: 'user-1', action: 'pools.create', resource: `pools/p${i}`, result: 'success' })
  writeSync(said, '.')
}
