// The right word for a misspelled one: what a refusal offers beside "unknown". Only words that are public (members, parameters, paths) go in.

/** Longer words are not looked at: the table below grows with the product of both lengths, and a stranger may ask. */
const LONGEST = 40

/** The word of `known` that was most likely meant; undefined when none is near. Case, `-` and `_` make no difference. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined
  const wanted = plain(word)
  let best: string | undefined
  let least = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1
  for (const one of known) {
    const candidate = plain(one)
    if (one === word || one.length > LONGEST || Math.abs(candidate.length - wanted.length) >= least) continue
    const steps = distance(wanted, candidate)
    if (steps < least) [best, least] = [one, steps]
  }
  return best
}

/** `: did you mean "name"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `: did you mean "${near}"?`
}

/** A word of the caller's inside a message: short, ASCII, one line (a message may become a response header and a line of a log). */
export const quoted = (word: string) =>
  `"${word.slice(0, LONGEST).replace(/[^\x20-\x7e]|["\\]/g, '?')}${word.length > LONGEST ? '...' : ''}"`

const plain = (word: string) => word.toLowerCase().replace(/[-_ ]/g, '')

/** Letters to put in, take out, replace, or swap with their neighbor. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let steps = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps = Math.min(steps, before[j - 2]! + 1)
      row.push(steps)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
