// One normal form for typed text: the OpaqueString profile of RFC 8265. An "é" is one character from one keyboard and
// two from another, and blanks of other scripts count as blanks.

export const opaque = (text: string): string => (isAscii(text) ? text : text.replace(/\p{Zs}/gu, ' ').normalize('NFC'))

/**
 * The forms in which a text may be stored: as typed, which is usual; its normal form; and decomposed, as earlier
 * versions stored it if typed so. For ASCII they are all the same.
 */
export const formsOf = (text: string): string[] =>
  isAscii(text) ? [text] : [...new Set([text, opaque(text), text.normalize('NFD')])]

const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)
