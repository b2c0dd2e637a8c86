// A store in one JSON file, which holds the list of its values. Small ones only: each change writes the whole file anew. The trap: `changeNow`
// is one synchronous step from reading to the renamed file; an `await` inside it would let one writer overwrite what another has just stored.
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type * as z from 'zod'
import { readJson, writeAtomic } from './atomic.ts'
import { CachedFile } from './cached-file.ts'
import { exclusively } from './lock.ts'
import { type Change, checkKey, checkVersion, type Entry, type Store, versionOf } from './store.ts'

export interface FileStoreOptions<T> {
  file: string
  /** Every value is checked against it, when it is read and when it is written. */
  schema: z.ZodType<T>
  keyOf: (value: T) => string
  /** The member of the document that holds the list; left out, the document is the list. */
  member?: string
  /** A damaged file: read as far as it goes, or refused, with these words for what it should be. */
  damaged: 'skip' | { expected: string }
  /** Only the server writes it, which has the state folder to itself: no lock is taken, so no other program can hold up a request. */
  soleWriter?: boolean
}

const entryOf = <T>(value: T): Entry<T> => ({ value: structuredClone(value), version: versionOf(value) })

export class FileStore<T> implements Store<T> {
  private readonly options: FileStoreOptions<T>
  private readonly values: CachedFile<readonly T[]>
  private readonly listeners = new Set<(change: Change<T>) => void>()
  private watcher: FSWatcher | undefined
  /** The versions that listeners know of, by key. */
  private told = new Map<string, string>()

  constructor(options: FileStoreOptions<T>) {
    this.options = options
    this.values = new CachedFile(options.file, (there) => (there ? this.read() : []))
  }

  all(): readonly T[] {
    return this.values.get()
  }

  async get(key: string): Promise<Entry<T> | undefined> {
    const value = this.all()[this.indexOf(this.all(), checkKey(key))]
    return value === undefined ? undefined : entryOf(value)
  }

  async list(): Promise<Entry<T>[]> {
    return this.all().map(entryOf)
  }

  async put(value: T, expected?: string | null): Promise<Entry<T>> {
    const key = checkKey(this.options.keyOf(value))
    return this.changeNow((values) => {
      const at = this.indexOf(values, key)
      checkVersion(values[at], expected)
      values.splice(at < 0 ? values.length : at, 1, value)
      return entryOf(value)
    })
  }

  async delete(key: string, expected?: string): Promise<boolean> {
    checkKey(key)
    return this.changeNow((values) => {
      const at = this.indexOf(values, key)
      checkVersion(values[at], expected)
      return at >= 0 && values.splice(at, 1).length > 0
    })
  }

  async change<R>(edit: (values: T[]) => R): Promise<R> {
    return this.changeNow(edit)
  }

  /** As `change`, done when it returns: for the path of a request, and for commands. No other writer is between reading and writing. */
  changeNow<R>(edit: (values: T[]) => R): R {
    const { file, schema, soleWriter } = this.options
    const store = () => {
      const values = structuredClone(this.all()) as T[]
      const edited = edit(values)
      for (const value of values) schema.parse(value)
      writeAtomic(file, `${JSON.stringify(this.document(values))}\n`, 0o600)
      return edited
    }
    const result = soleWriter ? store() : exclusively(dirname(file), store)
    this.tell()
    return result
  }

  watch(listener: (change: Change<T>) => void): () => void {
    if (this.listeners.size === 0) this.begin()
    this.listeners.add(listener)
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0) return
      this.watcher?.close()
      this.watcher = undefined
    }
  }

  private begin(): void {
    const { file } = this.options
    this.told = this.versions()
    // The folder: a file that is replaced takes its watch with it.
    this.watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === basename(file)) this.tell()
    })
    // Without the kernel's help listeners still learn of changes by this process.
    this.watcher.on('error', () => {})
  }

  private tell(): void {
    if (this.listeners.size === 0) return
    const before = this.told
    try {
      this.told = this.versions()
    } catch {
      // A file that cannot be read is refused where its values are needed.
      return
    }
    const now = this.told
    for (const key of new Set([...before.keys(), ...now.keys()])) {
      if (before.get(key) === now.get(key)) continue
      const value = this.all()[this.indexOf(this.all(), key)]
      for (const listener of this.listeners) listener({ key, entry: value === undefined ? undefined : entryOf(value) })
    }
  }

  private versions(): Map<string, string> {
    return new Map(this.all().map((value) => [this.options.keyOf(value), versionOf(value)]))
  }

  private indexOf(values: readonly T[], key: string): number {
    return values.findIndex((value) => this.options.keyOf(value) === key)
  }

  private document(values: readonly T[]): unknown {
    const { member } = this.options
    return member === undefined ? values : { [member]: values }
  }

  private read(): readonly T[] {
    const { file, schema, member, damaged } = this.options
    const found = readJson(file)
    const list = member === undefined ? found : (found as Record<string, unknown> | null | undefined)?.[member]
    const parsed = Array.isArray(list) ? list.map((one) => schema.safeParse(one)) : undefined
    const whole = parsed?.every(({ success }) => success)
    if (!whole && damaged !== 'skip') throw new Error(`${file}: not ${damaged.expected}`)
    return (parsed ?? []).flatMap(({ data }) => (data === undefined ? [] : [data]))
  }
}
