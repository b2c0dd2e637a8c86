// The one text of a JSON value, for signing and for versions: keys sorted, no white space. The trap: sign what was parsed, never the text that came,
// or two readers of one file could see two licenses.

/** Throws for what JSON cannot hold (NaN, undefined, a lone surrogate). */
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
