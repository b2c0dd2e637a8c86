// What is kept of share users and groups: `<state>/share-accounts.json`, for root alone, since it holds password hashes.
// A removed account leaves its number behind: files, snapshots and backups may still carry it, so it is never given to
// another account. All numbers are also in a second file, so that an older copy of the first one, put back by hand,
// frees none.
import { join } from 'node:path'
import * as z from 'zod'
import { ApiError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { FileStore } from '../../store/file-store.ts'

const Id = z.int().min(1000).max(0x7fff_fffe)
const common = { id: Id, name: z.string(), created_at: z.string(), updated_at: z.string() }

const UserRecord = z.strictObject({
  kind: z.literal('user'),
  ...common,
  /** The primary group. */
  gid: Id,
  full_name: z.string(),
  enabled: z.boolean(),
  hash: z.string().regex(/^[0-9A-F]{32}$/),
  /** When the password was set, in seconds since 1970, as Samba has it. */
  changed: z.int(),
})
const GroupRecord = z.strictObject({
  kind: z.literal('group'),
  ...common,
  description: z.string(),
  /** The IDs of its users. */
  members: z.array(Id),
  /** The primary group of all share users. */
  primary: z.literal(true).optional(),
})
const GoneRecord = z.strictObject({ kind: z.enum(['gone-user', 'gone-group']), ...common })
export const AccountRecord = z.discriminatedUnion('kind', [UserRecord, GroupRecord, GoneRecord])

export type UserRecord = z.infer<typeof UserRecord>
export type GroupRecord = z.infer<typeof GroupRecord>
export type AccountRecord = z.infer<typeof AccountRecord>
export type AccountStore = FileStore<AccountRecord>

export const accountsFile = (folders: Pick<Folders, 'state'>) => join(folders.state, 'share-accounts.json')

export const openAccountStore = (folders: Pick<Folders, 'state'>): AccountStore =>
  new FileStore({
    file: accountsFile(folders),
    schema: AccountRecord,
    keyOf: ({ kind, id }) => `${kind}-${id}`,
    member: 'accounts',
    // A damaged file must not count as empty: numbers would be given out a second time.
    damaged: { expected: 'a list of share users and groups' },
    soleWriter: true,
  })

/** Every number that was ever given to an account here. */
export type GivenNumbers = FileStore<number>

export const openGivenNumbers = (folders: Pick<Folders, 'state'>): GivenNumbers =>
  new FileStore({
    file: join(folders.state, 'share-accounts', 'numbers.json'),
    schema: Id,
    keyOf: String,
    member: 'given',
    damaged: { expected: 'the numbers of share users and groups' },
    soleWriter: true,
  })

/** Adds the numbers of these accounts. Writes only where one is missing. */
export function keepNumbers(given: GivenNumbers, all: readonly { id: number }[]): void {
  if (all.length === 0) return
  const kept = new Set(given.all())
  const missing = [...new Set(all.map(({ id }) => id))].filter((id) => !kept.has(id))
  if (missing.length > 0) given.changeNow((numbers) => void numbers.push(...missing))
}

export const usersOf = (all: readonly AccountRecord[]): UserRecord[] => all.filter((one) => one.kind === 'user')
export const groupsOf = (all: readonly AccountRecord[]): GroupRecord[] => all.filter((one) => one.kind === 'group')

export interface IdRange {
  first: number
  last: number
}

/** Enough to get past a few that are taken, in one question. */
const AT_ONCE = 32

/**
 * Numbers above those that share accounts have or had (`given`), and that are not among `taken`, the lowest first. Users
 * and groups share one row of numbers.
 */
export function nextIds(given: Iterable<number>, taken: ReadonlySet<number>, { first, last }: IdRange): number[] {
  const used = new Set(given)
  const highest = Math.max(first - 1, ...[...used].filter((id) => id >= first && id <= last))
  const found: number[] = []
  for (let id = highest + 1; id <= last && found.length < AT_ONCE; id++)
    if (!used.has(id) && !taken.has(id)) found.push(id)
  if (found.length > 0) return found
  throw new ApiError(
    'failed-precondition',
    'All numbers for share users and groups have been given out: raise "storage"."share-ids"."last" in the configuration',
  )
}
