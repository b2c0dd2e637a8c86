// The properties that the fake programs know, with ZFS 2.3's defaults and its words for a value that it does not take.
import { parseSize, refuse } from './model.mjs'

const ON_OFF = 'on | off'
const COMPRESSION =
  'on | off | lzjb | gzip | gzip-[1-9] | zle | lz4 | zstd | zstd-[1-19] | zstd-fast | zstd-fast-[1-10,20,30,40,50,60,70,80,90,100,500,1000]'

/** name: [kinds it belongs to: f, v or s, default, inherited?, form: a list of words, size, count, text]. */
const index = (kinds, value, words, inherits = true) => [kinds, value, inherits, words.split(' | ')]
export const datasetProperties = {
  quota: ['f', '0', false, 'size'],
  reservation: ['fv', '0', false, 'size'],
  refquota: ['f', '0', false, 'size'],
  refreservation: ['fv', '0', false, 'size'],
  volsize: ['v', '0', false, 'size'],
  volblocksize: ['v', '16384', false, 'size'],
  recordsize: ['f', '131072', true, 'size'],
  mountpoint: ['f', undefined, true, 'text'],
  canmount: index('f', 'on', 'on | off | noauto', false),
  compression: index('fv', 'on', 'on | off | lzjb | gzip | zle | lz4 | zstd | zstd-fast'),
  atime: index('f', 'on', ON_OFF),
  relatime: index('f', 'on', ON_OFF),
  devices: index('f', 'on', ON_OFF),
  exec: index('f', 'on', ON_OFF),
  setuid: index('f', 'on', ON_OFF),
  readonly: index('fv', 'off', ON_OFF),
  xattr: index('f', 'sa', 'on | off | dir | sa'),
  acltype: index('f', 'off', 'off | nfsv4 | posix | noacl | posixacl'),
  aclmode: index('f', 'discard', 'discard | groupmask | passthrough | restricted'),
  aclinherit: index('f', 'restricted', 'discard | noallow | restricted | passthrough | passthrough-x'),
  checksum: index('fv', 'on', 'on | off | fletcher2 | fletcher4 | sha256 | sha512 | skein | edonr | blake3'),
  dedup: index('fv', 'off', 'on | off | verify | sha256 | sha512 | skein | edonr'),
  copies: index('fv', '1', '1 | 2 | 3'),
  sync: index('fv', 'standard', 'standard | always | disabled'),
  logbias: index('fv', 'latency', 'latency | throughput'),
  primarycache: index('fv', 'all', 'all | none | metadata'),
  secondarycache: index('fv', 'all', 'all | none | metadata'),
  snapdir: index('f', 'hidden', 'hidden | visible | disabled'),
  dnodesize: index('f', 'legacy', 'legacy | auto | 1k | 2k | 4k | 8k | 16k'),
  volmode: index('fv', 'default', 'default | full | geom | dev | none'),
  redundant_metadata: index('fv', 'all', 'all | most | some | none'),
  special_small_blocks: ['f', '0', true, 'size'],
  casesensitivity: index('f', 'sensitive', 'sensitive | insensitive | mixed', false),
  normalization: index('f', 'none', 'none | formC | formD | formKC | formKD', false),
  utf8only: index('f', 'off', ON_OFF, false),
  sharenfs: ['f', 'off', true, 'text'],
  sharesmb: ['f', 'off', true, 'text'],
  filesystem_limit: ['f', 'none', false, 'text'],
  snapshot_limit: ['fv', 'none', false, 'text'],
  overlay: index('f', 'on', ON_OFF),
  encryption: index(
    'fv',
    'off',
    'on | off | aes-128-ccm | aes-192-ccm | aes-256-ccm | aes-128-gcm | aes-192-gcm | aes-256-gcm',
    false,
  ),
}
const ONLY_AT_CREATION = ['casesensitivity', 'normalization', 'utf8only', 'encryption', 'volblocksize']
export const readOnlyDatasetProperties = (
  'type creation used available referenced compressratio refcompressratio mounted origin createtxg guid written logicalused ' +
  'logicalreferenced usedbysnapshots usedbydataset usedbychildren usedbyrefreservation clones userrefs defer_destroy name objsetid ' +
  'keystatus numclones snapshots_changed'
).split(' ')

export const isUserProperty = (name) => /^[a-z0-9_.+-]*:[a-z0-9_.:+-]*$/.test(name) && name.length < 256

/** Takes a value for a property of `kind` (filesystem, volume, snapshot); gives it back as ZFS keeps it. `start` begins each refusal. */
export function checkDatasetProperty(name, value, kind, start, creating = true) {
  const no = (text) => refuse(text, creating ? 1 : 255)
  if (name.includes(':')) {
    if (!isUserProperty(name)) no(`${start}: invalid property '${name}'`)
    if (value.length >= 8192) no(`${start}: property value too long`)
    return value
  }
  if (readOnlyDatasetProperties.includes(name)) no(`${start}: '${name}' is readonly`)
  const known = Object.hasOwn(datasetProperties, name) && datasetProperties[name]
  if (!known) no(`${start}: invalid property '${name}'`)
  const [kinds, , , form] = known
  const letter = kind[0]
  if (kind === 'snapshot') no(`${start}: this property can not be modified for snapshots`)
  if (!kinds.includes(letter)) no(`${start}: '${name}' does not apply to datasets of this type`)
  if (!creating && ONLY_AT_CREATION.includes(name)) no(`${start}: '${name}' is readonly`)
  if (Array.isArray(form)) {
    const numbered = name === 'compression' && /^(gzip-[1-9]|zstd-(1?[1-9]|10)|zstd-fast-\d+)$/.test(value)
    if (!form.includes(value) && !numbered)
      no(`${start}: '${name}' must be one of '${name === 'compression' ? COMPRESSION : form.join(' | ')}'`)
    return value
  }
  if (form === 'size') {
    if (value === 'none') return '0'
    if (name === 'refreservation' && value === 'auto') return value
    const bytes = parseSize(value)
    if (bytes === undefined) no(`${start}: bad numeric value '${value}'`)
    if (
      /^(recordsize|volblocksize)$/.test(name) &&
      (bytes < 512 || bytes > 16 * 1024 ** 2 || Math.log2(bytes) % 1 !== 0)
    )
      no(`${start}: '${name}' must be power of 2 from 512B to 16M`)
    if (name === 'volsize' && bytes === 0) no(`${start}: '${name}' cannot be zero`)
    return String(bytes)
  }
  if (name === 'mountpoint' && !/^(\/.*|none|legacy)$/s.test(value))
    no(`${start}: '${name}' must be an absolute path, 'none', or 'legacy'`)
  return value
}

export const poolProperties = {
  ashift: '0',
  altroot: '-',
  autoexpand: 'off',
  autoreplace: 'off',
  autotrim: 'off',
  bootfs: '-',
  cachefile: '-',
  comment: '-',
  compatibility: 'off',
  delegation: 'on',
  failmode: 'wait',
  listsnapshots: 'off',
  multihost: 'off',
  version: '-',
}
export const readOnlyPoolProperties =
  'name size allocated free capacity health guid load_guid checkpoint expandsize freeing fragmentation leaked dedupratio readonly'.split(
    ' ',
  )
