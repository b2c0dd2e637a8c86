// The groups of disks that a pool is made of or gets, in ZFS's words, and how a number of free disks is spread over
// them.
import { isDraid, LAYOUTS, type Layout, leastDisks, mayFail, USES, type Use, usable } from './layouts.ts'

export interface Group {
  id: string
  use: Use
  layout: Layout
  /** The distributed spares of a dRAID. */
  spares: number
  /** Paths. */
  disks: string[]
}

const SECTIONS: readonly Use[] = ['data', 'special', 'dedup', 'log', 'cache', 'spare']

/** `Data 2` if there are several of its use. */
export function titleOf(group: Group, groups: readonly Group[]): string {
  const same = groups.filter(({ use }) => use === group.use)
  return same.length > 1 || group.use === 'data'
    ? `${USES[group.use]} ${same.findIndex(({ id }) => id === group.id) + 1}`
    : USES[group.use]
}

/** `RAID-Z2 of 6 disks` */
export const shapeOf = ({ use, layout, disks }: Pick<Group, 'use' | 'layout' | 'disks'>): string => {
  const count = `${disks.length} ${disks.length === 1 ? 'disk' : 'disks'}`
  return use === 'spare' || use === 'cache' ? count : `${LAYOUTS[layout]} of ${count}`
}

/** Groups without a disk are left out. Single disks come first in their section: behind a group they would be part of it. */
export function vdevWords(groups: readonly Group[]): string[] {
  return SECTIONS.flatMap((section) => {
    const own = groups.filter(({ use, disks }) => use === section && disks.length > 0)
    if (own.length === 0) return []
    const single = own.filter(({ layout }) => layout === 'stripe').flatMap(({ disks }) => disks)
    const wide = own
      .filter(({ layout }) => layout !== 'stripe')
      .flatMap(({ layout, spares, disks }) => [
        isDraid(layout) && spares > 0 ? `${layout}:${spares}s` : layout,
        ...disks,
      ])
    return [...(section === 'data' ? [] : [section]), ...single, ...wide]
  })
}

/** Why such groups cannot be sent. `added`: to a pool that has data. */
export function whyNot(groups: readonly Group[], added = false): string | undefined {
  const used = groups.filter(({ disks }) => disks.length > 0)
  if (added && used.length === 0) return 'Choose at least one disk.'
  if (!added && !used.some(({ use }) => use === 'data')) return 'Choose at least one disk for data.'
  for (const group of used) {
    const least = leastDisks(group.layout, group.spares)
    if (group.disks.length < least)
      return `${titleOf(group, groups)}: ${LAYOUTS[group.layout]} needs at least ${least} disks${
        group.use === 'log' || group.disks.length === 1 ? ', or choose the layout “Stripe”' : ''
      }.`
  }
  return undefined
}

/** The space for data in all groups; undefined if the size of a disk is unknown. */
export function usableIn(groups: readonly Group[], sizeOf: (path: string) => number | undefined): number | undefined {
  let sum = 0
  for (const { use, layout, spares, disks } of groups) {
    if (use !== 'data') continue
    const sizes = disks.map(sizeOf).filter((size) => size !== undefined)
    if (sizes.length < disks.length) return undefined
    sum += usable(layout, sizes, spares)
  }
  return sum
}

export interface Wanted {
  groups: number
  width: number
  layout: Layout
}

/**
 * The disks for each group: of one size if there are enough of one, and of the largest size that has enough. Undefined if
 * there are too few.
 */
export function spread(
  { groups, width }: Wanted,
  free: readonly { path: string; size?: number }[],
): string[][] | undefined {
  const count = groups * width
  if (count < 1 || free.length < count) return undefined
  const sizes = [...new Set(free.map(({ size = 0 }) => size))].sort((a, b) => b - a)
  const alike = sizes.find((size) => free.filter((disk) => (disk.size ?? 0) === size).length >= count)
  const chosen =
    alike === undefined
      ? [...free].sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
      : free.filter((disk) => (disk.size ?? 0) === alike)
  return Array.from({ length: groups }, (_, at) => chosen.slice(at * width, (at + 1) * width).map(({ path }) => path))
}

/** A vdev as the API returns it. */
export interface Member {
  name: string
  type: string
  class: string
  needs?: number
  children?: Member[]
}

/** A group that a pool has already. */
export interface Present {
  name: string
  use: string
  /** `raidz2`, `mirror`, `disk` */
  type: string
  width: number
  mayFail: number
  /** Bytes that a spare has to have to stand for any of its disks. */
  needs: number
}

/** The most that a disk of it needs. */
export const needsOf = ({ needs = 0, children = [] }: Pick<Member, 'needs' | 'children'>): number =>
  Math.max(needs, ...children.map(needsOf))

/** The groups that hold data or metadata. */
export const presentIn = (vdevs: readonly Member[]): Present[] =>
  vdevs
    .filter((vdev) => ['data', 'special', 'dedup'].includes(vdev.class))
    .map((vdev) => {
      const { name, class: use, type, children = [] } = vdev
      const width = Math.max(1, children.length)
      return { name, use, type, width, mayFail: mayFail(layoutOf(type), children.length), needs: needsOf(vdev) }
    })

/** `draid2:4d:11c:1s` is a dRAID2; what is no group is a single disk. */
export function layoutOf(type: string): Layout {
  const [word = ''] = type.split(':', 1)
  const named = /^d?raid(?:z)?$/.test(word) ? `${word}1` : word
  return named in LAYOUTS ? (named as Layout) : 'stripe'
}
