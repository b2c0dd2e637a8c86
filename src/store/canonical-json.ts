// The canonical text of a JSON value, for signatures and versions: sorted keys, no white space. Sign the canonical text
// of the parsed value, never the received text, or two readers could see two licenses in one file.

/** Throws on values that JSON cannot represent (NaN, undefined, a lone surrogate). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, unknown>
    const keys = Object.keys(object).sort()
    return `{${keys.map((key) => `${scalar(key)}:${canonicalJson(object[key])}`).join(',')}}`
  }
  return scalar(value)
}

function scalar(value: unknown): string {
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) throw new TypeError('a lone surrogate')
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a finite number')
  const text = JSON.stringify(value)
  if (text === undefined) throw new TypeError('not a JSON value')
  return text
}
