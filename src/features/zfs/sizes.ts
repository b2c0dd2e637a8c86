// Sizes as people write them: `16k`, `128K`, `10Gi`, `10GiB`, `1.5T`, one rule for every member. Powers of 1024 in any case, as ZFS counts them,
// and exact: a fraction of a byte is refused, not rounded.

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E']

export const SIZE_WORDS = 'Not a size: expected whole bytes, such as 10G, 16k, 1.5TiB (powers of 1024) or a number'

/** Bytes; undefined for what is none, is no whole number of bytes, or is more than a number can hold exactly. */
export function parseSize(text: string): number | undefined {
  const [, digits, fraction = '', unit = ''] =
    /^([0-9]{1,19})(?:\.([0-9]{1,18}))? ?(?:([KMGTPE])i?)?B?$/i.exec(text) ?? []
  if (digits === undefined || (fraction !== '' && unit === '')) return undefined
  const factor = 1024n ** BigInt(UNITS.indexOf(unit.toUpperCase()))
  const scale = 10n ** BigInt(fraction.length)
  const bytes = BigInt(digits + fraction) * factor
  if (bytes % scale !== 0n || bytes / scale > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  return Number(bytes / scale)
}
