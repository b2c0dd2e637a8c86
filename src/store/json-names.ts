// Detects what JSON.parse hides: of two equal names it keeps the last one, and it rounds large numbers.
// `{"recursive":false,"recursive":true}` would otherwise be executed as the last one.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

interface Open {
  names: Set<string> | undefined
  /** The name of its next member, as in a path. */
  at: string
  items: number
}

export interface Doubt {
  /** The member: `options.quota`, `vdevs.1`. */
  path: string
  what: string
}

/** Scans valid JSON. Returns the first member that two readers could interpret differently. */
export function doubtIn(text: string): Doubt | undefined {
  const open: Open[] = []
  const path = () => open.map(({ at }) => at).join('.')
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    const inner = open.at(-1)
    if (token === '{') open.push({ names: new Set(), at: '', items: 0 })
    else if (token === '[') open.push({ names: undefined, at: '0', items: 0 })
    else if (token === '}' || token === ']') open.pop()
    else if (token === ',' && inner && !inner.names) inner.at = String(++inner.items)
    else if (token === ':' && inner?.names) {
      inner.at = JSON.parse(previous) as string
      if (inner.names.has(inner.at)) return { path: path(), what: 'came more than once' }
      inner.names.add(inner.at)
    } else if (
      /^-?[0-9]/.test(token) &&
      Number.isInteger(Number(token)) &&
      Math.abs(Number(token)) > Number.MAX_SAFE_INTEGER
    )
      return { path: path(), what: 'is a number too large to be kept exactly' }
    previous = token
  }
  return undefined
}
