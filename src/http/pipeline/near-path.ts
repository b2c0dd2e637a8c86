// Suggests the declared path closest to an unknown one. Only declared text is offered, never a part of the request.
import { nearest } from '../../nearest.ts'
import { shown } from './route.ts'

const LONGEST = 200
const MOST = 10

/** `There is no such path: did you mean "/api/v1/pools"?`; empty if no path is close. */
export function noSuchPath(path: string, templates: Iterable<string>): string {
  const parts = path.slice(0, LONGEST).replace(/\/$/, '').split('/')
  if (path.length > LONGEST || parts.length > MOST) return ''
  let found: string | undefined
  for (const template of templates) {
    const wanted = template.split('/')
    // One word may differ; a parameter matches anything, and `{name*}` the whole rest.
    const greedy = wanted.findIndex((part) => part.endsWith('*}'))
    if (greedy < 0 ? wanted.length !== parts.length : parts.length < wanted.length) continue
    const wrong = wanted
      .slice(0, greedy < 0 ? undefined : greedy)
      .filter((part, i) => !part.startsWith('{') && part !== parts[i])
    const [word = ''] = wrong
    const given = parts[wanted.indexOf(word)] ?? ''
    if (wrong.length === 1 && nearest(given, [word]) !== undefined) found ??= shown(template)
  }
  return found === undefined ? '' : `There is no such path: did you mean "${found}"?`
}
