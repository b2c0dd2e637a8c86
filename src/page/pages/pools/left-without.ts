// What a mirror is worth without one of its disks, in words.

interface Vdev {
  name: string
  type: string
  class: string
  state: string
  children?: Vdev[]
}

/** Undefined: at least two of its other disks work. */
export function leftWithout(disk: Vdev, { type, name, class: use, children = [] }: Vdev): string | undefined {
  if (type !== 'mirror') return undefined
  const working = children.filter((child) => child.name !== disk.name && child.state === 'ONLINE')
  if (working.length > 1) return undefined
  const loss = use === 'log' ? 'the last writes can be lost' : 'the whole pool is lost'
  return working.length === 1
    ? `Nothing is mirrored in ${name} any more: when its other working disk fails, ${loss}.`
    : `No other disk of ${name} works: without this one ${loss}.`
}
