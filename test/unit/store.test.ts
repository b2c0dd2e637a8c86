// The suite of all stores for the one in a file and for one in memory, and what only a file can do wrong.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileStore, type FileStoreOptions } from '../../src/store/file-store.ts'
import { type Change, checkKey, checkVersion, type Store, versionOf } from '../../src/store/store.ts'
import { lockHeld } from '../harness/lock-held.ts'
import { Sample, storeSuite } from './store-suite.ts'

const temporary = () => mkdtempSync(join(tmpdir(), 'edge-admin-'))
const opened = (folder: string, more: Partial<FileStoreOptions<Sample>> = {}) =>
  new FileStore<Sample>({
    ...{ file: join(folder, 'things.json'), schema: Sample, keyOf: ({ id }) => id, damaged: 'skip' },
    ...more,
  })

storeSuite('a store in a file', () => {
  const folder = temporary()
  return { open: () => opened(folder), remove: () => rmSync(folder, { recursive: true }) }
})

/** The least that the suite lets pass: what a test of something else may use. */
class MemoryStore implements Store<Sample> {
  private readonly shared: { values: Sample[]; listeners: Set<(change: Change<Sample>) => void> }
  constructor(shared: { values: Sample[]; listeners: Set<(change: Change<Sample>) => void> }) {
    this.shared = shared
  }
  all = () => this.shared.values
  get = async (key: string) => this.entry(checkKey(key))
  list = async () => this.shared.values.map(({ id }) => this.entry(id)!)
  put = async (value: Sample, expected?: string | null) => {
    const key = checkKey(value.id)
    await this.change((values) => {
      const at = values.findIndex(({ id }) => id === key)
      checkVersion(values[at], expected)
      values.splice(at < 0 ? values.length : at, 1, value)
    })
    return this.entry(key)!
  }
  delete = async (key: string, expected?: string) => {
    checkKey(key)
    return this.change((values) => {
      const at = values.findIndex(({ id }) => id === key)
      checkVersion(values[at], expected)
      return at >= 0 && values.splice(at, 1).length > 0
    })
  }
  change = async <R>(edit: (values: Sample[]) => R) => {
    const before = this.shared.values
    const values = structuredClone(before)
    const result = edit(values)
    this.shared.values = values.map((value) => structuredClone(Sample.parse(value)))
    for (const key of new Set([...before, ...values].map(({ id }) => id))) {
      const was = before.find(({ id }) => id === key)
      const entry = this.entry(key)
      if (was && entry && versionOf(was) === entry.version) continue
      for (const listener of this.shared.listeners) listener({ key, entry })
    }
    return result
  }
  watch = (listener: (change: Change<Sample>) => void) => {
    this.shared.listeners.add(listener)
    return () => void this.shared.listeners.delete(listener)
  }
  private entry(key: string) {
    const value = this.shared.values.find(({ id }) => id === key)
    return value && { value: structuredClone(value), version: versionOf(value) }
  }
}

storeSuite('a store in memory', () => {
  const shared = { values: [], listeners: new Set<(change: Change<Sample>) => void>() }
  return { open: () => new MemoryStore(shared), remove: () => {} }
})

describe('the file of a store', () => {
  let folder: string
  beforeEach(() => {
    folder = temporary()
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const file = () => join(folder, 'things.json')
  const text = () => readFileSync(file(), 'utf8')

  it('is a list, or has it as a member, and nothing beside it is left behind', async () => {
    await opened(folder).put({ id: 'a', size: 1 })
    expect(text()).toBe('[{"id":"a","size":1}]\n')
    const named = opened(folder, { file: join(folder, 'named.json'), member: 'things' })
    await named.put({ id: 'a', size: 1 })
    expect(readFileSync(join(folder, 'named.json'), 'utf8')).toBe('{"things":[{"id":"a","size":1}]}\n')
    expect(readdirSync(folder).sort()).toEqual(['named.json', 'things.json'])
  })

  it('that is damaged is read as far as it goes, or refused and left as it is', async () => {
    const strict = opened(folder, { damaged: { expected: 'a list of things' } })
    for (const damaged of ['', '{', '{}', 'null', '[null,{"id":"a","size":1},{"id":"b"}]']) {
      writeFileSync(file(), damaged)
      expect([damaged, opened(folder).all().length]).toEqual([damaged, damaged.startsWith('[') ? 1 : 0])
      expect(() => strict.all()).toThrow('things.json: not a list of things')
      await expect(strict.put({ id: 'c', size: 1 })).rejects.toThrow('not a list of things')
      expect(text()).toBe(damaged)
    }
  })

  it('that cannot be written stays, and nobody is told of a change', async () => {
    const store = opened(folder)
    await store.put({ id: 'a', size: 1 })
    renameSync(file(), join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), file())
    const heard: unknown[] = []
    const stop = store.watch((change) => heard.push(change))
    await expect(store.put({ id: 'a', size: 2 })).rejects.toThrow('not a regular file')
    expect([store.all(), heard]).toEqual([[{ id: 'a', size: 1 }], []])
    stop()
  })

  it('is read again once the lock is there: another process may have changed it while this one waited', async () => {
    const [store, other] = [opened(folder), join(folder, 'other.json')]
    await store.put({ id: 'a', size: 1 })
    writeFileSync(other, '[{"id":"a","size":1},{"id":"b","size":2}]')
    expect(store.all()).toHaveLength(1)
    // In the same turn of the event loop, as while a request waits for the lock.
    spawnSync('mv', [other, file()])
    store.changeNow((values) => void values.push({ id: 'c', size: 3 }))
    expect(store.all().map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  it('is written only while no other process holds the lock of its folder', async () => {
    const store = opened(folder)
    const release = await lockHeld(folder)
    const refused = store.put({ id: 'a', size: 1 })
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable' })
    expect(readdirSync(folder)).toEqual([])
    // One that only the server writes takes no lock.
    const own = opened(folder, { file: join(folder, 'own.json'), soleWriter: true })
    expect(await own.put({ id: 'a', size: 1 })).toMatchObject({ value: { id: 'a' } })
    await release()
    await store.put({ id: 'a', size: 1 })
    expect(store.all()).toHaveLength(1)
  })
})
