// Parses sizes as people write them: `16k`, `128K`, `10Gi`, `10GiB`, `1.5T`, with one rule for every member. Powers of
// 1024 in any case, as in ZFS; like there, a fraction of a byte is dropped: 1.1T is not a whole number of bytes.

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E']

export const SIZE_WORDS = 'Not a size: expected bytes, such as 10G, 16k, 1.5TiB (powers of 1024) or a whole number'

/**
 * Whole bytes; undefined if the text is not a size, or too large for an exact number. A fraction needs a unit: `1.5`
 * alone is refused.
 */
export function parseSize(text: string): number | undefined {
  const [, digits, fraction = '', unit = ''] =
    /^([0-9]{1,19})(?:\.([0-9]{1,18}))? ?(?:([KMGTPE])i?)?B?$/i.exec(text) ?? []
  if (digits === undefined || (fraction !== '' && unit === '')) return undefined
  const factor = 1024n ** BigInt(UNITS.indexOf(unit.toUpperCase()))
  const scale = 10n ** BigInt(fraction.length)
  const bytes = (BigInt(digits + fraction) * factor) / scale
  return bytes > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(bytes)
}
