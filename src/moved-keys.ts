// Keys of the configuration that have moved: for one release the old place takes effect as well, and a warning names both.
import { isDeepStrictEqual } from 'node:util'

/** From where to where; an object moves with all its members. */
const MOVED: readonly (readonly [old: string, now: string])[] = [
  ['surfaces.controller.confirm-destroy', 'storage.confirm-destroy'],
  ['surfaces.controller.exports-folder', 'storage.exports-folder'],
  ['surfaces.controller.file-vdevs', 'storage.file-vdevs'],
  ['surfaces.controller.iscsi', 'storage.iscsi'],
  ['surfaces.controller.heartbeat-seconds', 'listen.heartbeat-seconds'],
]

/** A key that was found at its old place. */
export interface MovedKey {
  old: string
  now: string
}

/** Moves what stands at an old place to the new one, within `value`. Throws where both are given and say different things. */
export const moveKeys = (value: unknown): MovedKey[] => MOVED.flatMap(([old, now]) => move(value, old, now))

export const movedSentence = ({ old, now }: MovedKey) =>
  `${old} is called ${now} now: the old key is read in this release, and refused by the next`

/** The name of a key as its writer wrote it. */
export function writtenName(field: string, moved: readonly MovedKey[]): string {
  const found = moved.find(({ now }) => field === now || field.startsWith(`${now}.`))
  return found ? `${found.old}${field.slice(found.now.length)}` : field
}

function move(value: unknown, old: string, now: string): MovedKey[] {
  const from = holderOf(value, old)
  if (!from || !Object.hasOwn(from.holder, from.name)) return []
  const to = holderOf(value, now, true)
  // What should hold it is no object, and will be refused as such.
  if (!to) return []
  const moving = from.holder[from.name]
  const there = to.holder[to.name]
  if (isObject(moving) && isObject(there) && Object.hasOwn(to.holder, to.name)) {
    const names = Object.keys(moving).filter((name) => /^[a-z-]+$/.test(name))
    const moved = names.flatMap((name) => move(value, `${old}.${name}`, `${now}.${name}`))
    // What no key is called stays, and is refused there.
    if (Object.keys(moving).length > 0) return moved
    delete from.holder[from.name]
    return moved.length > 0 ? moved : [{ old, now }]
  }
  if (Object.hasOwn(to.holder, to.name) && !isDeepStrictEqual(moving, there))
    throw new Error(`${old} and ${now} are one key, and are given different values: leave ${old} out`)
  to.holder[to.name] = moving
  delete from.holder[from.name]
  return [{ old, now }]
}

type Members = Record<string, unknown>
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object that a key belongs to, and the key's name in it; undefined where there is none. */
function holderOf(value: unknown, key: string, make = false): { holder: Members; name: string } | undefined {
  const path = key.split('.')
  const name = path.pop() as string
  let holder = value
  for (const step of path) {
    if (!isObject(holder)) return undefined
    if (make && !Object.hasOwn(holder, step)) holder[step] = {}
    holder = Object.hasOwn(holder, step) ? holder[step] : undefined
  }
  return isObject(holder) ? { holder, name } : undefined
}
