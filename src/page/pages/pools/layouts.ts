// Turns the chosen disks into ZFS's words, estimates the usable space, and checks what the layout needs, so that
// mistakes show beside the disks and not as a refusal.

import { bytes } from '../../kit/format.ts'

export const LAYOUTS = {
  mirror: 'Mirror: every disk holds a full copy',
  mirrors: 'Mirrors of two disks',
  raidz: 'RAID-Z1: one disk may fail',
  raidz2: 'RAID-Z2: two disks may fail',
  raidz3: 'RAID-Z3: three disks may fail',
  stripe: 'Stripe: no disk may fail',
} as const
export type Layout = keyof typeof LAYOUTS

export const USES = { data: 'Data', log: 'Log', cache: 'Cache', spare: 'Spare' } as const
export type Use = keyof typeof USES

const PARITY = { raidz: 1, raidz2: 2, raidz3: 3 } as const

/** Why this number of data disks cannot make such a pool. */
export function whyNot(layout: Layout, disks: number): string | undefined {
  if (disks === 0) return 'Choose at least one disk for data.'
  if (layout === 'stripe') return undefined
  if (layout === 'mirrors') return disks % 2 === 0 ? undefined : 'Mirrors of two need an even number of data disks.'
  const least = layout === 'mirror' ? 2 : PARITY[layout] + 1
  return disks < least ? `This layout needs at least ${least} data disks.` : undefined
}

/** ZFS treats disks as equal if they differ by less than this. */
const ALIKE = 50 * 1024 * 1024

/** Reasons against such a pool, even if it can be created or attempted. */
export function doubts(layout: Layout, sizes: number[]): string[] {
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  const found: string[] = []
  if (sizes.length > 0 && layout === 'stripe')
    found.push('Without redundancy, the failure of one disk destroys the whole pool.')
  if (sizes.length > 1 && layout !== 'stripe' && most - least > ALIKE)
    found.push(
      `The data disks differ in size, from ${bytes(least)} to ${bytes(most)}. ZFS refuses a mirror or RAID-Z of such disks, or uses only the size of the smallest on each of them: ${
        sizes.filter((size) => most - size > ALIKE).length
      } of ${sizes.length} are smaller than the largest.`,
    )
  if (layout in PARITY && sizes.length === PARITY[layout as keyof typeof PARITY] + 1)
    found.push(
      `With ${sizes.length} disks, RAID-Z${layout === 'raidz' ? '1' : layout.slice(-1)} leaves the usable space of one disk. A mirror has the same space and is faster; use RAID-Z with ${sizes.length + 1} or more disks.`,
    )
  return found
}

/** `["mirror","/dev/sdb","/dev/sdc","log","/dev/sdd"]`; two log disks are a mirror. */
export function vdevWords(layout: Layout, chosen: [path: string, use: Use][]): string[] {
  const of = (use: Use) => chosen.filter((entry) => entry[1] === use).map(([path]) => path)
  const [data, log, cache, spare] = [of('data'), of('log'), of('cache'), of('spare')]
  const groups =
    layout === 'stripe'
      ? data
      : layout === 'mirrors'
        ? data.flatMap((path, i) => (i % 2 === 0 ? ['mirror', path] : [path]))
        : [layout, ...data]
  return [
    ...groups,
    ...(log.length > 0 ? ['log', ...(log.length > 1 ? ['mirror'] : []), ...log] : []),
    ...(cache.length > 0 ? ['cache', ...cache] : []),
    ...(spare.length > 0 ? ['spare', ...spare] : []),
  ]
}

/** In bytes, before ZFS's own reserve. */
export function usable(layout: Layout, sizes: number[]): number {
  const least = Math.min(...sizes)
  if (sizes.length === 0) return 0
  if (layout === 'stripe') return sizes.reduce((sum, size) => sum + size, 0)
  if (layout === 'mirror') return least
  if (layout === 'mirrors')
    return sizes.reduce((sum, size, i) => (i % 2 === 1 ? sum + Math.min(size, sizes[i - 1] ?? size) : sum), 0)
  return Math.max(0, sizes.length - PARITY[layout]) * least
}
