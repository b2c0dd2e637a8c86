// POSIX access control lists through `getfacl` and `setfacl` (package acl). Files are named by their descriptors and
// ids are numbers, so no text of a user is in an argument or in the entries.
import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

/** `r`, `w` and `x` as in a mode: 0 to 7. */
export type Rights = number

/** A user or group that is named in a list. */
export interface NamedEntry {
  type: 'user' | 'group'
  id: number
  rights: Rights
}

/** The entries of one list. `mask` limits the group and all named entries; without named entries it may be missing. */
export interface AccessList {
  user: Rights
  group: Rights
  other: Rights
  mask: Rights | undefined
  named: NamedEntry[]
}

export interface Lists {
  access: AccessList
  /** What new files and folders in a folder begin with. */
  default: AccessList | undefined
}

export type Acl = ReturnType<typeof createAcl>

const SLOW = { timeout: 120_000, maxBytes: 64 << 20 }

/** `inSession`: for a task, so that what it started ends together with it. */
export function createAcl(tool: Tool, { inSession = false } = {}) {
  return {
    /** Whether both programs are there. */
    isInstalled: () => tool.identity?.('getfacl') !== '' && tool.identity?.('setfacl') !== '',

    /** The lists of these files, in the same order; undefined for one that could not be read. */
    async read(files: readonly string[]): Promise<(Lists | undefined)[]> {
      if (files.length === 0) return []
      const args = ['--absolute-names', '--numeric', '--', ...files]
      const { stdout } = await tool('getfacl', args, { ...SLOW, inSession, accept: [1] })
      const found = readLists(stdout, args)
      return files.map((file) => found.get(file))
    },

    /** Gives these files exactly these lists. Returns the reason for each that was refused. */
    async write(files: readonly string[], lists: Lists): Promise<Map<string, string>> {
      if (files.length === 0) return new Map()
      const args = ['--remove-default', '--set-file=-', '--', ...files]
      const input = formatLists(lists)
      const { stderr, status } = await tool('setfacl', args, { ...SLOW, inSession, input, accept: [1] })
      const refused = new Map<string, string>()
      for (const line of stderr.split('\n')) {
        const [, file = '', reason = ''] = /^setfacl: ([^:]+): (.+)$/.exec(line) ?? []
        if (files.includes(file)) refused.set(file, reason)
      }
      // A failure that names none of them is one of the program.
      if (status !== 0 && refused.size === 0) throw new CommandError(['setfacl', ...args], 'status', stderr, status)
      return refused
    },
  }
}

export const letters = (rights: Rights) => `${rights & 4 ? 'r' : '-'}${rights & 2 ? 'w' : '-'}${rights & 1 ? 'x' : '-'}`
export const fromLetters = (text: string): Rights =>
  (text[0] === 'r' ? 4 : 0) + (text[1] === 'w' ? 2 : 0) + (text[2] === 'x' ? 1 : 0)

/** acl(5): a list with named entries has a mask; by default it allows what any of them allows. */
export const maskOf = ({ group, mask, named }: Omit<AccessList, 'user' | 'other'>): Rights | undefined =>
  mask ?? (named.length > 0 ? named.reduce((all, { rights }) => all | rights, group) : undefined)

/** The permission bits that `stat` shows for a list: those of the group are the mask's. */
export const bitsOf = (list: AccessList): number => (list.user << 6) | ((maskOf(list) ?? list.group) << 3) | list.other

export const formatLists = (lists: Lists): string =>
  formatList(lists.access, '') + (lists.default ? formatList(lists.default, 'default:') : '')

function formatList(list: AccessList, prefix: string): string {
  const mask = maskOf(list)
  return [
    `user::${letters(list.user)}`,
    ...list.named.map(({ type, id, rights }) => `${type}:${id}:${letters(rights)}`),
    `group::${letters(list.group)}`,
    ...(mask === undefined ? [] : [`mask::${letters(mask)}`]),
    `other::${letters(list.other)}`,
  ]
    .map((line) => `${prefix}${line}\n`)
    .join('')
}

const ENTRY = /^(default:)?(user|group|mask|other):(\d*):([r-][w-][x-])(?:\s+#effective:.*)?$/

/** The output of `getfacl` by file. Files that it could not read are missing in it. */
export function readLists(text: string, args: string[]): Map<string, Lists> {
  const found = new Map<string, Lists>()
  for (const block of text.split(/\n\n/)) {
    const lines = block.split('\n').filter(Boolean)
    const file = lines.find((line) => line.startsWith('# file: '))?.slice(8)
    if (file === undefined) continue
    const entries = lines.filter((line) => !line.startsWith('#'))
    const access = readList(entries, '', args)
    const inherited = readList(entries, 'default:', args)
    if (!access) throw garbled(args)
    found.set(file, { access, default: inherited })
  }
  return found
}

const garbled = (args: string[]) =>
  new CommandError(['getfacl', ...args], 'status', 'getfacl gave no answer that can be read', 0)

function readList(lines: string[], prefix: string, args: string[]): AccessList | undefined {
  const base: Record<string, Rights> = {}
  const named: NamedEntry[] = []
  for (const line of lines) {
    const [, inherited = '', type = '', id = '', rights = ''] = ENTRY.exec(line) ?? []
    if (type === '') throw garbled(args)
    if (inherited !== prefix) continue
    if (id === '') base[type] = fromLetters(rights)
    else if (type === 'user' || type === 'group') named.push({ type, id: Number(id), rights: fromLetters(rights) })
    else throw garbled(args)
  }
  const { user, group, other, mask } = base
  if (user === undefined || group === undefined || other === undefined) return undefined
  return { user, group, other, mask, named }
}
