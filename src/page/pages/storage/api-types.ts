// Types and text parsing that several storage pages share.

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

/** A name with slashes is encoded as one path segment. */
export const one = (collection: string, name: string) => `/api/v1/${collection}/${encodeURIComponent(name)}`

/** Splits a typed list at lines, commas and spaces; for items that contain no spaces. */
export const words = (text: string) => text.split(/[\s,]+/).filter(Boolean)

/** Splits a typed list at lines and commas only: `@Domain Users` is one name. */
export const names = (text: string) =>
  text
    .split(/[\r\n,]+/)
    .map((name) => name.trim())
    .filter(Boolean)

/** The same for an existing list; undefined (not sent) if it was not edited. */
export const changedNames = (text: string, before: readonly string[] | undefined) =>
  before && text === before.join('\n') ? undefined : names(text)

const UNITS = ['', 'K', 'M', 'G', 'T', 'P']

/** `64M` for 67108864: the exact size, never rounded. */
export function exactSize(value: string): string {
  if (!/^[0-9]{4,15}$/.test(value)) return value
  let unit = 0
  let left = Number(value)
  for (; left % 1024 === 0 && unit < UNITS.length - 1; unit++) left /= 1024
  return `${left}${UNITS[unit]}`
}

/** The header for a change of the version that was read: nobody else's change is overwritten. */
export const ifMatch = (etag: string | undefined): { headers?: Record<string, string> } =>
  etag === undefined ? {} : { headers: { 'If-Match': etag } }
