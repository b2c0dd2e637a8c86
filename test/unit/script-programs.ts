// Which programs shell scripts call: the words that stand where a command stands, without what the shell does itself. For this repository's style, not
// for every script that could be written.
const KEYWORDS = new Set([
  'if',
  'then',
  'else',
  'elif',
  'fi',
  'do',
  'done',
  'while',
  'until',
  'esac',
  '!',
  'exec',
  'time',
  'case',
  'for',
  'in',
])
const BUILTINS = new Set(
  ': . [ break cd command continue eval exit export false kill printf echo pwd read return set shift test trap true umask unset wait type local source times ulimit getopts hash readonly'.split(
    ' ',
  ),
)

export function programsOf(texts: readonly string[]): Set<string> {
  const functions = new Set(
    texts.flatMap((text) => [...text.matchAll(/^\s*([A-Za-z_]\w*)\(\)/gm)].map(([, name]) => name)),
  )
  const found = new Set<string>()
  for (const text of texts)
    for (const part of parts(text))
      for (const name of commands(part)) if (!functions.has(name) && !BUILTINS.has(name)) found.add(name)
  return found
}

/** The text without its comments and quoted words, and for themselves the commands that stand inside of double quotes. */
function parts(text: string): string[] {
  const more: string[] = []
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (c === '\\') {
      if (text[i + 1] !== '\n') out += 'Q'
      i++
    } else if (c === '#' && /[\s;(]/.test(text[i - 1] ?? '\n')) {
      while (i + 1 < text.length && text[i + 1] !== '\n') i++
    } else if (c === "'") {
      i = text.indexOf("'", i + 1)
      out += 'Q'
    } else if (c === '"') {
      const end = endOfQuotes(text, i)
      more.push(...substitutions(text.slice(i + 1, end)))
      out += 'Q'
      i = end
    } else out += c
  }
  return [out, ...more.flatMap(parts)]
}

function endOfQuotes(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text.startsWith('$(', i)) i = endOfBrackets(text, i + 1)
    else if (text[i] === '"') return i
  }
  throw new Error(`quotes that do not end: ${text.slice(from, from + 60)}`)
}

function endOfBrackets(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    const c = text[i]
    if (c === '\\') i++
    else if (c === "'") i = text.indexOf("'", i + 1)
    else if (c === '"') i = endOfQuotes(text, i)
    else if (c === '(') depth++
    else if (c === ')' && --depth === 0) return i
  }
  throw new Error(`brackets that do not end: ${text.slice(from, from + 60)}`)
}

function substitutions(text: string): string[] {
  const found: string[] = []
  for (let i = text.indexOf('$('); i >= 0; i = text.indexOf('$(', i + 1)) {
    if (text[i + 2] === '(') continue
    found.push(text.slice(i + 2, endOfBrackets(text, i + 1)))
  }
  return found
}

function commands(part: string): string[] {
  const plain = part
    .replace(/\$\(\((?:[^()]|\([^()]*\))*\)\)/g, (sum) => (sum.includes('$(', 3) ? sum.slice(1) : 'V'))
    .replace(/\$\{[^{}]*\}/g, 'V')
    // The patterns of a case.
    .replace(/(\bin\s|;;\s*|^)[ \t]*\(?[^()\n;&$]*(?:\$\w+[^()\n;&$]*)*\)/gm, '$1\n')
  const names = plain.split(/[;&|\n(){}]|\$\(/).flatMap((segment) => {
    const words = segment.trim().split(/\s+/)
    while (words.length > 0 && (KEYWORDS.has(words[0]!) || /^(?:[A-Za-z_]\w*=|\d*[<>])/.test(words[0]!))) {
      // What follows are names, and no command.
      if (words[0] === 'for' || words[0] === 'case') return []
      // `> file`: the name is a word of its own only behind a blank.
      if (/^\d*[<>]+$/.test(words[0]!)) words.shift()
      words.shift()
    }
    if (words[0] === 'timeout')
      return [
        'timeout',
        ...words
          .slice(1)
          .filter((word) => /^[a-z]+$/.test(word))
          .slice(0, 1),
      ]
    if (words[0] === 'command') return words[1] === '-v' ? [words[2] ?? ''] : [words[1] ?? '']
    return [words[0] ?? '']
  })
  const executed = [...plain.matchAll(/-exec\s+([a-z]+)/g)].map(([, name]) => name as string)
  return [...names, ...executed].filter((name) => /^[a-z][a-z0-9_-]*$/.test(name))
}
