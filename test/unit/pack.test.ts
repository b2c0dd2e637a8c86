// The archive of a backup while its files change. What is archived has to have the length that its header says, or all
// that follows is lost; so each of these is read again by the screen.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { screenArchive } from '../../src/features/backup/archive.ts'
import { hopeless, packTree, shownName } from '../../src/features/backup/pack.ts'
import { WrappedFolder } from '../../src/features/backup/wrapped-folder.ts'

const LIMITS = { entries: 100, bytes: 1 << 24, depth: 10 }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pack-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Packs `names`; `meanwhile` runs once the first header is written. */
async function pack(names: string[], meanwhile = () => {}, limits = LIMITS) {
  const chunks: Buffer[] = []
  const notes: string[] = []
  const write = (bytes: Buffer) => {
    chunks.push(Buffer.from(bytes))
    if (chunks.length === 1) meanwhile()
  }
  const { size } = packTree(names, { folder, limits, write, note: (name, what) => notes.push(`${name}: ${what}`) })
  const archive = Buffer.concat(chunks)
  expect(archive.length).toBe(size)
  expect(packTree(names, { folder, limits, note() {} }).entries).toBeGreaterThan(0)
  const seen: [string, number][] = []
  await screenArchive(Readable.from([archive]), LIMITS, ({ name, size }) => seen.push([name, size]))
  return { seen, notes, archive }
}

it('fills up a file that becomes shorter, and takes no more of one that grows', async () => {
  const at = (name: string) => join(folder, name)
  writeFileSync(at('a-shrinks'), Buffer.alloc(3 << 20, 'x'))
  writeFileSync(at('b'), 'after')
  const shrunk = await pack(['a-shrinks', 'b'], () => truncateSync(at('a-shrinks'), 1000))
  expect(shrunk.seen).toEqual([
    ['a-shrinks', 3 << 20],
    ['b', 5],
  ])
  expect(shrunk.notes).toEqual(['a-shrinks: became shorter while it was read, and is filled up with zeros'])
  expect(shrunk.archive.subarray(512 + 999, 512 + 1002).toString('latin1')).toBe('x\0\0')
  writeFileSync(at('a-shrinks'), 'short')
  const grown = await pack(['a-shrinks', 'b'], () => writeFileSync(at('a-shrinks'), 'much longer than before'))
  expect([grown.seen, grown.notes]).toEqual([
    [
      ['a-shrinks', 5],
      ['b', 5],
    ],
    [],
  ])
})

it('goes on without a file that vanishes, and names it', async () => {
  mkdirSync(join(folder, 'd'))
  writeFileSync(join(folder, 'd/gone'), 'x')
  writeFileSync(join(folder, 'd/here'), 'x')
  const { seen, notes } = await pack(['d'], () => rmSync(join(folder, 'd/gone')))
  expect(seen.map(([name]) => name)).toEqual(['d/', 'd/here'])
  expect(notes).toEqual(['d/gone: left out: it went away meanwhile'])
})

it('refuses what could not be restored as a whole: at the limits it is taken, one above it is not', async () => {
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, name), '12345')
  const names = ['a', 'b', 'c']
  expect((await pack(names, undefined, { ...LIMITS, entries: 3, bytes: 15 })).seen).toHaveLength(3)
  for (const [limit, reason] of [
    [{ entries: 2 }, 'too many entries'],
    [{ bytes: 14 }, 'too many bytes'],
  ] as const) {
    const error = await pack(names, undefined, { ...LIMITS, ...limit }).catch((cause: unknown) => cause)
    expect(hopeless(error)).toBe(reason)
  }
})

it('shows a name of any bytes on one line', () => {
  expect(shownName('K\xc3\xa4\n')).toBe('"Kä\\n"')
  expect(shownName('K\xe4"')).toBe('"K\\xe4\\""')
})

it('knows an archive that holds the data folder itself', () => {
  const data = join(folder, 'srv/data')
  mkdirSync(data, { recursive: true })
  const holds = (...names: string[]) => {
    const wrapped = new WrappedFolder(data)
    for (const name of names) wrapped.see(name)
    try {
      wrapped.refuse()
      return false
    } catch {
      return true
    }
  }
  const whole = data.slice(1)
  expect(holds('data/', 'data/etc/', 'data/etc/app.conf')).toBe(true)
  expect(holds('./data/etc/app.conf')).toBe(true)
  expect(holds('srv/', 'srv/data/', 'srv/data/x')).toBe(true)
  expect(holds(`${whole}/x`)).toBe(true)
  expect(holds('./', 'etc/', 'etc/data/x')).toBe(false)
  expect(holds('data/x', 'etc/y')).toBe(false)
  expect(holds('database/x')).toBe(false)
  expect(holds('data/')).toBe(false)
  mkdirSync(join(data, 'data'))
  expect(holds('data/x')).toBe(false)
})
