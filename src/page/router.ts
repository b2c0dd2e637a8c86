// The current page, from the address: `#/pools/tank` is the page `pools` with the rest `tank`. A name with slashes is
// encoded as one segment.
import { Store } from './store.ts'

export interface Place {
  page: string
  /** The segments after the page's name, decoded. */
  rest: string[]
}

const read = (): Place => {
  const [page = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decoded)
  return { page: page || 'overview', rest }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

export const place = new Store<Place>(read())
addEventListener('hashchange', () => place.set(read()))

/** The link to a page: `link('pools', 'tank')`. */
export const link = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`
export const go = (...parts: string[]) => {
  location.hash = link(...parts)
}
