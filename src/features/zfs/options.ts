// The properties that a caller may set, and their values: a closed list. A property that is not listed is refused even
// if ZFS has it (sharenfs would export without our knowledge, keylocation would read a file).
import type * as z from 'zod'
import { type FieldError, invalidFields } from '../../field-errors.ts'
import { quoted } from '../../nearest.ts'
import { poolOf } from './names.ts'
import { noSuchOption, notAValue } from './option-words.ts'
import { parseSize } from './sizes.ts'

type Kind = 'filesystem' | 'volume'

/** Bounds in bytes, and the keywords that are allowed as well. */
interface Sizes {
  least: number
  most: number
  words: readonly string[]
  /** Only powers of two, as ZFS requires. */
  power: boolean
}

interface Option {
  value: RegExp | Sizes
  /** Default: both kinds. */
  only?: Kind
  /** Cannot be changed after creation. */
  fixed?: true
}

const ONOFF = /^(?:on|off)$/
const LIMIT: Sizes = { least: 0, most: Number.MAX_SAFE_INTEGER, words: ['none'], power: false }
const BLOCK: Sizes = { least: 512, most: 16 << 20, words: [], power: true }
const COUNT = /^(?:none|[0-9]{1,18})$/
const CACHE = /^(?:all|none|metadata)$/

const filesystem = (value: Option['value']): Option => ({ value, only: 'filesystem' })
const volume = (value: Option['value']): Option => ({ value, only: 'volume' })
const fixed = (option: Option): Option => ({ ...option, fixed: true })

const OPTIONS = new Map<string, Option>(
  Object.entries({
    aclinherit: filesystem(/^(?:discard|noallow|restricted|passthrough|passthrough-x)$/),
    aclmode: filesystem(/^(?:discard|groupmask|passthrough|restricted)$/),
    acltype: filesystem(/^(?:off|nfsv4|posix|posixacl)$/),
    atime: filesystem(ONOFF),
    canmount: filesystem(/^(?:on|off|noauto)$/),
    casesensitivity: fixed(filesystem(/^(?:sensitive|insensitive|mixed)$/)),
    checksum: { value: /^(?:on|off|fletcher2|fletcher4|sha256|sha512|skein|edonr|blake3)$/ },
    compression: { value: /^(?:on|off|lzjb|zle|lz4|gzip(?:-[1-9])?|zstd(?:-(?:fast-)?[0-9]{1,4}|-fast)?)$/ },
    copies: { value: /^[123]$/ },
    dedup: { value: /^(?:on|off|verify|(?:sha256|sha512|skein|blake3)(?:,verify)?|edonr,verify)$/ },
    devices: filesystem(ONOFF),
    dnodesize: filesystem({ least: 1024, most: 16_384, words: ['legacy', 'auto'], power: true }),
    exec: filesystem(ONOFF),
    filesystem_limit: filesystem(COUNT),
    logbias: { value: /^(?:latency|throughput)$/ },
    mountpoint: filesystem(/^(?:none|(?:\/[A-Za-z0-9_][A-Za-z0-9_.:-]*){2,32})$/),
    normalization: fixed(filesystem(/^(?:none|formC|formD|formKC|formKD)$/)),
    primarycache: { value: CACHE },
    quota: filesystem(LIMIT),
    readonly: { value: ONOFF },
    recordsize: filesystem(BLOCK),
    redundant_metadata: { value: /^(?:all|most|some|none)$/ },
    refquota: filesystem(LIMIT),
    refreservation: { value: { ...LIMIT, words: ['none', 'auto'] } },
    relatime: filesystem(ONOFF),
    reservation: { value: LIMIT },
    secondarycache: { value: CACHE },
    setuid: filesystem(ONOFF),
    snapdev: volume(/^(?:hidden|visible)$/),
    snapdir: filesystem(/^(?:disabled|hidden|visible)$/),
    snapshot_limit: { value: COUNT },
    special_small_blocks: { value: { ...BLOCK, words: ['0'] } },
    sync: { value: /^(?:standard|always|disabled)$/ },
    utf8only: fixed(filesystem(ONOFF)),
    volblocksize: fixed(volume(BLOCK)),
    volmode: volume(/^(?:default|full|geom|dev|none)$/),
    xattr: filesystem(/^(?:on|off|dir|sa)$/),
  } satisfies Record<string, Option>),
)

/** The server's own properties: ids, labels and policies that travel with the dataset. */
export const OWN_PREFIX = 'edge-admin:'

/** zfsprops(7): a user property contains a colon, and is in lower case. */
const OWN_NAME = /^[a-z0-9][a-z0-9._-]{0,63}:[a-z0-9:._-]{1,128}$/
const OWN_VALUE = /^[^\p{Cc}]{0,1024}$/u
const MOST = 64

/** The value that resets a property to the inherited one. */
export const INHERIT = 'inherit'

/** Whether callers may set this property, and so see it among the options. */
export const isOption = (name: string) => OPTIONS.has(name) || (OWN_NAME.test(name) && !name.startsWith(OWN_PREFIX))

/** The dataset that the options are for; without a name if it is not known yet. */
interface For {
  kind: Kind
  name?: string
  when: 'create' | 'update'
}

/** The names of the options of such a dataset, without user properties. */
export const optionNames = (kind: Kind): string[] =>
  [...OPTIONS].flatMap(([name, { only }]) => (only === undefined || only === kind ? [name] : []))

/** The options as ZFS takes them. Throws a 400 that names each option that cannot be set, or not to that value. */
export function checkOptions(
  options: Readonly<Record<string, string>>,
  kind: Kind,
  name: string,
  when: 'create' | 'update',
): Record<string, string> {
  const { checked, errors } = readOptions(options, { kind, name, when })
  if (errors.length > 0) throw invalidFields(errors)
  return checked
}

/** All issues, as `options.NAME`, and the valid options as ZFS takes them. */
export function readOptions(
  options: Readonly<Record<string, string>>,
  dataset: For,
): { checked: Record<string, string>; errors: FieldError[] } {
  const checked: Record<string, string> = {}
  const errors: FieldError[] = []
  const entries = Object.entries(options)
  if (entries.length > MOST) errors.push({ field: 'options', message: `More than ${MOST} options` })
  for (const [key, value] of entries.slice(0, MOST)) {
    const read = readOption(key, value, dataset)
    if (read.wrong === undefined) checked[key] = read.value
    else errors.push({ field: `options.${key}`.slice(0, 100), message: read.wrong })
  }
  return { checked, errors }
}

/** For the schema of a body, so that errors of other members are reported as well. */
export const optionIssues =
  (kind: Kind, when: For['when'] = 'create') =>
  (options: Readonly<Record<string, string>>, context: z.RefinementCtx): void => {
    for (const { field, message } of readOptions(options, { kind, when }).errors)
      context.addIssue({ code: 'custom', path: field.split('.').slice(1), message })
  }

type Read = { value: string; wrong?: undefined } | { wrong: string }

function readOption(key: string, value: string, { kind, name, when }: For): Read {
  if (OWN_NAME.test(key)) {
    if (key.startsWith(OWN_PREFIX)) return { wrong: 'This property is kept by the appliance' }
    return OWN_VALUE.test(value)
      ? { value }
      : { wrong: 'Expected at most 1024 characters, none of them a control character' }
  }
  const option = OPTIONS.get(key)
  if (!option) return { wrong: noSuchOption(key, optionNames(kind)) }
  if (option.only !== undefined && option.only !== kind) return { wrong: `This is no option of a ${kind}` }
  if (option.fixed && when === 'update') return { wrong: 'This is chosen when the dataset is made, and stays' }
  if (value === INHERIT && when === 'update') return { value }
  if (!(option.value instanceof RegExp)) return sizeOf(key, value, option.value)
  if (value.length > 255 || !option.value.test(value)) return { wrong: notAValue(key, value, option.value) }
  const misplaced = key === 'mountpoint' && name !== undefined ? misplacedAt(value, name) : undefined
  return misplaced === undefined ? { value } : { wrong: misplaced }
}

function sizeOf(key: string, value: string, { least, most, words, power }: Sizes): Read {
  const word = words.find((one) => one === value.toLowerCase())
  if (word !== undefined) return { value: word }
  const bytes = parseSize(value)
  // ZFS itself refuses a size that is not a power of two, with its own message; a dnode size must be given by name.
  const named = key !== 'dnodesize' || Number.isInteger(Math.log2(bytes ?? 0))
  const fits = bytes !== undefined && bytes >= least && bytes <= most && named
  if (!fits) {
    const expected = [...words, allowed(least, most, power)].join(', ')
    return { wrong: `Not a value of ${key}: expected ${expected}, found ${quoted(value)}` }
  }
  // ZFS knows dnode sizes only by name.
  if (key === 'dnodesize') return { value: `${bytes / 1024}k` }
  return { value: ZFS_SIZE.test(value) ? value : String(bytes) }
}

/** Sizes that every version of ZFS accepts as written: `1MiB` works only in some. */
const ZFS_SIZE = /^[0-9]+(?:\.[0-9]+)?(?:[KMGTPE]B?)?$/i

const allowed = (least: number, most: number, power: boolean) =>
  power ? `a power of two from ${least} to ${most}, such as 16K` : 'whole bytes, such as 10G or 1.5TiB (powers of 1024)'

/**
 * Folders of the system, which a pool created by hand may be named like (scripts/pool.sh has the same list for
 * imports).
 */
export const SYSTEM = /^(?:bin|boot|dev|etc|home|lib.*|opt|proc|root|run|sbin|sys|tmp|usr|var)$/

/** Only below the folders for storage: elsewhere a mount would hide a part of the system. */
function misplacedAt(path: string, name: string): string | undefined {
  const [, top = ''] = path.split('/')
  if (path === 'none' || top === 'mnt' || (top === poolOf(name) && !SYSTEM.test(top))) return undefined
  return `Expected "none" or a folder below /mnt or /${poolOf(name)}, found ${quoted(path)}`
}
