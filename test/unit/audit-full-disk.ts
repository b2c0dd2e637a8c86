// Run by audit-chain.test.ts in a mount namespace of its own, on a small tmpfs at argv[2]: fills it, goes on, and makes room. Prints what
// became of the entries, as JSON.
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { AuditChain } from '../../src/store/audit/chain.ts'
import { publicKey } from '../../src/store/audit/key.ts'
import { listSegments, publicKeyFile } from '../../src/store/audit/segments.ts'
import { verifySegments } from '../../src/store/audit/verify.ts'

const base = process.argv[2] ?? ''
const folder = join(base, 'audit')
const errors: unknown[] = []
const chain = new AuditChain({
  folder,
  keyFile: join(base, 'audit.key'),
  size: 1 << 30,
  segment: 64 << 10,
  failed: (error) => errors.push((error as NodeJS.ErrnoException).code),
})
const append = (count: number, what: string) => {
  for (let i = 0; i < count; i++)
    chain.append({ actor: 'user-1', action: 'pools.create', resource: `${what}/p${i}`, result: 'success' })
}
append(50, 'before')
const filler = openSync(join(base, 'filler'), 'w')
try {
  for (;;) writeSync(filler, Buffer.alloc(4096))
} catch {
  closeSync(filler)
}
append(2000, 'full')
rmSync(join(base, 'filler'))
append(3, 'after')
chain.close()
const key = publicKey(readFileSync(publicKeyFile(folder), 'utf8'))
const entries = chain.find({ limit: 1e6 })
const kept = entries.filter(({ resource }) => resource.startsWith('full/')).length
const gap = entries.find(({ action }) => action === 'audit.gap')
process.stdout.write(
  JSON.stringify({
    errors,
    after: entries.filter(({ resource }) => resource.startsWith('after/')).length,
    before: entries.filter(({ resource }) => resource.startsWith('before/')).length,
    lost: Number(/^(\d+) entries could not be written since 2/.exec(gap?.message ?? '')?.[1]),
    missing: 2000 - kept,
    bad:
      verifySegments(
        listSegments(folder).map(({ path }) => path),
        { key },
      ).bad ?? null,
  }),
)
