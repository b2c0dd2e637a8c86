// Permissions as the controller returns them, in the words of this page.

export interface AclEntry {
  type: 'user' | 'group'
  name?: string
  id?: number
  permissions: string
}

interface DefaultAcl {
  owner: string
  group: string
  other: string
  entries: AclEntry[]
  mask?: string
}

export interface Permissions {
  dataset: string
  path: string
  owner: string
  group: string
  mode: string
  /** `posix`, or `off` */
  acltype: string
  acl?: { entries: AclEntry[]; mask?: string }
  default_acl?: DefaultAcl | null
  /** Why there are no lists. */
  without_acl?: string
}

export interface Preview {
  files: number
  folders: number
  changes: number
  left_out: number
  complete: boolean
  examples: (Seen & { path: string; to: Seen })[]
}
interface Seen {
  owner: string
  group: string
  mode: string
}

export const permissionsPath = (dataset: string) => `/api/v1/datasets/${encodeURIComponent(dataset)}/permissions`

const WORDS: Record<string, string> = { rwx: 'read and write', 'r-x': 'read', '---': 'none' }

/** `read and write` for rwx; other letters stay as they are. */
export const wordOf = (letters: string) => WORDS[letters] ?? letters
/** What can be chosen, and what it is now. */
export const choices = (now: string): [letters: string, text: string][] =>
  [...new Set([...Object.keys(WORDS), now])].map((letters) => [letters, `${wordOf(letters)} (${letters})`])

const lettersOf = (digit: string) =>
  `${Number(digit) & 4 ? 'r' : '-'}${Number(digit) & 2 ? 'w' : '-'}${Number(digit) & 1 ? 'x' : '-'}`
const digitOf = (letters: string) => [...letters].reduce((sum, letter, i) => sum + (letter === '-' ? 0 : 4 >> i), 0)

export interface Rights {
  setGroup: boolean
  sticky: boolean
  owner: string
  group: string
  other: string
}

/** `2770` in letters. */
export function rightsOf(mode: string): Rights {
  const [special = '0', owner = '0', group = '0', other = '0'] = mode.padStart(4, '0')
  return {
    setGroup: (Number(special) & 2) !== 0,
    sticky: (Number(special) & 1) !== 0,
    owner: lettersOf(owner),
    group: lettersOf(group),
    other: lettersOf(other),
  }
}

export const modeOf = ({ setGroup, sticky, owner, group, other }: Rights) =>
  `${(setGroup ? 2 : 0) + (sticky ? 1 : 0)}${digitOf(owner)}${digitOf(group)}${digitOf(other)}`

export const nameOf = ({ name, id }: AclEntry) => name ?? String(id)
