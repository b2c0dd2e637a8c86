// JSON that people write: reports what is wrong with a text, and where, without repeating any of it.

/** Parses; throws an Error with the place of the syntax error: "not JSON (line 3, column 5)". */
export function parseWritten(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The search for the place parses the text some twenty times.
    if (text.length > 1 << 18) throw new Error('not JSON', { cause })
    throw new Error(`not JSON (${text.trim() === '' ? 'it is empty' : place(text, cause)})`, { cause })
  }
}

/**
 * Returns the text unchanged if it is a JSON object of at most `most` characters; throws an Error that says what it is
 * instead.
 */
export function objectText(text: string, most = 1 << 20): string {
  if (text.length > most) throw new Error(`larger than ${most} characters`)
  const value = parseWritten(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('JSON that is no object')
  return text
}

function place(text: string, error: unknown): string {
  if (endsEarly(text, error)) return 'it ends too early'
  const lines = text.slice(0, position(error) ?? search(text)).split('\n')
  return `line ${lines.length}, column ${(lines.at(-1) as string).length + 1}`
}

/** The position that the engine reports; it reports none for a character that cannot begin a value. */
function position(error: unknown): number | undefined {
  const found = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined
  return found === undefined ? undefined : Number(found)
}

const endsEarly = (text: string, error: unknown) =>
  (error instanceof Error && /^(Unexpected end|Unterminated)/.test(error.message)) ||
  (position(error) ?? 0) >= text.length

/** The last character of the shortest prefix that cannot be continued to valid JSON. */
function search(text: string): number {
  let [good, bad] = [0, text.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isBroken(text.slice(0, middle))) bad = middle
    else good = middle
  }
  return bad - 1
}

function isBroken(beginning: string): boolean {
  try {
    JSON.parse(beginning)
    return false
  } catch (error) {
    return !endsEarly(beginning, error)
  }
}
