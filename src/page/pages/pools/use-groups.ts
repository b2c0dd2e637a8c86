// The groups of a form, while disks are put into them.
import { useState } from '../../hooks.ts'
import type { Group, Wanted } from './groups.ts'
import { type Layout, layoutsFor, type Use } from './layouts.ts'

export interface Groups {
  groups: Group[]
  /** `to`: the ID of a group, a use (its first group), `new-` and a use, or empty: not used. */
  assign: (paths: readonly string[], to: string) => void
  change: (id: string, change: Partial<Pick<Group, 'layout' | 'spares'>>) => void
  drop: (id: string) => void
  /** Replaces the data groups. */
  fill: (wanted: Wanted, disks: readonly string[][]) => void
  groupOf: (path: string) => string
}

/** The first group of a use is called as the use, the others are numbered. */
export const emptyGroup = (use: Use, taken: readonly Group[], layout: Layout): Group => {
  const ids = new Set(taken.map(({ id }) => id))
  let id: string = use
  for (let n = 2; ids.has(id); n++) id = `${use}-${n}`
  return {
    id,
    use,
    layout: layoutsFor(use).includes(layout) ? layout : (layoutsFor(use)[0] as Layout),
    spares: 0,
    disks: [],
  }
}

/** `layout`: of the first data group. */
export function useGroups(layout: Layout): Groups {
  const [groups, setGroups] = useState<Group[]>(() => [emptyGroup('data', [], layout)])
  const assign = (paths: readonly string[], to: string) =>
    setGroups((before) => {
      const left = before.map((group) => ({ ...group, disks: group.disks.filter((path) => !paths.includes(path)) }))
      if (to === '') return left
      const use = to.replace(/^new-/, '')
      const isNew = to.startsWith('new-') || !left.some(({ id }) => id === to)
      const model = left.findLast((group) => group.use === use)?.layout ?? (use === 'data' ? layout : 'mirror')
      const all = isNew ? [...left, emptyGroup(use as Use, left, model)] : left
      const at = isNew ? all.length - 1 : all.findIndex(({ id }) => id === to)
      return all.map((group, i) => (i === at ? { ...group, disks: [...group.disks, ...paths] } : group))
    })
  return {
    groups,
    assign,
    change: (id, change) =>
      setGroups((before) => before.map((group) => (group.id === id ? { ...group, ...change } : group))),
    drop: (id) => setGroups((before) => before.filter((group) => group.id !== id)),
    fill: ({ layout: wanted }, disks) =>
      setGroups((before) => {
        const taken = new Set(disks.flat())
        const others = before
          .filter(({ use }) => use !== 'data')
          .map((group) => ({ ...group, disks: group.disks.filter((path) => !taken.has(path)) }))
        const data: Group[] = []
        for (const paths of disks) data.push({ ...emptyGroup('data', data, wanted), disks: paths })
        return [...data, ...others]
      }),
    groupOf: (path) => groups.find(({ disks }) => disks.includes(path))?.id ?? '',
  }
}
