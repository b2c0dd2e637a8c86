// What speaks against groups of disks, even if ZFS takes them: mixed sizes, no or less redundancy, a layout that wastes
// disks.
import { bytes } from '../../kit/format.ts'
import { type Group, layoutOf, type Present, titleOf } from './groups.ts'
import { areAlike, isDraid, LAYOUTS, leastDisks, mayFail, parityOf } from './layouts.ts'

/** Whose loss is the loss of the pool. */
const HOLDS_DATA: readonly string[] = ['data', 'special', 'dedup']

/** `present`: the groups that the pool has already. */
export function concerns(
  groups: readonly Group[],
  sizeOf: (path: string) => number | undefined,
  present: readonly Present[] = [],
): string[] {
  const used = groups.filter(({ disks }) => disks.length > 0)
  const holding = used.filter(({ use }) => HOLDS_DATA.includes(use))
  const best = Math.max(
    0,
    ...present.map((group) => group.mayFail),
    ...holding.map(({ layout, disks }) => mayFail(layout, disks.length)),
  )
  return [
    ...used.flatMap((group) => ofGroup(group, titleOf(group, groups), sizeOf)),
    ...holding.flatMap((group) => {
      const fails = mayFail(group.layout, group.disks.length)
      return fails < best && isWhole(group)
        ? [
            `${titleOf(group, groups)} has less redundancy than the other groups of the pool: ${failWords(fails)}, elsewhere ${best}. A pool is as safe as its weakest group: when one group is lost, the whole pool is lost.`,
          ]
        : []
    }),
    ...widths(holding, present),
    ...tooSmall(used, sizeOf, present),
  ]
}

const isWhole = ({ layout, spares, disks }: Group) => disks.length >= leastDisks(layout, spares)

/** `2 disks may fail` */
export const failWords = (count: number) =>
  count === 0 ? 'no disk may fail' : count === 1 ? '1 disk may fail' : `${count} disks may fail`

function ofGroup(group: Group, title: string, sizeOf: (path: string) => number | undefined): string[] {
  const { use, layout, disks } = group
  const sizes = disks.map(sizeOf).filter((size) => size !== undefined)
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)]
  const count = disks.length
  const found: string[] = []
  if (layout === 'stripe' && HOLDS_DATA.includes(use))
    found.push(`${title} has no redundancy: the failure of one disk destroys the whole pool.`)
  if (layout !== 'stripe' && !areAlike(sizes))
    found.push(
      `${title}: the disks differ in size, from ${bytes(least)} to ${bytes(most)}. ZFS refuses such a group, or uses only the size of the smallest on each disk.`,
    )
  const parity = parityOf(layout)
  if (parity > 0 && !isDraid(layout) && count === parity + 1)
    found.push(
      `${title}: ${LAYOUTS[layout]} of ${count} disks is a poor choice: it leaves the usable space of one disk. A mirror of ${count} disks has the same space and the same safety, and is faster; use ${LAYOUTS[layout]} with ${count + 1} or more disks.`,
    )
  return found
}

/** ZFS refuses RAID-Z groups of different widths. */
function widths(holding: readonly Group[], present: readonly Present[]): string[] {
  const all = [
    ...present
      .filter(({ use }) => use === 'data')
      .map(({ type, width }) => ({ layout: layoutOf(type), width, isNew: false })),
    ...holding
      .filter(({ use }) => use === 'data')
      .map(({ layout, disks }) => ({ layout, width: disks.length, isNew: true })),
  ].filter(({ layout }) => parityOf(layout) > 0)
  return [...new Set(all.filter(({ isNew }) => isNew).map(({ layout }) => layout))].flatMap((layout) => {
    const found = [...new Set(all.filter((group) => group.layout === layout).map(({ width }) => width))]
    return found.length > 1
      ? [
          `The ${LAYOUTS[layout]} groups have different numbers of disks: ${found.join(' and ')}. ZFS refuses that, and data is spread unevenly.`,
        ]
      : []
  })
}

/** A hot spare stands only for disks that are not larger. */
function tooSmall(
  used: readonly Group[],
  sizeOf: (path: string) => number | undefined,
  present: readonly Present[],
): string[] {
  const sizesIn = (groups: readonly Group[]) =>
    groups.flatMap(({ disks }) => disks.map(sizeOf)).filter((size) => size !== undefined)
  const least = Math.min(...sizesIn(used.filter(({ use }) => use === 'spare')))
  const others = sizesIn(used.filter(({ use }) => HOLDS_DATA.includes(use)))
  const most = Math.max(0, ...others, ...present.map(({ needs }) => needs))
  return least < most && !areAlike([least, most])
    ? [`A hot spare of ${bytes(least)} cannot stand for every disk of the pool: the largest needs ${bytes(most)}.`]
    : []
}
