// Path templates: `{name}` is one segment, `{name*}` one or more. Hono's fast router gives up for every route of the
// process once a literal and a parameter compete for a segment, so it only sees what precedes the first parameter.
import type { Parameters } from '../body/query.ts'

export interface Route<T> {
  template: string
  value: T
  /** A trailing slash counts; otherwise the path with it and without is the same. */
  exact?: boolean
}

export interface Match<T> {
  value: T
  params: Parameters
}

interface Compiled<T> extends Route<T> {
  pattern: RegExp
  names: { name: string; greedy: boolean }[]
  rank: string
}

const PARAMETER = /\{(\w+)(\*?)\}/g

/** A template as OpenAPI writes it. */
export const shown = (template: string) => template.replace(PARAMETER, '{$1}')

/** The literal text before the first parameter, with its slash; undefined when there is none. */
function stem(template: string): string | undefined {
  const at = template.indexOf('{')
  return at < 0 ? undefined : template.slice(0, at)
}

/**
 * Separates routes without parameters from those that share a stem: routes with parameters, and literals that compete
 * with them.
 */
export function sortRoutes<T>(routes: Route<T>[]): { plain: Route<T>[]; stems: Map<string, Route<T>[]> } {
  const all = routes.map(({ template }) => stem(template)).filter((one) => one !== undefined)
  // The shortest stems: a longer stem belongs to its prefix.
  const shortest = all.filter((one) => !all.some((other) => other !== one && one.startsWith(other)))
  const stems = new Map<string, Route<T>[]>(shortest.map((one) => [one, []]))
  const plain: Route<T>[] = []
  for (const route of routes) {
    const under = shortest.find((one) => route.template.startsWith(one) && route.template !== one)
    if (under === undefined) plain.push(route)
    else stems.get(under)?.push(route)
  }
  return { plain, stems }
}

/**
 * Finds the route of a path, as `normalize` returns it for routing. Literals win over parameters, and a suffix over a
 * greedy name. If the best match does not fit (it lacks the method), the next is tried, since a resource may have the
 * name of one of our literals. Routes for which `fits` returns undefined are skipped.
 */
export function matcher<T>(
  routes: Route<T>[],
): (path: string, fits?: (match: Match<T>, first: boolean) => boolean | undefined) => Match<T> | undefined {
  const compiled = routes.map(compile).sort((a, b) => (a.rank < b.rank ? -1 : 1))
  return (path, fits = () => true) => {
    // A trailing slash leads to the same endpoint, though the signed path keeps it (facts: jidoteki.md 2.4).
    const bare = path.endsWith('/') ? path.slice(0, -1) : path
    let first: Match<T> | undefined
    for (const { pattern, names, value, exact, template } of compiled) {
      // A greedy name would include the slash.
      if (exact && path !== bare && !template.endsWith('/')) continue
      const found = pattern.exec(exact ? path : bare)
      const params = found && read(names, found.slice(1))
      if (!params) continue
      const match = { value, params }
      const fitting = fits(match, first === undefined)
      if (fitting) return match
      if (fitting !== undefined) first ??= match
    }
    return first
  }
}

function compile<T>(route: Route<T>): Compiled<T> {
  const { template } = route
  const names = [...template.matchAll(PARAMETER)].map(([, name = '', star]) => ({ name, greedy: star === '*' }))
  if (names.filter(({ greedy }) => greedy).length > 1) throw new Error(`${template}: two parameters that hold slashes`)
  const parts = template.split('/').map((part) => {
    const [whole, , star] = /^\{(\w+)(\*?)\}$/.exec(part) ?? []
    if (whole === undefined && /[{}]/.test(part)) throw new Error(`${template}: a parameter is a whole segment`)
    if (whole === undefined) return { rank: 0, text: part.replace(/[.*+?^$()|[\]\\]/g, '\\$&') }
    return star ? { rank: 2, text: '(.+)' } : { rank: 1, text: '([^/]+)' }
  })
  const pattern = new RegExp(`^${parts.map(({ text }) => text).join('/')}$`, 's')
  return { ...route, names, pattern, rank: `${parts.map(({ rank }) => rank).join('')}3` }
}

/** Undefined when a parameter that takes no slash would contain an encoded one: no route has such a path. */
function read(names: Compiled<unknown>['names'], values: string[]): Parameters | undefined {
  const params: Parameters = Object.create(null)
  for (const [i, { name, greedy }] of names.entries()) {
    const value = values[i] ?? ''
    if (!greedy && value.includes('%2F')) return undefined
    params[name] = value.replaceAll('%2F', '/')
  }
  return params
}
