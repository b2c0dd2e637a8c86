// Versions and their order, as in `sort -V`: the appliance and this command have to agree on what is older. 1.10 is
// newer than 1.9, 1.0~rc1 is older than 1.0, and an extension such as .tar.gz is compared last.

/** The allowed form of a version: one line that is safe in a file, a log and a message. */
export const isVersion = (text: string) => /^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,63}$/.test(text)

/** Negative if `a` is older, positive if it is newer, zero only for the same text. */
export function compareVersions(a: string, b: string): number {
  return compareParts(stem(a), stem(b)) || compareParts(a, b) || (a < b ? -1 : a > b ? 1 : 0)
}

/** The warning for a version that looks like a prerelease, but counts as newer: `3.0.0-rc1` against `3.0.0`. */
export function prereleaseDoubt(version: string): string | undefined {
  const [, release = '', rest = ''] =
    /^(.*?\d)[-._+]?((?:rc|alpha|beta|pre|preview|dev|snapshot)(?![a-z]).*)$/i.exec(version) ?? []
  if (!release || compareVersions(version, release) < 0) return undefined
  return `version ${version} counts as newer than ${release}. Older than that would be ${release}~${rest}`
}

const stem = (text: string) => text.replace(/(\.[A-Za-z~][A-Za-z0-9~]*)+$/, '')

/** Alternating runs of other characters and of digits. */
function compareParts(a: string, b: string): number {
  const left: string[] = a.match(/\d+|\D+/g) ?? []
  const right: string[] = b.match(/\d+|\D+/g) ?? []
  // Each list begins with other characters, so that the two stay aligned.
  for (const parts of [left, right]) if (/^\d/.test(parts[0] ?? '')) parts.unshift('')
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const [x = '', y = ''] = [left[i], right[i]]
    const order = i % 2 === 0 ? compareText(x, y) : compareNumbers(x, y)
    if (order) return order
  }
  return 0
}

/** Letters sort before everything else, and `~` even before the end. */
function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const order = weight(a[i]) - weight(b[i])
    if (order) return order
  }
  return 0
}

function weight(character: string | undefined): number {
  if (character === undefined) return 0
  if (character === '~') return -1
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256)
}

/** By length first: the number may be too long for a number type. */
function compareNumbers(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0)
}
