// The slips that a mutation run makes in a source file: one small edit each, where the compiler would say nothing.

export interface Mutant {
  file: string
  /** Counted from 1. */
  line: number
  /** Where in the text the edit begins and ends. */
  from: number
  to: number
  before: string
  after: string
}

/** The same length, with every character of a comment, a string, a template or a pattern replaced by a blank. Code inside `${}` is blanked as well. */
export function codeOnly(text: string): string {
  const out = text.split('')
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' '
  }
  for (let i = 0; i < text.length; ) {
    const end = endOfText(text, i, out)
    if (end === undefined) {
      i += 1
      continue
    }
    blank(i, end)
    i = end
  }
  return out.join('')
}

/** The end of the comment, string, template or pattern that begins at `i`; undefined when none does. */
function endOfText(text: string, i: number, out: string[]): number | undefined {
  const two = text.slice(i, i + 2)
  if (two === '//') return lineEnd(text, i)
  if (two === '/*') return text.indexOf('*/', i) + 2
  const quote = text[i]
  if (quote === "'" || quote === '"') return closing(text, i, quote)
  if (quote === '`') return templateEnd(text, i)
  // A pattern begins where a value may: behind an opening bracket, an operator or `return`.
  if (quote === '/' && /(?:^|[(,=:[!&|?{};>]|\breturn|=>)\s*$/.test(out.slice(Math.max(0, i - 12), i).join('')))
    return patternEnd(text, i)
  return undefined
}

const lineEnd = (text: string, i: number) => {
  const end = text.indexOf('\n', i)
  return end < 0 ? text.length : end
}

function closing(text: string, start: number, quote: string): number {
  let i = start + 1
  while (i < text.length && text[i] !== quote) i += text[i] === '\\' ? 2 : 1
  return i + 1
}

function templateEnd(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text[i] !== '`') {
    if (text[i] === '\\') i += 2
    else if (text.startsWith('${', i)) i = placeholderEnd(text, i + 2)
    else i += 1
  }
  return i + 1
}

function placeholderEnd(text: string, start: number): number {
  let depth = 1
  let i = start
  while (i < text.length && depth > 0) {
    const c = text[i]
    if (c === '`') i = templateEnd(text, i)
    else if (c === "'" || c === '"') i = closing(text, i, c)
    else {
      if (c === '{') depth += 1
      if (c === '}') depth -= 1
      i += 1
    }
  }
  return i
}

function patternEnd(text: string, start: number): number {
  let inClass = false
  let i = start + 1
  for (; i < text.length && text[i] !== '\n'; i++) {
    if (text[i] === '\\') i += 1
    else if (text[i] === '[') inClass = true
    else if (text[i] === ']') inClass = false
    else if (text[i] === '/' && !inClass) break
  }
  while (/[a-z]/.test(text[i + 1] ?? '')) i += 1
  return i + 1
}

/** What is replaced by what. The formatter puts blanks around operators and none into types, which tells `<` from a generic. */
const SWAPS: [RegExp, (found: string) => string][] = [
  [/ === /g, () => ' !== '],
  [/ !== /g, () => ' === '],
  [/ < /g, () => ' <= '],
  [/ <= /g, () => ' < '],
  [/ > /g, () => ' >= '],
  [/ >= /g, () => ' > '],
  [/ && /g, () => ' || '],
  [/ \|\| /g, () => ' && '],
  [/(?<=[\w)\]]) - (?=[\w(])/g, () => ' + '],
  [/(?<=[(&|?:=] |\(|return )!(?=[\w(])/g, () => ''],
  [/(?<=[=?:,(] ?|return )\btrue\b(?!\s*[|;])/g, () => 'false'],
  [/(?<=[=?:,(] ?|return )\bfalse\b(?!\s*[|;])/g, () => 'true'],
  // Larger numbers are mostly times, and nobody sees 100 ms become 101.
  [/(?<![\w.$])[1-9]\d?(?![\w.$'])/g, (found) => `${Number(found) + 1}`],
]

/** Every slip in a file, in the order of its text. */
export function mutantsOf(file: string, text: string): Mutant[] {
  const code = codeOnly(text)
  const found: Mutant[] = []
  const add = (from: number, to: number, after: string) => {
    const line = text.slice(0, from).split('\n').length
    found.push({ file, line, from, to, before: text.slice(from, to), after })
  }
  for (const [pattern, replacement] of SWAPS)
    for (const match of code.matchAll(pattern)) {
      const line = code.slice(code.lastIndexOf('\n', match.index) + 1, match.index)
      if (/^\s*(?:import|export type|type|interface) /.test(line)) continue
      // A blank that stands for the end of a string belongs to no operator.
      if (!text.startsWith(match[0], match.index)) continue
      add(match.index, match.index + match[0].length, replacement(match[0]))
    }
  // A condition that never holds, and a call that is left out.
  for (const match of code.matchAll(/\bif \(/g)) {
    const open = match.index + match[0].length
    const close = matching(code, open)
    if (close !== undefined) add(open, close, 'false')
  }
  // Not one of a chain: what is left would not parse, and count as noticed.
  for (const match of code.matchAll(/^ +(?:await )?\w[\w.?]*\([^\n]*\)$/gm)) {
    const before = code.slice(0, match.index).trimEnd().at(-1)
    if (before === '{' || before === '}' || before === ')' || before === ';' || /[\w\]]/.test(before ?? ''))
      add(match.index + (match[0].length - match[0].trimStart().length), match.index + match[0].length, ';')
  }
  return found.sort((a, b) => a.from - b.from)
}

/** Where the bracket that was opened before `start` closes. */
function matching(code: string, start: number): number | undefined {
  let depth = 1
  for (let i = start; i < code.length; i++) {
    if (code[i] === '(') depth += 1
    if (code[i] === ')') depth -= 1
    if (depth === 0) return i
  }
  return undefined
}
