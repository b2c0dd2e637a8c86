// The properties that a caller may set, and what each may be: a closed list. The trap: a property that is not here is refused even if ZFS
// has it (sharenfs would export behind our back, keylocation would read a file), so a new one is a decision, not an oversight.
import { invalid } from '../../http/errors.ts'
import { poolOf } from './names.ts'
import { parseSize } from './sizes.ts'

type Kind = 'filesystem' | 'volume'

/** Bytes within bounds, and the words that stand beside them. */
interface Sizes {
  least: number
  most: number
  words: readonly string[]
  /** Powers of two, as ZFS wants them. */
  power: boolean
}

interface Option {
  value: RegExp | Sizes
  /** Default: both kinds. */
  only?: Kind
  /** Cannot be changed once the dataset is there. */
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

/** Ours: ids, labels and policies that travel with the dataset. */
export const OWN_PREFIX = 'edge-admin:'

/** zfsprops(7): a user property has a colon, and is in lower case. */
const OWN_NAME = /^[a-z0-9][a-z0-9._-]{0,63}:[a-z0-9:._-]{1,128}$/
const OWN_VALUE = /^[^\p{Cc}]{0,1024}$/u
const MOST = 64

/** As a value it takes a property back to what is inherited. */
export const INHERIT = 'inherit'

/** Whether callers may set this property, and so see it among the options. */
export const isOption = (name: string) => OPTIONS.has(name) || (OWN_NAME.test(name) && !name.startsWith(OWN_PREFIX))

const wrong = (key: string, text: string) => invalid(text, { details: { field: `options.${key}`.slice(0, 100) } })

/** The options as ZFS takes them. Throws a 400 that names the first which may not be set on this dataset, or not to that. */
export function checkOptions(
  options: Readonly<Record<string, string>>,
  kind: Kind,
  name: string,
  when: 'create' | 'update',
): Record<string, string> {
  const checked: Record<string, string> = {}
  const entries = Object.entries(options)
  if (entries.length > MOST) throw invalid(`More than ${MOST} options`, { details: { field: 'options' } })
  for (const [key, value] of entries) {
    checked[key] = value
    if (OWN_NAME.test(key)) {
      if (key.startsWith(OWN_PREFIX)) throw wrong(key, 'This property is kept by the appliance')
      if (!OWN_VALUE.test(value)) throw wrong(key, 'Expected at most 1024 characters, none of them a control character')
      continue
    }
    const option = OPTIONS.get(key)
    if (!option) throw wrong(key, 'No such option')
    if (option.only !== undefined && option.only !== kind) throw wrong(key, `This is no option of a ${kind}`)
    if (option.fixed && when === 'update') throw wrong(key, 'This is chosen when the dataset is made, and stays')
    if (value === INHERIT && when === 'update') continue
    if (value.length > 255) throw wrong(key, `Not a value of ${key}`)
    if (!(option.value instanceof RegExp)) checked[key] = sizeOf(key, value, option.value)
    else if (!option.value.test(value)) throw wrong(key, `Not a value of ${key}`)
    if (key === 'mountpoint') checkMountpoint(value, name)
  }
  return checked
}

function sizeOf(key: string, value: string, { least, most, words, power }: Sizes): string {
  const word = words.find((one) => one === value.toLowerCase())
  if (word !== undefined) return word
  const bytes = parseSize(value)
  // What is no power of two ZFS refuses itself, in its words; of a dnode's size there has to be a name.
  const named = key !== 'dnodesize' || Number.isInteger(Math.log2(bytes ?? 0))
  const fits = bytes !== undefined && bytes >= least && bytes <= most && named
  if (!fits) throw wrong(key, `Not a value of ${key}: expected ${[...words, allowed(least, most, power)].join(', ')}`)
  // ZFS knows the sizes of a dnode by name alone.
  if (key === 'dnodesize') return `${bytes / 1024}k`
  return ZFS_SIZE.test(value) ? value : String(bytes)
}

/** What every version of ZFS reads as it is written: `1MiB` only some do. */
const ZFS_SIZE = /^[0-9]+(?:\.[0-9]+)?(?:[KMGTPE]B?)?$/i

const allowed = (least: number, most: number, power: boolean) =>
  power ? `a power of two from ${least} to ${most}, such as 16K` : 'whole bytes, such as 10G or 1.5TiB (powers of 1024)'

/** Folders of the system itself, which a pool made by hand may be named like (scripts/pool.sh has the same for imports). */
export const SYSTEM = /^(?:bin|boot|dev|etc|home|lib.*|opt|proc|root|run|sbin|sys|tmp|usr|var)$/

/** Only where storage belongs: anywhere else it would hide a part of the system. */
function checkMountpoint(path: string, name: string): void {
  const [, top = ''] = path.split('/')
  if (path !== 'none' && top !== 'mnt' && (top !== poolOf(name) || SYSTEM.test(top)))
    throw wrong('mountpoint', `Expected "none" or a folder below /mnt or /${poolOf(name)}`)
}
