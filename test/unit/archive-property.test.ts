// SEC-16, the screen of backup archives against real tar programs: whatever passes, GNU tar and busybox unpack to the
// same tree, and inside their folder. Were nearly everything refused, this would hold for nothing; so the archives that
// pass are counted.
import { spawnSync } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { type ArchiveEntry, plainArchive, screenArchive } from '../../src/features/backup/archive.ts'
import { FUZZ, runs } from '../harness/fuzz.ts'
import { END, entry, GNU, header, long, pax, type Raw, record, USTAR, ZEROS } from './tar-builder.ts'

const PROGRAMS = [
  ['tar', '-xf', '-'],
  ['busybox', 'tar', '-xf', '-'],
]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-property-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// ---- archives, mostly good ones with something wicked here and there

const sometimes = <T, U>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<U>, one = 12) =>
  fc.oneof({ arbitrary: good, weight: one }, { arbitrary: bad, weight: 1 })
const step = sometimes(
  fc.constantFrom('a', 'b', 'c', 'd', 'n'.repeat(120), '\xc3\xbc'),
  fc.constantFrom('..', '.', '', 'A', '\n'),
  40,
)
const path = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join('/'))
const name = fc
  .tuple(sometimes(fc.constantFrom('', './'), fc.constantFrom('/', '../'), 30), path)
  .map(([start, rest]) => start + rest)
const target = fc.oneof(
  path,
  fc.constantFrom('..', '../a', '../../b', '/etc/passwd', 'a/../../..', '../outside/canary', 'a'),
)
const smuggled = header({ name: '../smuggled' }).toString('latin1')

const shape: fc.Arbitrary<Raw> = fc.record({
  name,
  type: sometimes(
    fc.constantFrom('0', '0', '0', '5', '5', '2', '1', '\0'),
    fc.constantFrom('3', '6', '7', 'S', 'D', 'g'),
    40,
  ),
  link: target,
  content: fc.constantFrom('', 'x', 'y'.repeat(600), smuggled),
})

/** The entry with whatever of it does not suit its type, or without. */
const proper = (raw: Raw): Raw => {
  const link = raw.type === '1' || raw.type === '2' ? raw.link : ''
  const content = raw.type === '0' || raw.type === '\0' ? raw.content : ''
  return { ...raw, link, content, mode: raw.type === '5' ? '0000755\0' : '0000644\0' }
}
const block: fc.Arbitrary<Buffer> = fc
  .tuple(
    sometimes(shape.map(proper), shape, 30),
    fc.constantFrom('plain', 'plain', 'gnu', 'long', 'prefix', 'pax'),
    sometimes(
      fc.constant(undefined),
      fc.constantFrom('pax-path', 'pax-size', 'global', 'gnu-prefix', 'zeros', 'mode', 'size'),
      25,
    ),
  )
  .map(([raw, form, trick]) => Buffer.concat([written(raw, form), tricked(trick)]))

function written(raw: Raw, form: string): Buffer {
  const { name = '', link = '' } = raw
  const slash = name.indexOf('/')
  const longLink = link.length > 100 ? [long(link, 'K')] : []
  if (form === 'prefix' && slash > 0) {
    return Buffer.concat([...longLink, entry({ ...raw, prefix: name.slice(0, slash), name: name.slice(slash + 1) })])
  }
  if (form === 'pax') {
    // The name of the entry itself is another one: no program but ours needs to understand the header.
    const linkpath = link === '' ? '' : record('linkpath', link)
    return Buffer.concat([
      pax(record('path', name) + linkpath),
      entry({ ...raw, name: 'unused', link: link && 'unused' }),
    ])
  }
  const longName = form === 'long' || name.length > 100 ? [long(name)] : []
  return Buffer.concat([...longLink, ...longName, entry({ ...raw, magic: form === 'gnu' ? GNU : USTAR })])
}

function tricked(trick: string | undefined): Buffer {
  switch (trick) {
    case 'pax-path':
      return Buffer.concat([pax(record('path', '../outside/x')), entry({ name: 'p' })])
    case 'pax-size':
      return Buffer.concat([pax(record('size', '0')), entry({ name: 'q', content: smuggled })])
    case 'global':
      return pax(record('path', '../outside/x'), 'g')
    case 'gnu-prefix':
      return entry({ name: 'r', magic: GNU, prefix: '../outside' })
    case 'zeros':
      return ZEROS
    case 'mode':
      return entry({ name: 'm', mode: '0006755\0' })
    case 'size':
      return entry({ name: 's', size: '\x80\0\0\0\0\0\0\0\0\0\0\0' })
    default:
      return Buffer.alloc(0)
  }
}

const archives = fc
  .tuple(
    fc.array(block, { minLength: 1, maxLength: 6 }),
    sometimes(fc.constant(END), fc.constantFrom(ZEROS, Buffer.alloc(0)), 40),
  )
  .map(([blocks, end]) => Buffer.concat([...blocks, end]))

// ---- what happened

async function plain(bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  const out = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  await plainArchive(Readable.from([bytes]), { entries: 100, bytes: 1e6, depth: 8 }, out)
  return Buffer.concat(chunks)
}

async function screen(bytes: Buffer): Promise<ArchiveEntry[] | undefined> {
  const seen: ArchiveEntry[] = []
  try {
    await screenArchive(Readable.from([bytes]), { entries: 100, bytes: 1e6, depth: 8 }, (one) => seen.push(one))
    return seen
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'invalid') return undefined
    throw error
  }
}

/** The tree that the screen promised: names with their type, and the size of files. */
function promised(entries: ArchiveEntry[]): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const { name, type, size } of entries) {
    const plain = name.replace(/^(\.\/)+/, '').replace(/\/$/, '')
    for (let up = dirname(plain); up !== '.'; up = dirname(up)) tree[up] = 'folder'
    if (plain !== '' && plain !== '.')
      tree[plain] = type === 'directory' ? 'folder' : type === 'symlink' ? 'link' : type === 'link' ? 'hard' : `${size}`
  }
  return tree
}

function found(root: string, under = ''): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const child of readdirSync(join(root, under))) {
    const at = under === '' ? child : `${under}/${child}`
    const stat = lstatSync(join(root, at))
    tree[at] = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : stat.isFile() ? `${stat.size}` : 'other'
    if (stat.isDirectory()) Object.assign(tree, found(root, at))
    if (stat.isSymbolicLink()) expect(resolve(root, dirname(at), readlinkSync(join(root, at)))).toSatisfy(inside(root))
    expect(stat.mode & 0o6000).toBe(0)
  }
  return tree
}
const inside = (root: string) => (place: string) => place === root || place.startsWith(`${root}/`)

it(
  'SEC-16 no archive that passes makes a real tar write outside its folder, or anything that was not screened',
  async () => {
    let passed = 0
    let entries = 0
    await fc.assert(
      fc.asyncProperty(archives, async (bytes) => {
        const seen = await screen(bytes)
        if (seen === undefined) return
        passed++
        entries += seen.length
        const input = await plain(bytes)
        for (const [program, ...options] of PROGRAMS) {
          const place = mkdtempSync(join(folder, 'run-'))
          mkdirSync(join(place, 'in'))
          mkdirSync(join(place, 'outside'))
          writeFileSync(join(place, 'outside/canary'), 'alive')
          const run = spawnSync(program!, options, { cwd: join(place, 'in'), input })
          expect(`${run.stderr}`).toBe('')
          expect(run.status).toBe(0)
          const tree = found(join(place, 'in'))
          const expected = promised(seen)
          // A hard link has the size of the file that it names.
          for (const [at, kind] of Object.entries(expected)) if (kind === 'hard') expected[at] = tree[at] ?? 'missing'
          expect(tree).toEqual(expected)
          expect(readdirSync(place).sort()).toEqual(['in', 'outside'])
          expect(readdirSync(join(place, 'outside'))).toEqual(['canary'])
          expect(readFileSync(join(place, 'outside/canary'), 'utf8')).toBe('alive')
          expect(lstatSync(join(place, 'outside/canary')).nlink).toBe(1)
          rmSync(place, { recursive: true })
        }
      }),
      { numRuns: runs(1000) },
    )
    expect(passed).toBeGreaterThan(100)
    expect(entries / passed).toBeGreaterThan(1.5)
  },
  240_000 * FUZZ,
)

it('SEC-16 no bytes at all make the screen fail in another way than by refusing', async () => {
  const flipped = fc.tuple(archives, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([bytes, at, by]) => {
    const damaged = Buffer.from(bytes)
    if (damaged.length > 0) damaged[at % damaged.length]! ^= by
    return damaged
  })
  const any = fc.oneof(flipped, fc.uint8Array({ maxLength: 2048 }).map(Buffer.from))
  await fc.assert(
    fc.asyncProperty(any, async (bytes) => {
      await screen(bytes)
    }),
    { numRuns: runs(2000) },
  )
})
