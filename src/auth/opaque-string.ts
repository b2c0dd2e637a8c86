// One spelling for what people type: the OpaqueString profile of RFC 8265. An "é" is one character from one keyboard and two from another,
// and blanks of other scripts are blanks.

export const opaque = (text: string): string => (isAscii(text) ? text : text.replace(/\p{Zs}/gu, ' ').normalize('NFC'))

/**
 * What may be stored of a text: as it was typed, which is usual and right; its one spelling; and its parts, which earlier versions stored where
 * it was typed so. One alone for ASCII.
 */
export const formsOf = (text: string): string[] =>
  isAscii(text) ? [text] : [...new Set([text, opaque(text), text.normalize('NFD')])]

const isAscii = (text: string) => /^[\x00-\x7f]*$/.test(text)
