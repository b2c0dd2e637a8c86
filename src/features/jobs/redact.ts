// Masks secrets in the lines of a log, by the rules of scripts/redact.awk (a test compares the two). The trap: everything works on bytes,
// as awk does with LC_ALL=C. Texts are passed as latin1, or a letter with a longer lower case would shift all that follows.

const MASK = '[redacted]'
/** A shorter secret would match half of every log; the patterns still catch it where it is named. */
const LEAST = 3
/** Lines: no private key is longer. */
const LONGEST_KEY = 200

const NAMED: { hint: RegExp; rules: { pattern: RegExp; stop: string }[] }[] = [
  {
    hint: /token|hash|secret|phrase/,
    rules: [
      { pattern: /(?:token|hash|secret|phrase)=/, stop: ' \t&;,<>"\')' },
      { pattern: /(?:token|secret|phrase)\\*["'][ \t]*:[ \t]*/, stop: ' \t,}]' },
    ],
  },
  {
    hint: /passw/,
    rules: [
      { pattern: /passw[a-z0-9_.-]*=/, stop: ' \t&' },
      // `password: two words`: nobody can tell where it ends.
      { pattern: /passw[a-z0-9_.-]*\\*["']?(?:[ \t]*:|[ \t]*=[ \t]|[ \t]+=)[ \t]*/, stop: '' },
    ],
  },
  { hint: /bearer /, rules: [{ pattern: /bearer[ \t]+/, stop: ' \t,;"\'' }] },
  {
    hint: /authorization|x-auth-|cookie/,
    rules: [{ pattern: /(?:authorization|x-auth-[a-z-]*|cookie)["']?[ \t]*[:=][ \t]*/, stop: '' }],
  },
]

const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/** Every form of the secrets that is looked for, the longest first: a secret may hold another one. */
export function literals(secrets: Iterable<string>): string[] {
  const known = new Set<string>()
  for (const secret of secrets) {
    if (secret.length < LEAST) continue
    known.add(secret)
    // As it stands in an address, with either case of the digits.
    const hex = (letter: string) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`
    for (const encode of [hex, (letter: string) => hex(letter).toUpperCase()])
      known.add(secret.replace(/[^A-Za-z0-9._~-]/g, encode))
  }
  return [...known].sort((a, b) => b.length - a.length)
}

/** One line of a task's status, masked by what is named in it, and of what is `known`: a program's own words may hold what it was given. */
export const maskedLine = (text: string, known: string[] = []): string =>
  Buffer.from(redact([Buffer.from(text).toString('latin1')], known).shown[0] ?? '', 'latin1').toString()

/** What is shown for each line; undefined for those that are a part of something masked. `open`: lines at the end that may yet be a key's. */
export function redact(lines: string[], known: string[]): { shown: (string | undefined)[]; open: number } {
  const shown: (string | undefined)[] = []
  const key = { inside: false, lines: 0 }
  let waiting = 0
  let likely = false
  for (const line of lines) {
    if (key.inside && ++key.lines > LONGEST_KEY) key.inside = false
    if (key.inside && !line.includes('-----END ')) {
      shown.push(undefined)
      continue
    }
    const text = maskNames(maskLiterals(maskKeys(line, key), known))
    // The end of a key whose beginning is cut away: known as one only when its last line comes, so what looks like one waits.
    if (/^[A-Za-z0-9+/]+=*\r?$/.test(text) && text.length <= 80) {
      waiting = Math.min(waiting + 1, LONGEST_KEY)
      // A word alone in its line looks like one as well, and is shown while a task runs.
      likely ||= text.length >= 40
    } else {
      if (waiting > 0 && /^-----END [A-Z ]*PRIVATE KEY-----/.test(text))
        shown.fill(undefined, shown.length - waiting).splice(-1, 1, MASK)
      waiting = 0
      likely = false
    }
    shown.push(text)
  }
  return { shown, open: likely ? waiting : 0 }
}

function maskKeys(line: string, key: { inside: boolean; lines: number }): string {
  let out = ''
  for (let text = line; ; ) {
    const found = (key.inside ? /-----END [A-Z ]*PRIVATE KEY-----/ : /-----BEGIN [A-Z ]*PRIVATE KEY-----/).exec(text)
    if (!found) return key.inside ? out : out + text
    const end = found.index + found[0].length
    out += key.inside ? found[0] : text.slice(0, end) + MASK
    text = text.slice(end)
    key.inside = !key.inside
    key.lines = 0
  }
}

const maskLiterals = (text: string, known: string[]) =>
  known.reduce((so, secret) => (so.includes(secret) ? so.replaceAll(secret, MASK) : so), text)

function maskNames(line: string): string {
  let text = line
  const small = lower(text)
  for (const { hint, rules } of NAMED)
    if (hint.test(small)) for (const { pattern, stop } of rules) text = maskValues(text, pattern, stop)
  return text
}

/** Every `NAME<separator>value`, with the value masked. */
function maskValues(line: string, pattern: RegExp, stop: string): string {
  let [out, text] = ['', line]
  for (let found = pattern.exec(lower(text)); found; found = pattern.exec(lower(text))) {
    const at = found.index + found[0].length
    out += text.slice(0, at)
    text = text.slice(at)
    const length = valueLength(text, stop)
    if (length === 0) continue
    const quote = /^["']/.exec(text)?.[0] ?? ''
    out += quote + MASK + quote
    text = text.slice(length)
  }
  return out + text
}

/** Quoted: up to the closing quote. `stop`: the characters that end a bare one. */
function valueLength(text: string, stop: string): number {
  const quoted = /^(["'])(?:\\[\s\S]?|(?!\1)[^\\])*\1?/.exec(text)
  if (quoted) return quoted[0].length
  for (let i = 0; i < text.length; i++) if (stop.includes(text.charAt(i))) return i
  return text.length
}
