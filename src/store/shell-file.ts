// Configuration that a shell reads by sourcing it: written so that every value arrives byte for byte and none can run
// anything. Inside double quotes a shell still expands `$` and backtick. All values go through here; never build such a
// line by hand.

/** One line: `key="value"`, or `key=value` when asked for and the value needs no quotes. */
export type Assignment = readonly [key: string, value: string, style?: 'bare']

const KEY = /^[a-z][a-z0-9_]*$/
const BARE = /^[A-Za-z0-9.:/_-]+$/
const LINE = /^([a-z][a-z0-9_]*)=(?:([A-Za-z0-9.:/_-]+)|"((?:[^"\\$`]|\\["\\$`])*)")$/

/** The file's text. Throws on a key or a value that no validation should have let through: a fault of ours, not of the caller. */
export function shellAssignments(entries: readonly Assignment[]): string {
  return entries.map(line).join('')
}

function line([key, value, style]: Assignment): string {
  if (!KEY.test(key)) throw new Error('not a name for a shell variable')
  // A half of a surrogate pair has no bytes of its own: it would be written as another character.
  if (/[\p{Cc}\p{Surrogate}]/u.test(value)) throw new Error(`a character that no shell can be given: ${key}`)
  if (style === 'bare' && BARE.test(value)) return `${key}=${value}\n`
  return `${key}="${value.replace(/["\\$`]/g, '\\$&')}"\n`
}

/** Reads back what `shellAssignments` wrote, and nothing else: other shell syntax throws. */
export function parseShellAssignments(text: string): [key: string, value: string][] {
  if (text === '') return []
  if (!text.endsWith('\n')) throw new Error('the last line is cut')
  return text
    .slice(0, -1)
    .split('\n')
    .map((written) => {
      const [, key, bare, quoted] = LINE.exec(written) ?? []
      if (key === undefined) throw new Error('not a plain assignment')
      return [key, bare ?? quoted!.replace(/\\(.)/g, '$1')]
    })
}
