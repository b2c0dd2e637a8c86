// What ZFS takes for a name and a size, checked before any program is started. The trap: a schema here is what keeps `-` and `@` out of
// an argument; zfs itself reads `tank@a,b%c` as a list of snapshots.
import * as z from 'zod'

/** Bytes of a whole name, a snapshot's included (zfs: ZFS_MAX_DATASET_NAME_LEN is 256 with its end). */
export const LONGEST = 255
const COMPONENT = '[A-Za-z0-9][A-Za-z0-9_.:-]*'
/** zpool-create(8): words of a vdev specification and what begins with them, but of `log` only the word itself. */
const RESERVED = /^(?:mirror|raidz|draid|spare|log$)/

const isReserved = (name: string) => RESERVED.test(name.split('/', 1)[0] ?? '')

export const PoolName = z
  .string()
  .max(LONGEST)
  .regex(/^[A-Za-z][A-Za-z0-9_.:-]*$/, 'Not a pool name')
  .refine((name) => !isReserved(name), 'ZFS keeps this name for itself')
  .meta({ example: 'tank' })

/** A filesystem or volume: the pool itself, or something in it. */
export const DatasetName = z
  .string()
  .max(LONGEST)
  .regex(new RegExp(`^[A-Za-z][A-Za-z0-9_.:-]*(?:/${COMPONENT})*$`), 'Not a dataset name')
  .refine((name) => !isReserved(name), 'ZFS keeps this name for itself')
  .meta({ example: 'tank/data' })

/** A filesystem or volume below a pool: what can be created and destroyed. */
export const ChildName = DatasetName.refine(
  (name) => name.includes('/'),
  'A name below a pool is needed, such as tank/data',
)

/** The part of a snapshot's name behind the `@`. */
export const SnapshotLabel = z
  .string()
  .max(LONGEST)
  .regex(new RegExp(`^${COMPONENT}$`), 'Not a snapshot name')
  .meta({ example: 'manual-20241215' })

export const SnapshotName = z
  .string()
  .max(LONGEST)
  .regex(new RegExp(`^[A-Za-z][A-Za-z0-9_.:-]*(?:/${COMPONENT})*@${COMPONENT}$`), 'Not a snapshot name')
  .refine((name) => !isReserved(name), 'ZFS keeps this name for itself')
  .meta({ example: 'tank/data@manual-20241215' })

export const poolOf = (name: string) => name.split(/[/@]/, 1)[0] ?? ''

/** Whether a path, or a dataset, is the other one or below it. */
export const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)

/** A dataset and all above it, as changes of them take turns: what is made in one must not meet the end of another. */
export const turnsOf = (dataset: string): string[] => {
  const parts = dataset.split('/')
  return [`pools/${parts[0]}`, ...parts.map((_, depth) => `datasets/${parts.slice(0, depth + 1).join('/')}`)]
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E']

/** Bytes, from `10G`, `512M` or a bare number (powers of 1024). Less than 2^63, and exact: not above what a number can hold. */
export function parseSize(text: string): number | undefined {
  const [, digits, fraction = '', unit = ''] = /^([0-9]{1,19})(\.[0-9]{1,6})?([KMGTPE]?)(?:i?B)?$/.exec(text) ?? []
  if (digits === undefined || (fraction !== '' && unit === '')) return undefined
  const bytes = Math.round(Number(`${digits}${fraction}`) * 1024 ** UNITS.indexOf(unit))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A size in bytes above zero. */
export const Size = z
  .union([z.string().max(32), z.int().min(1)])
  .transform((value, context) => {
    const bytes = typeof value === 'number' ? value : parseSize(value)
    if (bytes !== undefined && bytes > 0) return bytes
    context.addIssue({ code: 'custom', message: 'Not a size such as 10G, 512M or a number of bytes' })
    return z.NEVER
  })
  .meta({ type: 'string', description: 'bytes, or a size such as 10G (powers of 1024)', example: '10G' })
