// What a change of a pool's devices would do: its layout before and after, and what cannot be undone. Where zpool has no
// dry run of its own, the layout after is composed from the pool's status, and says so.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import * as z from 'zod'
import type { Vdev } from '../../drivers/zpool-status.ts'
import { confirmRequired } from '../../errors.ts'

const Leaf = z.object({ name: z.string(), type: z.string().describe('disk, file, mirror, raidz1, spare, replacing') })
const LayoutDevice = Leaf.meta({ id: 'LayoutDevice' })
const LayoutMember = Leaf.extend({ children: z.array(LayoutDevice).optional() }).meta({ id: 'LayoutMember' })
const Layout = Leaf.extend({
  class: z.string().describe('data, log, cache, spare, special, dedup'),
  children: z.array(LayoutMember).optional(),
}).meta({ id: 'Layout' })

export const PoolPlan = z
  .object({
    pool: z.string(),
    does: z.array(z.string()).describe('what happens, step by step'),
    undo: z.string().optional().describe('how it can be undone; left out where it cannot'),
    before: z.array(Layout),
    after: z.array(Layout),
    source: z.enum(['zpool', 'composed']).describe('who says what comes after: a dry run of zpool, or this server'),
    confirm: z.string().describe('the value of ?confirm= that agrees to exactly this plan'),
  })
  .meta({ id: 'PoolPlan' })
export type PoolPlan = z.infer<typeof PoolPlan>

export interface Planned {
  pool: string
  guid: string
  does: string[]
  undo?: string | undefined
  before: readonly Vdev[]
  after: readonly Vdev[]
  source?: PoolPlan['source']
}

export function planLayout({ pool, guid, does, undo, before, after, source = 'composed' }: Planned): PoolPlan {
  const plan = { pool, does, ...(undo !== undefined && { undo }), before: view(before), after: view(after), source }
  const confirm = createHash('sha256')
    .update(JSON.stringify([guid, plan]))
    .digest('base64url')
    .slice(0, 22)
  return { ...plan, confirm }
}

type Node = z.infer<typeof LayoutMember>
const view = (vdevs: readonly Vdev[]) => vdevs.map((vdev) => ({ ...node(vdev), class: vdev.class }))
const node = ({ name, type, children }: Vdev): Node => ({
  name,
  type,
  ...(children.length > 0 && { children: children.map(node) }),
})

/** Throws unless the caller agreed to this very plan, where that is demanded or the caller names one. */
export function assertAgreed(plan: PoolPlan, confirm: string | undefined, demanded: boolean): void {
  if (confirm === plan.confirm || (confirm === undefined && !demanded)) return
  const what = confirm === undefined ? 'This needs the confirm token of its plan' : 'The plan has changed since'
  throw confirmRequired(`${what}: ask with ?dry_run=true first`, { details: { object: plan.pool } })
}

/** A disk that is not in the pool yet. */
export const newcomer = (path: string, beside: Vdev): Vdev => ({
  ...{ name: path.startsWith('/dev/') ? basename(path) : path, type: path.startsWith('/dev/') ? 'disk' : 'file' },
  ...{ class: beside.class, state: '', read: 0, write: 0, checksum: 0, note: undefined, children: [] },
})

/**
 * The layout with the vdev `wanted` replaced by `instead`; an empty list removes it. A mirror with one disk left becomes that disk.
 */
export function withInstead(vdevs: readonly Vdev[], wanted: Vdev, instead: readonly Vdev[]): Vdev[] {
  return vdevs.flatMap((vdev) => {
    if (vdev === wanted) return instead
    if (vdev.children.length === 0) return [vdev]
    const children = withInstead(vdev.children, wanted, instead)
    const alone = children.length === 1 && /^(?:mirror|replacing|spare)/.test(vdev.type)
    return alone ? children.map((one) => ({ ...one, class: vdev.class })) : [{ ...vdev, children }]
  })
}
