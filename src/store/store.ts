// Where values of ours are kept: what a second implementation (a database, a cluster) would have to do. test/unit/store-suite.ts says the same
// in tests. What the kernel, ZFS or Samba knows is asked from them, never kept here.
import { createHash } from 'node:crypto'
import { changed, exists, invalid } from '../errors.ts'
import { canonicalJson } from './canonical-json.ts'

export interface Entry<T> {
  value: T
  /** Another one once the value has changed. */
  version: string
}

export interface Change<T> {
  key: string
  /** Undefined when it was deleted. */
  entry: Entry<T> | undefined
}

/** Values by the key that each of them holds. What is resolved is on the disk. */
export interface Store<T> {
  get: (key: string) => Promise<Entry<T> | undefined>
  /** `expected`: the version that has to be there, or null for none. Left out, whatever is there is replaced. */
  put: (value: T, expected?: string | null) => Promise<Entry<T>>
  /** Resolves to whether it was there. */
  delete: (key: string, expected?: string) => Promise<boolean>
  /** In the order in which they were first put. */
  list: () => Promise<Entry<T>[]>
  /** Changes several values in one step, or none when `edit` throws. It works on a copy, and may be called again after a conflict. */
  change: <R>(edit: (values: T[]) => R) => Promise<R>
  /** Calls `listener` after each change, by other processes, too; changes that follow each other closely may come as one. Returns how to stop. */
  watch: (listener: (change: Change<T>) => void) => () => void
  /** What this process knows to be there, without waiting: for the path of every request. Not to be changed. */
  all: () => readonly T[]
}

const KEY = /^(?!\.{1,2}$)[\w.~-]{1,128}$/

export function checkKey(key: string): string {
  if (!KEY.test(key)) throw invalid('Expected a key of 1 to 128 letters, digits and . _ ~ -')
  return key
}

export const versionOf = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(value))))
    .digest('base64url')

/** Throws unless what is there is what a writer expects. */
export function checkVersion(there: unknown, expected: string | null | undefined): void {
  if (expected === undefined) return
  if (expected === null && there !== undefined) throw exists('It is there already')
  if (expected !== null && (there === undefined || versionOf(there) !== expected))
    throw changed('It was changed meanwhile, or does not exist')
}
