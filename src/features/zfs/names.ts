// Names and sizes, checked before any program starts, so that no `-` begins an argument and no `@` is in one by mistake. New names are
// plain; any name that ZFS shows, as of an imported pool, is accepted for what exists. zfs reads `tank@a,b%c` as a list of snapshots, so no
// name has `,` or `%`.
import * as z from 'zod'
import { parseSize, SIZE_WORDS } from './sizes.ts'

export { parseSize } from './sizes.ts'

/** Bytes of a whole name, a snapshot's included (zfs: ZFS_MAX_DATASET_NAME_LEN is 256 with its end). */
export const LONGEST = 255
/** zpool-create(8): words of a vdev specification and what begins with them, but of `log` only the word itself. */
const RESERVED = /^(?:mirror|raidz|draid|spare|log$)/

const isReserved = (name: string) => RESERVED.test(name.split(/[/@]/, 1)[0] ?? '')
/** The kernel itself knows no pool of these names. */
const isPossible = (name: string) => !/^(?:mirror|raidz|draid)(?:[/@]|$)/.test(name)

/** Patterns of new names, and of those that there may be: with blanks, and beginning with any character but a pool's, which is a letter. */
const NEW = { pool: '[A-Za-z][A-Za-z0-9_.:-]*', part: '[A-Za-z0-9][A-Za-z0-9_.:-]*' }
const ANY = { pool: '[A-Za-z][A-Za-z0-9_.: -]*', part: '(?!\\.{1,2}(?:[/@]|$))[A-Za-z0-9_.: -]+' }
type Grammar = typeof NEW

const CHARACTERS = { [NEW.part]: 'letters, digits and _ - . :', [ANY.part]: 'letters, digits, blanks and _ - . :' }

/** Names what is wrong: the first character that cannot be there, or else where it stands. */
function wrongName(what: string, grammar: Grammar, marks: string, parents = grammar) {
  const characters = CHARACTERS[grammar.part] ?? ''
  const strange = (text: string, { part }: Grammar) => {
    const found = new RegExp(`[^A-Za-z0-9_.:${part === ANY.part ? ' ' : ''}${marks}-]`, 'u').exec(text)?.[0]
    return found === undefined ? undefined : `Not a ${what}: ${shown(found)} is not among ${CHARACTERS[part]}`
  }
  return ({ input }: { input?: unknown }) => {
    const text = String(input)
    // What is there already may have a blank that a new name may not.
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

/** A filesystem or volume: the pool itself, or something in it. */
export const DatasetName = dataset(NEW).refine(free, TAKEN).meta({ example: 'tank/data' })

/** A filesystem or volume below a pool, whose parents may have old names: what can be created. */
export const ChildName = named(
  `(?:${ANY.pool}(?:/${ANY.part})*/${NEW.part}|${NEW.pool})`,
  wrongName('dataset name', NEW, '/', ANY),
)
  .refine(isPossible, TAKEN)
  .refine(isBelow, BELOW)
  .meta({ id: 'NewDatasetName', example: 'tank/data' })

/** The part of a snapshot's name behind the `@`. */
export const SnapshotLabel = named(NEW.part, wrongName('snapshot name', NEW, '')).meta({ example: 'manual-20241215' })

export const SnapshotName = snapshot(NEW).refine(free, TAKEN).meta({ example: 'tank/data@manual-20241215' })

// The same for what there may be already.
export const KnownPool = named(ANY.pool, wrongName('pool name', ANY, ''))
  .refine(isPossible, TAKEN)
  .meta({ id: 'PoolName', example: 'tank' })
export const KnownDataset = dataset(ANY).refine(isPossible, TAKEN).meta({ id: 'DatasetName', example: 'tank/data' })
export const KnownChild = KnownDataset.refine(isBelow, BELOW)
export const KnownSnapshot = snapshot(ANY)
  .refine(isPossible, TAKEN)
  .meta({ id: 'SnapshotName', example: 'tank/data@manual-20241215' })

export const poolOf = (name: string) => name.split(/[/@]/, 1)[0] ?? ''

/** Whether a path, or a dataset, is the other one or below it. */
export const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`)

/** A dataset and all above it, as changes of them take turns: what is made in one must not meet the end of another. */
export const turnsOf = (dataset: string): string[] => {
  const parts = dataset.split('/')
  return [`pools/${parts[0]}`, ...parts.map((_, depth) => `datasets/${parts.slice(0, depth + 1).join('/')}`)]
}

/** Where udev shows a volume: a blank, which no link may hold, is a `+` there. */
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
