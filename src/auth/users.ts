// The accounts: one file, `<state>/users.json`, read again whenever it has changed, for example by `edge-admin user`;
// and the file of the one-time password.
import { randomBytes, randomInt } from 'node:crypto'
import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { ApiError } from '../errors.ts'
import type { Folders } from '../folders.ts'
import { readText, syncFolder, writeAtomic } from '../store/atomic.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { FileStore } from '../store/file-store.ts'
import { hashPasswordNow } from './password.ts'
import { ROLES } from './principal.ts'

export const StoredUser = z.strictObject({
  id: z.string(),
  username: z.string(),
  email: z.string().optional(),
  role: z.enum(ROLES),
  active: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  hash: z.string(),
  /** Tokens carry the generation in which they were issued; a new one ends all of them. */
  generation: z.int(),
  /** Tokens that were logged out: their id, and the second since 1970 at which they would have expired. */
  ended: z.array(z.tuple([z.string(), z.int()])),
  /** Anything issued up to then is invalid, whatever the clock says, so ended tokens from before need not be kept. */
  floor: z.tuple([z.int(), z.int()]).optional(),
  /** Whether the password is still the one-time password. */
  one_time: z.literal(true).optional(),
})
export type StoredUser = z.infer<typeof StoredUser>

export const newUserId = () => `user-${randomBytes(8).toString('hex')}`

export class UserStore {
  private readonly file: string
  private readonly passwordFile: string
  private readonly users: FileStore<StoredUser>

  constructor(folders: Folders) {
    this.file = join(folders.state, 'users.json')
    this.passwordFile = join(folders.state, 'admin.password')
    this.users = new FileStore({
      file: this.file,
      schema: StoredUser,
      keyOf: ({ id }) => id,
      member: 'users',
      // A damaged file must not count as empty: that would create a new administrator.
      damaged: { expected: 'a list of accounts' },
    })
  }

  /**
   * Creates `admin` with a one-time password if there are no accounts yet. Returns the password's file while that
   * password is valid.
   */
  prepare(): string | undefined {
    if (lstatSync(this.file, { throwIfNoEntry: false })) this.dropPassword(this.all())
    else this.makeFirst()
    return readText(this.passwordFile) === undefined ? undefined : this.passwordFile
  }

  private makeFirst(): void {
    // After a crash between the two writes, reuse the one-time password already on disk.
    const password = readText(this.passwordFile)?.trim() || oneTimePassword()
    writeAtomic(this.passwordFile, `${password}\n`, 0o600)
    checkpoint('accounts-password-written')
    const now = new Date().toISOString()
    const admin: StoredUser = {
      id: newUserId(),
      username: 'admin',
      role: 'administrator',
      active: true,
      created_at: now,
      updated_at: now,
      hash: hashPasswordNow(password),
      generation: 1,
      ended: [],
      one_time: true,
    }
    this.write((users) => void users.push(admin))
  }

  all(): readonly StoredUser[] {
    return this.users.all()
  }

  byId(id: string): StoredUser | undefined {
    return this.all().find((user) => user.id === id)
  }

  /** Names are compared without case. */
  byName(name: string): StoredUser | undefined {
    const wanted = name.toLowerCase()
    return this.all().find(({ username }) => username.toLowerCase() === wanted)
  }

  /**
   * Changes a copy of the list and stores it, unless no active administrator would be left. If `edit` throws, nothing
   * changes.
   */
  change<T>(edit: (users: StoredUser[]) => T): T {
    return this.write((users) => {
      const before = users.some(administers)
      const result = edit(users)
      if (before && !users.some(administers))
        throw new ApiError('failed-precondition', 'The last active administrator must remain')
      return result
    })
  }

  private write<T>(edit: (users: StoredUser[]) => T): T {
    const result = this.users.changeNow((users) => {
      const edited = edit(users)
      checkpoint('accounts-changing')
      return edited
    })
    checkpoint('accounts-stored')
    this.dropPassword(this.all())
    return result
  }

  /** The file exists exactly as long as its password is valid. */
  private dropPassword(users: readonly StoredUser[]): void {
    if (users.some(({ one_time }) => one_time) || !lstatSync(this.passwordFile, { throwIfNoEntry: false })) return
    rmSync(this.passwordFile)
    syncFolder(join(this.passwordFile, '..'))
  }
}

const administers = ({ role, active }: StoredUser) => role === 'administrator' && active

/** 24 letters and digits, without lookalikes: 116 bits, and conforming to the password rules. */
export function oneTimePassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'
  for (;;) {
    const text = Array.from({ length: 24 }, () => alphabet[randomInt(alphabet.length)]).join('')
    if (/[a-z]/.test(text) && /[0-9]/.test(text)) return text
  }
}
