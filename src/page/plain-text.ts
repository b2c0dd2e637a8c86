// Text that cannot change the text around it: what Unicode has to turn a line around, and control characters, are
// written as their numbers.

/** Controls except those that part words and lines; Arabic letter mark, marks, embeddings, overrides, isolates, line separators. */
const HAZARD = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

export const plainText = (text: string): string =>
  text.replace(HAZARD, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Letters that are written from right to left: digits and signs beside them would be, too. */
const LETTERS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u

export const isRightToLeft = (text: string): boolean => LETTERS.test(text)
