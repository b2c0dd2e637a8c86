// What several storage pages say and read in the same way.

export interface Dataset {
  name: string
  pool: string
  type: 'filesystem' | 'volume'
  size: number
  used: number
  available: number
  mountpoint?: string
  created_at: string
}

export interface DatasetDetails extends Dataset {
  referenced: number
  origin?: string
  options: Record<string, string>
}

export interface Plan {
  object: string
  destroys: string[]
  depends: { object: string; reason: string }[]
  confirm: string
}

/** A name with slashes is one segment of a path of ours. */
export const one = (collection: string, name: string) => `/api/v1/${collection}/${encodeURIComponent(name)}`

/** The words of a list that somebody typed: a line each, or with commas or blanks between them. Of what never holds a blank. */
export const words = (text: string) => text.split(/[\s,]+/).filter(Boolean)

/** The names of a list that somebody typed, a line each or with commas between them: `@Domain Users` is one. */
export const names = (text: string) =>
  text
    .split(/[\r\n,]+/)
    .map((name) => name.trim())
    .filter(Boolean)

/** The same of a list that there is; undefined, which is not sent, while nobody has touched it. */
export const changedNames = (text: string, before: readonly string[] | undefined) =>
  before && text === before.join('\n') ? undefined : names(text)

const UNITS = ['', 'K', 'M', 'G', 'T', 'P']

/** `64M` for 67108864: as it is typed, and nothing rounded away. */
export function exactSize(value: string): string {
  if (!/^[0-9]{4,15}$/.test(value)) return value
  let unit = 0
  let left = Number(value)
  for (; left % 1024 === 0 && unit < UNITS.length - 1; unit++) left /= 1024
  return `${left}${UNITS[unit]}`
}

/** A new version of what was read: nobody's change in between is overwritten. */
export const ifMatch = (etag: string | undefined): { headers?: Record<string, string> } =>
  etag === undefined ? {} : { headers: { 'If-Match': etag } }
