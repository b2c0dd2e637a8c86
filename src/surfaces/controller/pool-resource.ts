// A pool as a resource: its path, its name in the audit log, and its version for ETag and If-Match.
import * as z from 'zod'
import { poolVersion } from '../../features/pools/pools.ts'
import { KnownPool } from '../../features/zfs/names.ts'
import { type ControllerDeps, PREFIX } from './context.ts'

export const POOLS = `${PREFIX}/pools`
export const ONE_POOL = `${POOLS}/{name}`
export const poolParams = z.strictObject({ name: KnownPool })
export const poolKey = (name: string) => `pools/${name}`

export const poolResource = {
  key: (params: { name: string }) => poolKey(params.name),
  version: ({ params: { name } }: { params: { name: string } }, { pools }: ControllerDeps) => poolVersion(pools, name),
}
