// Text that cannot change the text around it, nor look like another: what Unicode has to turn a line around, control
// characters, and what has no width, are written as their numbers.

/** Controls except those that part words and lines; Arabic letter mark, marks, embeddings, overrides, isolates, line separators. */
const TURNS =
  '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069'
/** Soft hyphen, zero-width space, word joiner and its like, byte order mark, tags. Joiners stay: emoji and scripts need them. */
const UNSEEN = '\\u00ad\\u180e\\u200b\\u2060-\\u2064\\ufeff\\u{e0000}-\\u{e007f}'
const HAZARD = new RegExp(`[${TURNS}${UNSEEN}]`, 'gu')

export const plainText = (text: string): string =>
  text.replace(HAZARD, (c) => {
    const number = (c.codePointAt(0) ?? 0).toString(16)
    return number.length > 4 ? `\\u{${number}}` : `\\u${number.padStart(4, '0')}`
  })

/** Letters that are written from right to left: digits and signs beside them would be, too. */
const LETTERS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

export const isRightToLeft = (text: string): boolean => LETTERS.test(text)
