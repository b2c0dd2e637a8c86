// Names and sizes, checked before any program starts, so that no argument begins with `-` or contains an unintended
// `@`. New names are restricted; for existing objects any name that ZFS shows, as of an imported pool, is accepted. zfs
// reads `tank@a,b%c` as a list of snapshots, so no name may contain `,` or `%`.
import * as z from 'zod'
import { parseSize, SIZE_WORDS } from './sizes.ts'

export { parseSize } from './sizes.ts'

/** Bytes of a full name, including a snapshot's (ZFS_MAX_DATASET_NAME_LEN is 256 with the terminator). */
export const LONGEST = 255
/** zpool-create(8): keywords of a vdev specification and names that begin with one; of `log` only the word itself. */
const RESERVED = /^(?:mirror|raidz|draid|spare|log$)/

const isReserved = (name: string) => RESERVED.test(name.split(/[/@]/, 1)[0] ?? '')
/** The kernel itself allows no pool with these names. */
const isPossible = (name: string) => !/^(?:mirror|raidz|draid)(?:[/@]|$)/.test(name)

/**
 * Patterns of new names, and of existing ones: these may contain blanks and begin with any character, except that a
 * pool begins with a letter.
 */
const NEW = { pool: '[A-Za-z][A-Za-z0-9_.:-]*', part: '[A-Za-z0-9][A-Za-z0-9_.:-]*' }
const ANY = { pool: '[A-Za-z][A-Za-z0-9_.: -]*', part: '(?!\\.{1,2}(?:[/@]|$))[A-Za-z0-9_.: -]+' }
type Grammar = typeof NEW

const CHARACTERS = { [NEW.part]: 'letters, digits and _ - . :', [ANY.part]: 'letters, digits, blanks and _ - . :' }

/** Describes the problem: the first character that is not allowed, or else where it is not allowed. */
function wrongName(what: string, grammar: Grammar, marks: string, parents = grammar) {
  const characters = CHARACTERS[grammar.part] ?? ''
  const strange = (text: string, { part }: Grammar) => {
    const found = new RegExp(`[^A-Za-z0-9_.:${part === ANY.part ? ' ' : ''}${marks}-]`, 'u').exec(text)?.[0]
    return found === undefined ? undefined : `Not a ${what}: ${shown(found)} is not among ${CHARACTERS[part]}`
  }
  return ({ input }: { input?: unknown }) => {
    const text = String(input)
    // An existing parent may contain a blank, a new name may not.
    const last = text.lastIndexOf('/') + 1
    const found = strange(text.slice(0, last), parents) ?? strange(text.slice(last), grammar)
    if (found !== undefined) return found
    const begins = grammar === NEW ? ', each part beginning with a letter or digit' : ''
    const parts = marks === '' ? '' : `${begins}${marks.includes('@') ? ' and one @' : ''}`
    return `Not a ${what}: expected ${characters}, beginning with a letter${parts}`
  }
}

const shown = (character: string) =>
  character === ' ' ? 'a blank' : /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character) ? `“${character}”` : 'a character'

const LONG = `Expected at most ${LONGEST} characters`
const TAKEN = 'ZFS keeps this name for itself'
const named = (pattern: string, error: (issue: { input?: unknown }) => string) =>
  z
    .string()
    .max(LONGEST, LONG)
    .regex(new RegExp(`^${pattern}$`), { error })
const tree = ({ pool, part }: Grammar) => `${pool}(?:/${part})*`
const dataset = (grammar: Grammar) => named(tree(grammar), wrongName('dataset name', grammar, '/'))
const snapshot = (grammar: Grammar) =>
  named(`${tree(grammar)}@${grammar.part}`, wrongName('snapshot name', grammar, '/@'))
const free = (name: string) => !isReserved(name)
const isBelow = (name: string) => name.includes('/')
const BELOW = 'A name below a pool is needed, such as tank/data'

export const PoolName = named(NEW.pool, wrongName('pool name', NEW, ''))
  .refine(free, TAKEN)
  .meta({ id: 'NewPoolName', example: 'tank' })

/** A filesystem or volume: the pool itself, or a dataset in it. */
export const DatasetName = dataset(NEW).refine(free, TAKEN).meta({ example: 'tank/data' })

/** A filesystem or volume below a pool, whose parents may have old names: what can be created. */
export const ChildName = named(
  `(?:${ANY.pool}(?:/${ANY.part})*/${NEW.part}|${NEW.pool})`,
  wrongName('dataset name', NEW, '/', ANY),
)
  .refine(isPossible, TAKEN)
  .refine(isBelow, BELOW)
  .meta({ id: 'NewDatasetName', example: 'tank/data' })

/** The part of a snapshot's name after the `@`. */
export const SnapshotLabel = named(NEW.part, wrongName('snapshot name', NEW, '')).meta({ example: 'manual-20241215' })

export const SnapshotName = snapshot(NEW).refine(free, TAKEN).meta({ example: 'tank/data@manual-20241215' })

// The same for existing objects.
export const KnownPool = named(ANY.pool, wrongName('pool name', ANY, ''))
  .refine(isPossible, TAKEN)
  .meta({ id: 'PoolName', example: 'tank' })
export const KnownDataset = dataset(ANY).refine(isPossible, TAKEN).meta({ id: 'DatasetName', example: 'tank/data' })
export const KnownChild = KnownDataset.refine(isBelow, BELOW)
export const KnownSnapshot = snapshot(ANY)
  .refine(isPossible, TAKEN)
  .meta({ id: 'SnapshotName', example: 'tank/data@manual-20241215' })

export const poolOf = (name: string) => name.split(/[/@]/, 1)[0] ?? ''

/** Whether a path or a dataset equals the other or is below it. */
export const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)

/**
 * The locks for a change of a dataset: its own and those of all its parents, so that nothing is created in a dataset
 * while it is being destroyed.
 */
export const turnsOf = (dataset: string): string[] => {
  const parts = dataset.split('/')
  return [`pools/${parts[0]}`, ...parts.map((_, depth) => `datasets/${parts.slice(0, depth + 1).join('/')}`)]
}

/** The device path of a volume. udev replaces blanks, which a link cannot contain, with `+`. */
export const deviceOf = (zvol: string) => `${ZVOL}${zvol.replaceAll(' ', '+')}`
export const zvolOf = (device: string) =>
  device.startsWith(ZVOL) ? device.slice(ZVOL.length).replaceAll('+', ' ') : undefined
const ZVOL = '/dev/zvol/'

/** A size in bytes above zero. */
export const Size = z
  .union([z.string().max(32), z.int().min(1)])
  .transform((value, context) => {
    const bytes = typeof value === 'number' ? value : parseSize(value)
    if (bytes !== undefined && bytes > 0) return bytes
    context.addIssue({ code: 'custom', message: SIZE_WORDS })
    return z.NEVER
  })
  .meta({ id: 'Size', type: 'string', description: 'bytes, or a size such as 10G (powers of 1024)', example: '10G' })
