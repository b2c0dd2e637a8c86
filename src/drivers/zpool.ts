// Lists pools and their state with `zpool`. Changes of pools may take long and are in scripts/pool-*.sh. A suspended
// pool makes even `zpool list` hang, so every call has a time limit.

import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'
import { parseStatusJson } from './zpool-json.ts'
import { parseLayout } from './zpool-layout.ts'
import { type PoolStatus, parseStatus, type Vdev, withNumbers } from './zpool-status.ts'
import { parseTrims, type Trim } from './zpool-trim.ts'

export const HEALTH = ['ONLINE', 'DEGRADED', 'FAULTED', 'OFFLINE', 'UNAVAIL', 'REMOVED', 'SUSPENDED'] as const

export interface PoolRow {
  name: string
  /** Bytes; 0 if ZFS does not know it. */
  size: number
  allocated: number
  free: number
  health: (typeof HEALTH)[number]
  guid: string
}

export interface Property {
  name: string
  value: string
  source: string
}

export type Zpool = ReturnType<typeof createZpool>

/** Milliseconds. */
const QUICK = 15_000
/** For searching all disks of a machine for pools. */
const SLOW = 60_000
const UTC = { TZ: 'UTC0' }
/** In the C locale the program cuts a JSON text at the first non-ASCII letter, and exits with 0. */
const UTC_UTF8 = { ...UTC, LC_ALL: 'C.UTF-8' }
/** The message for an unknown option, before 2.3. */
const NO_JSON = /invalid option|unrecognized option|^usage:/im

export function createZpool(tool: Tool) {
  /** Undefined if the requested pool does not exist. */
  async function rows(...name: string[]): Promise<PoolRow[] | undefined> {
    const args = ['list', '-Hp', '-o', 'name,size,allocated,free,health,guid', ...name]
    const text = await read(tool, args)
    return text
      ?.split('\n')
      .filter(Boolean)
      .map((line) => readRow(line, args))
  }
  async function parsed(args: string[], options: ReadOptions = {}): Promise<PoolStatus[] | undefined> {
    const text = await read(tool, args, options)
    if (text === undefined) return undefined
    return parseStatus(text) ?? raise(garbled(args))
  }
  /** The program that does not support JSON. */
  let textOnly: string | undefined
  /** The named pools, or all; undefined if a named one does not exist. */
  async function statuses(...names: string[]): Promise<PoolStatus[] | undefined> {
    const program = tool.identity?.('zpool') ?? ''
    if (textOnly !== program)
      try {
        const text = await read(tool, ['status', '-jp', '--json-int', ...names], { env: UTC_UTF8 })
        const pools = text === undefined ? undefined : parseStatusJson(text)
        // Truncated or unexpected JSON: ask again for text.
        if (text === undefined || pools) return pools
      } catch (error) {
        if (!(error instanceof CommandError) || error.reason !== 'status' || !NO_JSON.test(error.stderr)) throw error
        textOnly = program
      }
    return parsed(['status', '-p', ...names])
  }
  /** As `status`, with the number and the path of each vdev: before ZFS 2.3 they are asked for one by one. */
  async function layout(name: string, tries = 3): Promise<PoolStatus | undefined> {
    const pool = (await statuses(name))?.[0]
    if (!pool || numbered(pool.vdevs)) return pool
    const [guids, paths] = await Promise.all(
      ['-gp', '-Pp'].map(async (how) => (await parsed(['status', how, name]))?.[0]),
    )
    const vdevs = guids && paths && withNumbers(pool.vdevs, guids.vdevs, paths.vdevs)
    if (vdevs) return { ...pool, vdevs }
    // It changed between two answers.
    return tries > 1 ? layout(name, tries - 1) : raise(garbled(['status', '-gp', name]))
  }
  return {
    list: async () => (await rows()) ?? [],
    find: async (name: string) => (await rows(name))?.[0],
    status: async (name: string) => (await statuses(name))?.[0],
    statuses: async () => (await statuses()) ?? [],
    layout,

    /** How the trim of each disk goes; undefined if there is no such pool. */
    async trims(name: string): Promise<Trim[] | undefined> {
      const pool = (await parsed(['status', '-tp', name]))?.[0]
      return pool && parseTrims(pool.vdevs)
    },

    /** What the pool would be made of after `zpool add`; throws a CommandError with its refusal. */
    async wouldAdd(name: string, words: readonly string[], force: boolean): Promise<Vdev[]> {
      const args = ['add', '-n', ...(force ? ['-f'] : []), '--', name, ...words]
      return parseLayout((await tool('zpool', args, { timeout: SLOW, env: UTC })).stdout) ?? raise(garbled(args))
    },

    /** Starts or continues a trim; `-s` suspends it, `-c` cancels it. */
    async trim(name: string, how?: '-s' | '-c'): Promise<void> {
      await tool('zpool', ['trim', ...(how === undefined ? [] : [how]), '--', name], { timeout: SLOW })
    },

    /** `enabled`, `disabled` or `active`; undefined if this ZFS does not know the feature. */
    async feature(name: string, feature: string): Promise<string | undefined> {
      const text = (await read(tool, ['get', '-Hp', '-o', 'property,value', 'all', name])) ?? ''
      return text.split('\n').flatMap((line) => (line.startsWith(`feature@${feature}\t`) ? line.split('\t')[1] : []))[0]
    },

    /** The features that this ZFS has and the pool has not enabled. */
    async disabledFeatures(name: string): Promise<string[]> {
      const text = (await read(tool, ['get', '-Hp', '-o', 'property,value', 'all', name])) ?? ''
      return text.split('\n').flatMap((line) => /^feature@([a-z0-9_]+)\tdisabled$/.exec(line)?.[1] ?? [])
    },

    /** The properties that were set locally. */
    async properties(name: string): Promise<Property[]> {
      const args = ['get', '-Hp', '-o', 'property,value,source', 'all', name]
      const lines = (await read(tool, args))?.split('\n').filter(Boolean) ?? []
      return lines
        .map((line) => {
          const [property = '', value, source] = line.split('\t')
          if (value === undefined || source === undefined) throw garbled(args)
          return { name: property, value, source }
        })
        .filter(({ name: property, source }) => source === 'local' && !property.startsWith('feature@'))
    },

    /** The pools that could be imported: from all disks, or from the files of a folder. */
    async importable(folder?: string): Promise<PoolStatus[]> {
      const args = ['import', ...(folder === undefined ? [] : ['-d', folder])]
      // With no pools at all, some versions exit with 1, others with 0.
      return (await parsed(args, { timeout: SLOW, accept: [1] })) ?? []
    },
  }
}

const numbered = (vdevs: readonly Vdev[]): boolean =>
  vdevs.every(({ guid, children }) => guid !== undefined && numbered(children))

interface ReadOptions {
  timeout?: number
  accept?: number[]
  env?: Record<string, string>
}

/** Standard output; undefined if the program reports that the pool does not exist. */
async function read(tool: Tool, args: string[], options: ReadOptions = {}): Promise<string | undefined> {
  try {
    return (await tool('zpool', args, { timeout: QUICK, env: UTC, maxBytes: 1 << 24, ...options })).stdout
  } catch (error) {
    if (error instanceof CommandError && error.reason === 'status' && /no such pool/.test(error.stderr))
      return undefined
    throw error
  }
}

const garbled = (args: string[]) => new CommandError(['zpool', ...args], 'output')

function raise(error: Error): never {
  throw error
}

function readRow(line: string, args: string[]): PoolRow {
  const [name = '', size, allocated, free, state, guid = ''] = line.split('\t')
  const health = HEALTH.find((known) => known === state)
  if (!health || !/^[0-9]+$/.test(guid)) throw garbled(args)
  const [sizeBytes, allocatedBytes, freeBytes] = [size, allocated, free].map((text) => {
    // A pool that cannot be opened has no numbers.
    if (text === '-') return 0
    if (text === undefined || !/^[0-9]+$/.test(text)) throw garbled(args)
    return Number(text)
  }) as [number, number, number]
  return { name, size: sizeBytes, allocated: allocatedBytes, free: freeBytes, health, guid }
}
