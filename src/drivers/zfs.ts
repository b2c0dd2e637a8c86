// File systems, volumes, snapshots and their properties, from `zfs … -Hp`. A list may have a hundred thousand lines, so
// each is handed on as it arrives. A malformed line means a broken program, not an empty list.

import type { Tool } from './programs.ts'
import { CommandError, type RunOptions } from './run.ts'
import { garbled, LONG, type Property, type Question, readProperties, readRows, unheard, whole } from './zfs-lines.ts'

export type { Property } from './zfs-lines.ts'

/** A file system or a volume; only a volume has `size`. */
export interface DatasetRow {
  name: string
  type: 'filesystem' | 'volume'
  used: number
  available: number
  size: number | undefined
  mountpoint: string | undefined
  /** Seconds since 1970. */
  created: number
}

export interface SnapshotRow {
  name: string
  used: number
  created: number
}

export interface CensusRow {
  name: string
  type: 'filesystem' | 'volume' | 'snapshot'
  created: number
  /** Bytes that a file system or volume uses, and that it may still use. */
  space: Space | undefined
}

/** Space for data, total and used, in bytes, without redundancy. */
export interface Space {
  used: number
  available: number
}

/** Bytes of one user or group. */
export interface SpaceOf {
  used: number
  quota: number | undefined
}

export interface Root extends Space {
  /** Seconds since 1970. */
  created: number
}

/** An object of a tree or a history, with what prevents its destruction. */
export interface Member {
  name: string
  type: 'filesystem' | 'volume' | 'snapshot' | 'bookmark'
  /**
   * Distinguishes it from later objects of the same name and from those of another pool; a bookmark has its snapshot's.
   */
  guid: string
  /** Its place in the order of creation. */
  txg: number
  /** Number of holds. */
  holds: number
  clones: string[]
}

export interface MarkedSnapshot {
  name: string
  mark: string
  /** Its place in the order of creation. */
  txg: number
  holds: number
  clones: string[]
}

type Properties = Readonly<Record<string, string>>
export type Zfs = ReturnType<typeof createZfs>

/** Milliseconds. A resilvering pool responds late; a suspended pool never does. */
const QUICK = 30_000
/** For optional information on pages: the rest of the page is there at once. */
const BESIDE = 5_000
/** A query about every snapshot reads a block for each: on cold spinning disks ten thousand take minutes. */
const EACH_SNAPSHOT = 600_000

/** Names per call: the kernel accepts two megabytes of arguments, and a name has at most 255 bytes. */
const PORTION = 500
/** Bytes of the output for these. */
const MOST_HOLDS = 1 << 26

/** `end`: lets a test know the property that does not exist. */
export function createZfs(tool: Tool, end = unheard) {
  const change = async (args: string[]) => void (await tool('zfs', args, { timeout: QUICK }))
  const rows = (args: string[], width: number, take: (fields: string[]) => void, options?: RunOptions) =>
    readRows(tool, args, width, take, options)
  const values = (
    asked: Question,
    take: (name: string, found: Property[], args: string[]) => void,
    options: RunOptions = {},
  ) => readProperties(tool, asked, take, { ...options, end: end() })
  const members = async (args: string[]) => {
    const found: Member[] = []
    const all = ['list', '-Hp', '-o', 'name,type,guid,createtxg,userrefs,clones', ...args]
    await rows(all, 6, (fields) => found.push(readMember(fields, all)), { timeout: EACH_SNAPSHOT })
    return found
  }
  return {
    /** Each pool's root dataset: when it was created, and its contents including everything below. */
    async roots(): Promise<Map<string, Root>> {
      const args = ['list', '-Hp', '-d', '0', '-o', 'name,creation,used,available']
      const found = new Map<string, Root>()
      await rows(
        args,
        4,
        ([name = '', created, used, available]) =>
          found.set(name, {
            created: whole(created, args),
            used: whole(used, args),
            available: whole(available, args),
          }),
        { timeout: BESIDE },
      )
      return found
    },

    /** Every file system and volume, or those from `under` down. */
    async datasets(under: string | undefined, take: (row: DatasetRow) => void): Promise<void> {
      const properties = ['type', 'used', 'available', 'volsize', 'creation', 'mountpoint']
      await values({ properties, ...within(under) }, (name, found, args) => take(readDataset(name, found, args)))
    },

    /** Every snapshot, or those of one dataset and, with `deep`, of everything below it. */
    async snapshots(
      of: { dataset: string; deep: boolean } | undefined,
      take: (row: SnapshotRow) => void,
    ): Promise<void> {
      const where = below(of?.dataset, ...(of?.deep ? ['-r'] : ['-d', '1']))
      const args = ['list', '-Hp', '-t', 'snapshot', '-o', 'name,used,creation', ...where]
      const one = ([name = '', used, created]: string[]) =>
        take({ name, used: whole(used, args), created: whole(created, args) })
      await rows(args, 3, one, { timeout: EACH_SNAPSHOT })
    },

    /** All objects, by type. `created` of a snapshot is in seconds since 1970. */
    async census(take: (row: CensusRow) => void): Promise<void> {
      const args = ['list', '-Hp', '-t', 'filesystem,volume,snapshot', '-o', 'name,type,creation,used,available']
      await rows(
        args,
        5,
        ([name = '', type, created, used, available]) => {
          if (type !== 'filesystem' && type !== 'volume' && type !== 'snapshot') throw garbled(args)
          const space = type === 'snapshot' ? undefined : { used: whole(used, args), available: whole(available, args) }
          take({ name, type, created: whole(created, args), space })
        },
        { timeout: QUICK },
      )
    },

    /** The mount points of a dataset and of those below it, if they are mounted. */
    async mounted(name: string): Promise<string[]> {
      const found: string[] = []
      // With `-t filesystem` it refuses the name of a volume, also with -r.
      const asked = { properties: ['mounted', 'mountpoint'], ...within(name) }
      const take = (_name: string, [mounted, place]: Property[]) =>
        mounted?.value === 'yes' && place?.value.startsWith('/') && found.push(place.value)
      return (await orUndefined(values(asked, take).then(() => found))) ?? []
    },

    /** All properties of a dataset or snapshot; undefined if it does not exist. */
    async get(name: string): Promise<Map<string, Property> | undefined> {
      const args = ['get', '-Hp', '-o', 'property,value,source', 'all', name]
      const found = new Map<string, Property>()
      try {
        const { stdout } = await tool('zfs', args, { timeout: QUICK })
        for (const line of stdout.split('\n')) {
          const [property = '', ...rest] = line.split('\t')
          const source = rest.pop()
          // A user property may contain tabs and line ends; text after a line end is dropped. Native properties come
          // first, so a forged line never replaces one.
          if (source !== undefined && rest.length > 0 && !found.has(property))
            found.set(property, { value: rest.join('\t'), source })
        }
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
      if (!found.has('type') || !found.has('creation')) throw garbled(args)
      return found
    },

    /** What each user or group uses of a filesystem, and its quota, by number. */
    async space(name: string, of: 'user' | 'group'): Promise<Map<number, SpaceOf>> {
      const args = [`${of}space`, '-Hnp', '-o', 'name,used,quota', '-t', `posix${of}`, name]
      const found = new Map<number, SpaceOf>()
      await rows(args, 3, ([id, used, quota = '']) => {
        const limit = /^[1-9][0-9]*$/.test(quota) ? Number(quota) : undefined
        found.set(whole(id, args), { used: /^[0-9]+$/.test(used ?? '') ? Number(used) : 0, quota: limit })
      })
      return found
    },

    /** A dataset and everything below it: children, snapshots, bookmarks. Undefined if it does not exist. */
    tree: (name: string) => orUndefined(members(['-t', 'all', '-r', name])),

    /** A dataset's own snapshots and bookmarks. Undefined if it does not exist. */
    history: (name: string) => orUndefined(members(['-t', 'snapshot,bookmark', '-d', '1', name])),

    /** The tags of the holds on these snapshots, by snapshot name. */
    async holds(names: string[]): Promise<Map<string, string[]>> {
      const tags = new Map<string, string[]>()
      for (const some of portions(names)) {
        const args = ['holds', '-H', ...some]
        const { stdout } = await tool('zfs', args, { timeout: LONG, maxBytes: MOST_HOLDS })
        for (const [name, tag] of readHolds(stdout, new Set(some), args))
          tags.set(name, [...(tags.get(name) ?? []), tag])
      }
      return tags
    },

    create: (name: string, properties: Properties) => change(['create', ...options(properties), name]),
    createVolume: (name: string, bytes: number, properties: Properties) =>
      change(['create', ...options(properties), '-V', String(bytes), name]),
    snapshot: (name: string, properties: Properties) => change(['snapshot', ...options(properties), name]),
    set: (name: string, properties: Properties) =>
      change(['set', ...Object.entries(properties).map(([key, value]) => `${key}=${value}`), name]),
    inherit: (name: string, property: string) => change(['inherit', property, name]),
    /** Values that were received with the dataset. */
    revert: (name: string, property: string) => change(['inherit', '-S', property, name]),
    /** Destroys one object that has no dependents. */
    destroy: (name: string) => change(['destroy', name]),

    /**
     * Where a property was set locally, neither inherited nor received: dataset → value. Everywhere, or from one
     * dataset down.
     */
    async local(property: string, under?: string): Promise<Map<string, string>> {
      const found = new Map<string, string>()
      await values({ properties: [property], ...within(under) }, (name, [own]) => {
        if (own?.source === 'local') found.set(name, own.value)
      })
      return found
    },

    /** The datasets' own snapshots that carry our mark. Snapshots that no longer exist are left out. */
    async marked(datasets: string[], property: string): Promise<MarkedSnapshot[]> {
      const found: MarkedSnapshot[] = []
      const asked = { flags: ['-t', 'snapshot', '-d', '1'], properties: ['createtxg', 'userrefs', 'clones', property] }
      const take = (name: string, [txg, holds, clones, mark]: Property[], args: string[]) => {
        // A mark that is inherited from the dataset does not mark the snapshots that people create.
        if (mark?.source !== 'local' && mark?.source !== 'received') return
        const [at, held] = [whole(txg?.value, args), whole(holds?.value, args)]
        found.push({ name, mark: mark.value, txg: at, holds: held, clones: names(clones?.value ?? '') })
      }
      for (const some of portions(datasets))
        await values({ ...asked, names: some }, take, { accept: [1], timeout: EACH_SNAPSHOT })
      return found
    },
  }
}

/** Whether the program reports that the object does not exist. */
export const isMissing = (error: unknown): boolean =>
  error instanceof CommandError &&
  error.reason === 'status' &&
  /does not exist|no such pool|could not find any snapshots/.test(error.stderr)

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const KINDS = ['-t', 'filesystem,volume']
/** Every file system and volume, or those from one down. */
const within = (under: string | undefined) =>
  under === undefined ? { flags: KINDS } : { flags: [...KINDS, '-r'], names: [under] }
const below = (name: string | undefined, ...depth: string[]) => (name === undefined ? [] : [...depth, name])
const options = (properties: Properties) =>
  Object.entries(properties).flatMap(([name, value]) => ['-o', `${name}=${value}`])
const names = (list: string) => (list === '-' || list === '' ? [] : list.split(','))

function readDataset(name: string, found: Property[], args: string[]): DatasetRow {
  const [type, used, available, size, created, mountpoint = '-'] = found.map(({ value }) => value)
  if (type !== 'filesystem' && type !== 'volume') throw garbled(args)
  return {
    name,
    type,
    used: whole(used, args),
    available: whole(available, args),
    size: size === '-' ? undefined : whole(size, args),
    mountpoint: mountpoint.startsWith('/') ? mountpoint : undefined,
    created: whole(created, args),
  }
}

const portions = (names: string[]) =>
  Array.from({ length: Math.ceil(names.length / PORTION) }, (_, i) => names.slice(i * PORTION, (i + 1) * PORTION))

/** Name, tag and time. A tag may contain tabs and line ends, so it ends where the next of these names begins. */
function readHolds(text: string, asked: ReadonlySet<string>, args: string[]): [name: string, tag: string][] {
  const entries: string[] = []
  const lines = text.split('\n')
  if (lines.pop() !== '') throw garbled(args)
  for (const line of lines) {
    if (asked.has(line.split('\t', 1)[0] ?? '')) entries.push(line)
    else if (entries.length > 0) entries.push(`${entries.pop()}\n${line}`)
    else throw garbled(args)
  }
  return entries.map((entry) => {
    const [name = '', ...tag] = entry.split('\t')
    if (tag.length < 2 || tag.at(-1)?.includes('\n')) throw garbled(args)
    return [name, tag.slice(0, -1).join('\t')]
  })
}

function readMember([name = '', type, guid = '', txg, holds, clones = '-']: string[], args: string[]): Member {
  if (type !== 'filesystem' && type !== 'volume' && type !== 'snapshot' && type !== 'bookmark') throw garbled(args)
  if (!/^[0-9]+$/.test(guid)) throw garbled(args)
  return {
    name,
    type,
    guid,
    txg: whole(txg, args),
    holds: holds === '-' ? 0 : whole(holds, args),
    clones: names(clones),
  }
}
