// Reads the layout that `zpool add -n` prints: names alone, in the order of a tree.
import { CLASSES, typeOf, type Vdev } from './zpool-status.ts'

/** Undefined if it is no layout. */
export function parseLayout(text: string): Vdev[] | undefined {
  const rows = text.split('\n').flatMap((line) => {
    const [, indent, name] = /^\t( *)(\S.*?)\s*$/.exec(line) ?? []
    return name === undefined ? [] : [{ depth: (indent?.length ?? 0) / 2, name }]
  })
  if (rows.length === 0) return undefined
  const top: Vdev[] = []
  const path: Vdev[] = []
  let current = 'data'
  for (const { depth, name } of rows.slice(1)) {
    if (depth === 0 && name in CLASSES) {
      current = CLASSES[name] ?? 'data'
      continue
    }
    // A group that does not exist yet has no number.
    const type = /^(?:mirror|raidz[123]?|draid[123]?)(?=$|:)/.exec(name)?.[0] ?? typeOf(name)
    const vdev = {
      name,
      type,
      class: current,
      state: '',
      read: 0,
      write: 0,
      checksum: 0,
      note: undefined,
      children: [],
    }
    // Some versions set the devices under a heading deeper than the others.
    const level = Math.min(Math.max(1, depth), path.length + 1)
    path.length = current === 'cache' || current === 'spare' ? 0 : level - 1
    const siblings = path.at(-1)?.children ?? top
    siblings.push(vdev)
    path.push(vdev)
  }
  return top
}
