// The layouts of a group of disks: what each needs, how many disks may fail, and how much space it leaves. Pure
// arithmetic, so that it can be tested alone.

export const LAYOUTS = {
  mirror: 'Mirror',
  raidz1: 'RAID-Z1',
  raidz2: 'RAID-Z2',
  raidz3: 'RAID-Z3',
  draid1: 'dRAID1',
  draid2: 'dRAID2',
  draid3: 'dRAID3',
  stripe: 'Stripe',
} as const
export type Layout = keyof typeof LAYOUTS

export const USES = {
  data: 'Data',
  special: 'Special (metadata)',
  dedup: 'Dedup',
  log: 'Log (SLOG)',
  cache: 'Cache (L2ARC)',
  spare: 'Hot spare',
} as const
export type Use = keyof typeof USES

/** For a menu: what each layout means. */
export const LAYOUT_WORDS: Readonly<Record<Layout, string>> = {
  mirror: 'Mirror: every disk holds a full copy',
  raidz1: 'RAID-Z1: one disk may fail',
  raidz2: 'RAID-Z2: two disks may fail',
  raidz3: 'RAID-Z3: three disks may fail',
  draid1: 'dRAID1: one disk may fail',
  draid2: 'dRAID2: two disks may fail',
  draid3: 'dRAID3: three disks may fail',
  stripe: 'Stripe: single disks, none may fail',
}

export const isDraid = (layout: Layout) => layout.startsWith('draid')

/** Disks of parity; 0 of mirrors and stripes. */
export const parityOf = (layout: Layout): number => (/^d?raid/.test(layout) ? Number(layout.slice(-1)) : 0)

/** ZFS has no RAID-Z of logs, and no groups of caches and spares. */
export function layoutsFor(use: Use): Layout[] {
  if (use === 'cache' || use === 'spare') return ['stripe']
  if (use === 'log') return ['mirror', 'stripe']
  const all = Object.keys(LAYOUTS) as Layout[]
  return use === 'data' ? all : all.filter((layout) => !isDraid(layout))
}

/** How many disks a group has at least. `spares`: the distributed ones of a dRAID. */
export const leastDisks = (layout: Layout, spares = 0): number =>
  layout === 'stripe' ? 1 : layout === 'mirror' ? 2 : parityOf(layout) + 1 + (isDraid(layout) ? spares : 0)

/** How many disks of a group may fail before its data is lost. */
export const mayFail = (layout: Layout, disks: number): number =>
  layout === 'stripe' ? 0 : layout === 'mirror' ? Math.max(0, disks - 1) : parityOf(layout)

/** The most data disks in one stripe of a dRAID, unless a number is named. */
const DRAID_DATA = 8

/** In bytes, before ZFS's own reserve. ZFS uses only the size of the smallest disk on each disk of a group. */
export function usable(layout: Layout, sizes: readonly number[], spares = 0): number {
  const count = sizes.length
  if (count < leastDisks(layout, spares)) return 0
  if (layout === 'stripe') return sizes.reduce((sum, size) => sum + size, 0)
  const least = Math.min(...sizes)
  if (layout === 'mirror') return least
  const parity = parityOf(layout)
  if (!isDraid(layout)) return (count - parity) * least
  const data = Math.min(DRAID_DATA, count - spares - parity)
  return Math.floor((least * (count - spares) * data) / (data + parity))
}

/** ZFS treats disks as equal if they differ by less than this. */
const ALIKE = 50 * 1024 * 1024

export const areAlike = (sizes: readonly number[]): boolean =>
  sizes.length === 0 || Math.max(...sizes) - Math.min(...sizes) <= ALIKE
