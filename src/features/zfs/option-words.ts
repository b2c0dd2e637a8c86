// The allowed values of an option as text: taken from its pattern if that is a list of words, else listed here.
import { didYouMean, quoted } from '../../nearest.ts'

const COUNT = 'none or a whole number'
const WORDS: Readonly<Record<string, string>> = {
  ashift: '0 or a number from 9 to 16',
  comment: '1 to 32 printable ASCII characters',
  compatibility: 'off, legacy or the name of a file of features',
  compression: 'on, off, lz4, zstd, zstd-1 to zstd-19, zstd-fast, gzip, gzip-1 to gzip-9, lzjb, zle',
  copies: '1, 2, 3',
  dedup: 'on, off, verify, sha256, sha512, skein or blake3, these four also with ,verify behind, or edonr,verify',
  filesystem_limit: COUNT,
  mountpoint: 'none or an absolute path of at least two parts of letters, digits and _ . : -',
  snapshot_limit: COUNT,
}

/** `on, off` of /^(?:on|off)$/. */
const listed = ({ source }: RegExp) => /^\^\(\?:([\w|-]+)\)\$$/.exec(source)?.[1]?.replaceAll('|', ', ')

export const notAValue = (key: string, value: string, pattern: RegExp): string => {
  const expected = WORDS[key] ?? listed(pattern)
  return `Not a value of ${key}${expected === undefined ? '' : `: expected ${expected}`}, found ${quoted(value)}`
}

export const noSuchOption = (key: string, known: Iterable<string>): string => `No such option${didYouMean(key, known)}`
