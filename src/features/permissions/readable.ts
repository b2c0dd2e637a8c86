// Names of files for people: in a share anybody may make a name of any bytes, and one must not look like something else
// in a log or on a page.

const LONGEST = 200
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu
const NO_ASCII = /[^ -[\]-~]/g

/** `path` is in Latin-1, one character for each byte. Control characters and bytes that are no UTF-8 are shown as `\xNN`. */
export function readable(path: string): string {
  if (path === '') return '.'
  const bytes = Buffer.from(path, 'latin1')
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text, 'utf8').equals(bytes)
  const plain = isText ? text.replace(UNSEEN, escaped) : path.replace(NO_ASCII, escaped)
  const characters = [...plain]
  return characters.length > LONGEST ? `…${characters.slice(1 - LONGEST).join('')}` : plain
}

const escaped = (text: string) =>
  text === '\\' ? '\\\\' : [...Buffer.from(text, text < '\u0100' ? 'latin1' : 'utf8')].map(hex).join('')
const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`
