// Where the page is: `#/pools/tank` is the place `pools` with the rest `tank`. A name may hold slashes; it is encoded as one segment.
import { Store } from './store.ts'

export interface Place {
  page: string
  /** The segments behind it, decoded. */
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
