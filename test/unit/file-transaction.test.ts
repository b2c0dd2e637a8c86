// The swap: all new files or all old ones, whatever is killed and when. A kill inside this process would end the test,
// so kills hit the bundled command, `edge-admin swap`.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { swap } from '../../src/cli/swap.ts'
import { swapBack, swapDone, swapForeign, swapIn, swapKeep, swapSaved } from '../../src/store/file-transaction.ts'
import { runs } from '../harness/fuzz.ts'
import { secondDevice } from '../harness/second-device.ts'
import {
  type Content,
  checkpoints,
  installation,
  isRoot,
  plant,
  removeTemporary,
  temporaryFolder,
  tree,
} from '../scripts/harness.ts'

afterAll(removeTemporary)

let folder: string
let base: string
let dir: string
beforeEach(() => {
  folder = temporaryFolder()
  base = join(folder, 'base')
  dir = join(folder, 'swap')
  mkdirSync(base)
  mkdirSync(join(dir, 'new'), { recursive: true })
})
afterEach(() => {
  delete process.env['EDGE_FAULT']
})

const BEFORE: Content = {
  a: 'old a',
  keep: 'kept',
  sub: { b: 'old b', keep: 'kept' },
  link: { link: 'a' },
  was: { link: 'nowhere' },
}
const AFTER: Content = {
  a: 'new a',
  c: 'new c',
  sub: { b: 'new b' },
  link: 'a file now',
  was: { link: 'a' },
  made: { empty: {}, deep: { d: 'new d' } },
}
const bundle = (...args: string[]) => [join(installation(), 'edge-admin.js'), 'swap', ...args]
const child = (args: string[], fault = '') =>
  spawnSync(process.execPath, bundle(...args), { env: { EDGE_FAULT: fault }, encoding: 'utf8' })

function overlay(before: Record<string, string>, after: Record<string, string>) {
  return {
    ...before,
    ...Object.fromEntries(
      Object.entries(after).filter(([path, text]) => !(text.startsWith('folder') && path in before)),
    ),
  }
}

describe('a swap', () => {
  it('puts files and links in place, makes folders, and leaves the rest alone', () => {
    plant(base, BEFORE)
    plant(join(dir, 'new'), AFTER)
    const want = overlay(tree(base), tree(join(dir, 'new')))
    swapIn(dir, base)
    expect(tree(base)).toEqual(want)
  })

  it('puts everything back, also twice', () => {
    plant(base, BEFORE)
    const before = tree(base)
    const times = statSync(join(base, 'a')).mtimeMs
    plant(join(dir, 'new'), AFTER)
    swapIn(dir, base)
    swapBack(dir)
    expect(tree(base)).toEqual(before)
    expect(statSync(join(base, 'a')).mtimeMs).toBe(times)
    swapBack(dir)
    expect(tree(base)).toEqual(before)
  })

  it('names what is neither what it placed nor what it saved', () => {
    plant(base, BEFORE)
    plant(join(dir, 'new'), AFTER)
    expect([swapForeign(dir), swapSaved(dir, join(base, 'a'))]).toEqual([[], undefined])
    swapIn(dir, base, { knowsAgain: true })
    expect(swapForeign(dir)).toEqual([])
    expect(readFileSync(swapSaved(dir, join(base, 'a')) ?? '', 'utf8')).toBe('old a')
    expect(swapSaved(dir, join(base, 'made/deep/d'))).toBeUndefined()
    // Rights alone, and the old bytes in another file, are no other content.
    chmodSync(join(base, 'link'), 0o600)
    rmSync(join(base, 'a'))
    writeFileSync(join(base, 'a'), 'old a')
    expect(swapForeign(dir)).toEqual([])
    rmSync(join(base, 'a'))
    writeFileSync(join(base, 'made/deep/d'), 'of somebody else')
    rmSync(join(base, 'link'))
    mkdirSync(join(base, 'link'))
    expect(swapForeign(dir).sort()).toEqual(['a', 'link', 'made/deep/d'].map((name) => join(base, name)))
  })

  it('puts nothing back once it is done', () => {
    plant(base, BEFORE)
    plant(join(dir, 'new'), AFTER)
    swapIn(dir, base)
    const after = tree(base)
    swapDone(dir)
    expect([swapBack(dir), swapForeign(dir), tree(base)]).toEqual([false, [], after])
  })

  it('changes nothing when there is no plan to put back', () => {
    plant(base, BEFORE)
    const before = tree(base)
    swapBack(dir)
    swapBack(join(folder, 'nothing'))
    expect(tree(base)).toEqual(before)
  })

  it('keeps the mode of new files, but no set-id bits', () => {
    plant(join(dir, 'new'), { plain: 'x', tool: 'x' })
    chmodSync(join(dir, 'new/plain'), 0o604)
    chmodSync(join(dir, 'new/tool'), 0o4755)
    swapIn(dir, base)
    expect(lstatSync(join(base, 'plain')).mode & 0o7777).toBe(0o604)
    expect(lstatSync(join(base, 'tool')).mode & 0o7777).toBe(0o755)
  })

  it.skipIf(!isRoot)('gives a new file the owner of the one it replaces, else of its folder', () => {
    plant(base, { a: 'old', sub: {} })
    chownSync(join(base, 'a'), 1234, 2345)
    chownSync(join(base, 'sub'), 3456, 4567)
    plant(join(dir, 'new'), { a: 'new', sub: { b: 'new', made: { c: 'new' } } })
    swapIn(dir, base)
    const owner = (path: string) => [lstatSync(join(base, path)).uid, lstatSync(join(base, path)).gid]
    expect(['a', 'sub/b', 'sub/made', 'sub/made/c'].map(owner)).toEqual([
      [1234, 2345],
      [3456, 4567],
      [3456, 4567],
      [3456, 4567],
    ])
  })

  it('refuses, before anything changes, what cannot be put in place', () => {
    plant(base, { folder: { x: 'x' }, file: 'x', out: { link: folder }, dangling: { link: 'nowhere' } })
    plant(base, { 'to-file': { link: 'file' }, alias: { link: 'folder' }, own: { x: 'x' } })
    const before = tree(base)
    const wrong: Record<string, Content> = {
      'a folder is in the way': { a: 'fine', folder: 'x' },
      'not a folder': { a: 'fine', file: { x: 'x' } },
      'leads out of the base': { a: 'fine', out: { x: 'x' } },
      'no folder': { a: 'fine', dangling: { x: 'x' } },
    }
    const closed = [join(base, 'own'), join(base, 'none')]
    const cases: [string, Content][] = [
      ...Object.entries(wrong),
      // Nothing has to be in them.
      ['not a folder: to-file', { 'to-file': {} }],
      ['leads out of the base: out', { out: {} }],
      ['two names for one place: folder/x', { alias: { x: 'x' }, folder: { x: 'x' } }],
      ['two names for one place: folder/made', { alias: { made: {} }, folder: { made: {} } }],
      ["the appliance's own, not to be replaced: own", { own: { y: 'x' } }],
    ]
    for (const [text, content] of cases) {
      rmSync(join(dir, 'new'), { recursive: true })
      plant(join(dir, 'new'), content)
      expect(() => swapIn(dir, base, { closed })).toThrow(text)
      expect(existsSync(join(dir, 'plan.json'))).toBe(false)
      expect(tree(base)).toEqual(before)
    }
    rmSync(join(dir, 'new'), { recursive: true })
    mkdirSync(join(dir, 'new'))
    spawnSync('mkfifo', [join(dir, 'new/fifo')])
    expect(() => swapIn(dir, base)).toThrow('neither a file')
  })

  it('follows a link to a folder inside the base, and refuses its own files', () => {
    plant(base, { real: {}, alias: { link: 'real' } })
    plant(join(dir, 'new'), { alias: { x: 'new' } })
    swapIn(dir, base)
    expect(tree(base)['real/x']).toMatch(/^file/)
    swapBack(dir)
    expect(tree(base)).toEqual({ real: tree(base)['real'], alias: 'link real' })
    plant(join(dir, 'new'), { swap: { 'plan.json': 'x' } })
    expect(() => swapIn(dir, folder)).toThrow('its own files')
  })

  it('tells what it adds and what it replaces, before anything changes', () => {
    plant(base, { a: 'old', 'own-not': {} })
    plant(join(dir, 'new'), { a: 'new', b: 'new', made: { c: 'new' }, 'own-not': { d: 'new' } })
    const told: string[] = []
    const tell = (path: string, change: string) => void told.push(`${change} ${path} ${tree(base)['b'] ?? 'not yet'}`)
    // A name that only begins as a closed one is another.
    mkdirSync(join(base, 'own'))
    swapIn(dir, base, { closed: [join(base, 'own')], tell })
    expect(told).toEqual(['replace a not yet', 'add b not yet', 'add made/c not yet', 'add own-not/d not yet'])
  })

  it('is not put back over a folder that somebody made meanwhile', () => {
    plant(base, { a: 'old', b: 'old' })
    const old = tree(base)
    plant(join(dir, 'new'), { a: 'new', b: 'new' })
    swapIn(dir, base)
    rmSync(join(base, 'a'))
    plant(base, { a: { theirs: 'x' } })
    expect(() => swapBack(dir)).toThrow(`a folder is in the way: ${join(base, 'a')}`)
    // What can be put back is.
    expect([readFileSync(join(base, 'a/theirs'), 'utf8'), readFileSync(join(base, 'b'), 'utf8')]).toEqual(['x', 'old'])
    rmSync(join(base, 'a'), { recursive: true })
    swapBack(dir)
    expect(tree(base)).toEqual(old)
  })

  it('leaves alone what is as it was, also where it was kept as a copy: a disk may take nothing more', () => {
    plant(base, { a: 'old', b: 'old', c: 'old' })
    symlinkSync('a', join(base, 'link'))
    const paths = ['a', 'b', 'c', 'link'].map((name) => join(base, name))
    const numbers = () => paths.map((path) => lstatSync(path).ino)
    swapKeep(dir, paths)
    const before = numbers()
    writeFileSync(join(base, 'b'), 'new')
    chmodSync(join(base, 'c'), 0o600)
    swapBack(dir)
    expect(numbers().map((number, index) => number === before[index])).toEqual([true, false, false, true])
    expect([readFileSync(join(base, 'b'), 'utf8'), existsSync(join(dir, 'plan.json'))]).toEqual(['old', false])
  })

  it('cannot be put back by a plan that cannot be read', () => {
    writeFileSync(join(dir, 'plan.json'), '{')
    expect(() => swapBack(dir)).toThrow('the plan of this swap cannot be read')
    writeFileSync(join(dir, 'plan.json'), '{}')
    expect(() => swapBack(dir)).toThrow()
  })

  it('refuses a second swap in while the first can still be put back', () => {
    plant(join(dir, 'new'), { a: 'x' })
    swapIn(dir, base)
    expect(() => swapIn(dir, base)).toThrow('under way')
  })

  it('puts back what has another name by now, and leaves what others have put into a new folder', () => {
    plant(base, { a: 'old' })
    linkSync(join(base, 'a'), join(base, 'other-name'))
    const before = tree(base)
    plant(join(dir, 'new'), { a: 'new', made: { x: 'new' } })
    swapIn(dir, base)
    writeFileSync(join(base, 'made/theirs'), 'x')
    swapBack(dir)
    expect(readableTree(base, 'made')).toEqual(before)
    expect(Object.keys(tree(base))).toContain('made/theirs')
  })

  it('puts back what has room, and keeps no half of the rest', ({ skip }) => {
    const device = secondDevice()
    if (!device) return skip('there is no second device')
    const elsewhere = mkdtempSync(join(device, 'edge-admin-'))
    try {
      plant(base, { a: 'x'.repeat(1 << 20), b: 'old' })
      const old = tree(base)
      swapKeep(
        elsewhere,
        ['a', 'b'].map((file) => join(base, file)),
      )
      plant(base, { a: 'new', b: 'new' })
      // As a full disk does: no file may be longer than 64 KiB.
      const limited = [
        '-c',
        'ulimit -f 128; trap "" XFSZ; exec "$@"',
        'sh',
        process.execPath,
        ...bundle('back', elsewhere),
      ]
      const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8' })
      expect([status === 0, stderr]).toEqual([false, expect.stringContaining('EFBIG')])
      expect(readdirSync(base).sort()).toEqual(['a', 'b'])
      expect(readFileSync(join(base, 'b'), 'utf8')).toBe('old')
      swapBack(elsewhere)
      expect(tree(base)).toEqual(old)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  it('tells files apart that are larger than memory', ({ skip }) => {
    const file = join(base, 'large')
    writeFileSync(file, '')
    try {
      truncateSync(file, 2 ** 31 + 1)
    } catch {
      skip('this file system has no such files')
    }
    const other = join(base, 'other')
    spawnSync('cp', ['-p', '--sparse=always', file, other])
    mkdirSync(join(dir, 'old'), { recursive: true })
    renameSync(other, join(dir, 'old/large'))
    const entries = [{ path: 'large', target: file, existed: true }]
    writeFileSync(join(dir, 'plan.json'), JSON.stringify({ base, mark: 'aa', folders: [], entries }))
    const before = statSync(file).ino
    swapBack(dir)
    expect(statSync(file).ino).toBe(before)
  })

  it('works across devices', ({ skip }) => {
    const device = secondDevice()
    if (!device) return skip('there is no second device')
    const elsewhere = mkdtempSync(join(device, 'edge-admin-'))
    try {
      plant(base, BEFORE)
      const before = tree(base)
      plant(join(elsewhere, 'new'), AFTER)
      const want = overlay(before, tree(join(elsewhere, 'new')))
      swapIn(elsewhere, base)
      expect(tree(base)).toEqual(want)
      swapBack(elsewhere)
      expect(tree(base)).toEqual(before)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  const steps = ['swap-planned', 'swap-saved', 'swap-placed', 'swap-all-placed']
  it('has a fault tested at every checkpoint', () => {
    expect(new Set(checkpoints('src/store/file-transaction.ts'))).toEqual(new Set([...steps, 'swap-back', 'swap-kept']))
  })

  it.each(steps)('is put back after an error and after a kill at %s, also when that is killed too', (step) => {
    plant(base, BEFORE)
    const before = tree(base)
    for (const what of ['error', 'kill']) {
      rmSync(dir, { recursive: true })
      plant(join(dir, 'new'), AFTER)
      const first = child(['in', dir, base], `${step}=${what}`)
      expect([first.status, first.signal]).toEqual(what === 'kill' ? [null, 'SIGKILL'] : [1, null])
      expect(child(['back', dir], 'swap-back=kill').signal).toBe('SIGKILL')
      expect(child(['back', dir]).status).toBe(0)
      expect(tree(base)).toEqual(before)
      expect(existsSync(join(dir, 'plan.json'))).toBe(false)
    }
  })

  it('puts back a file that was placed through a link which was then replaced itself', () => {
    plant(base, { '-f': { a: { link: '../b' } }, b: { link: 'a' }, a: {} })
    plant(join(dir, 'new'), { '-f': { a: { x: 'through the link' } }, b: 'a file in place of the link' })
    const before = tree(base)
    process.env['EDGE_FAULT'] = 'swap-all-placed=error'
    expect(() => swapIn(dir, base)).toThrow()
    delete process.env['EDGE_FAULT']
    expect(tree(base)).not.toEqual(before)
    swapBack(dir)
    expect(tree(base)).toEqual(before)
  })

  it('puts back a link that was replaced through itself', () => {
    plant(base, { b: { a: { link: '../b' } } })
    plant(join(dir, 'new'), { b: { a: { a: 'through the link, onto it' } } })
    const before = tree(base)
    process.env['EDGE_FAULT'] = 'swap-all-placed=error'
    expect(() => swapIn(dir, base)).toThrow()
    delete process.env['EDGE_FAULT']
    swapBack(dir)
    expect(tree(base)).toEqual(before)
  })

  const name = fc.constantFrom('a', 'b', 'c', 'd e', 'ü', '-f')
  const content = (depth: number): fc.Arbitrary<Content> =>
    fc.dictionary(
      name,
      depth === 0
        ? fc.string()
        : fc.oneof(fc.string(), fc.record({ link: fc.constantFrom('a', '../b', 'nowhere') }), content(depth - 1)),
      { maxKeys: 5 },
    )
  it('is all or nothing for any two trees and any fault', () => {
    fc.assert(
      fc.property(content(2), content(2), fc.constantFrom(...steps, 'none'), (old, fresh, step) => {
        for (const path of [base, dir]) rmSync(path, { recursive: true, force: true })
        plant(base, old)
        plant(join(dir, 'new'), fresh)
        const before = tree(base)
        const want = overlay(before, tree(join(dir, 'new')))
        process.env['EDGE_FAULT'] = `${step}=error`
        let thrown = false
        try {
          swapIn(dir, base)
        } catch {
          thrown = true
        }
        delete process.env['EDGE_FAULT']
        if (!thrown) expect(withoutLinks(tree(base), old)).toEqual(withoutLinks(want, old))
        swapBack(dir)
        expect(tree(base)).toEqual(before)
      }),
      { numRuns: runs(300) },
    )
  })

  const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0
  it('is put back after a kill at any of its system calls', { timeout: 240_000 }, ({ skip }) => {
    if (!canTrace) skip('strace is missing, or not allowed to trace')
    /** Whether the command got as far as its nth call of this kind, and died there. */
    const dies = (call: string, nth: number, args: string[]) => {
      const trace = ['-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${nth}`]
      const { status, signal } = spawnSync('strace', [...trace, process.execPath, ...bundle(...args)])
      expect(signal === 'SIGKILL' || status === 0).toBe(true)
      return signal === 'SIGKILL'
    }
    plant(base, { a: 'old', sub: { b: 'old' } })
    const before = tree(base)
    const prepare = () => {
      rmSync(dir, { recursive: true })
      plant(join(dir, 'new'), { a: 'new', sub: { b: 'new', c: 'new' }, made: { d: 'new' } })
    }
    let kills = 0
    for (const call of ['rename', 'link', 'mkdir', 'chmod', 'fsync']) {
      for (let nth = 1; ; nth++) {
        prepare()
        const killed = dies(call, nth, ['in', dir, base])
        swapBack(dir)
        expect(tree(base), `${call} ${nth}`).toEqual(before)
        if (!killed) break
        kills++
      }
    }
    for (const call of ['rename', 'unlink', 'rmdir', 'fsync']) {
      for (let nth = 1; ; nth++) {
        prepare()
        swapIn(dir, base)
        const killed = dies(call, nth, ['back', dir])
        swapBack(dir)
        expect(tree(base), `back: ${call} ${nth}`).toEqual(before)
        if (!killed) break
        kills++
      }
    }
    expect(kills).toBeGreaterThan(20)
  })

  it('is called by `edge-admin swap`, which says what is wrong in one line', async () => {
    plant(join(dir, 'new'), { a: 'x' })
    expect(await swap(['in', dir, base])).toBe(0)
    expect(await swap(['back', dir])).toBe(0)
    expect(Object.keys(tree(base))).toEqual([])
    expect(await swap([])).toBe(64)
    expect(await swap(['in', 'relative', base])).toBe(64)
    const { status, stderr } = child(['in', dir, join(folder, 'nowhere')])
    expect([status, stderr.trim().split('\n').length]).toEqual([1, 1])
  })
})

/** A tree without what is below one folder. */
function readableTree(root: string, without: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree(root)).filter(([path]) => path !== without && !path.startsWith(`${without}/`)),
  )
}

/** New files can be placed through a link that was there: then they lie elsewhere, and only the swap back says more. */
function withoutLinks(seen: Record<string, string>, old: Content): Record<string, string> | undefined {
  return JSON.stringify(old).includes('"link"') ? undefined : seen
}

describe('what is kept for somebody else who may change it', () => {
  const paths = () => ['a', 'link', 'none', 'sub/b'].map((name) => join(base, name))
  beforeEach(() => {
    rmSync(dir, { recursive: true })
    plant(base, BEFORE)
    chmodSync(join(base, 'a'), 0o604)
    if (isRoot) chownSync(join(base, 'a'), 1234, 2345)
  })

  /** Into the very file, in its place, and where nothing was. */
  const change = () => {
    writeFileSync(join(base, 'a'), 'theirs')
    rmSync(join(base, 'link'))
    rmSync(join(base, 'sub/b'))
    plant(base, { link: 'theirs', none: 'theirs', sub: { b: { link: 'theirs' } } })
    chmodSync(join(base, 'a'), 0o600)
  }

  it('comes back with its owner, group and mode, also twice', () => {
    const before = tree(base)
    swapKeep(dir, paths())
    expect(tree(base)).toEqual(before)
    change()
    swapBack(dir)
    expect(tree(base)).toEqual(before)
    expect(statSync(join(base, 'a')).mode & 0o777).toBe(0o604)
    if (isRoot) expect([statSync(join(base, 'a')).uid, statSync(join(base, 'a')).gid]).toEqual([1234, 2345])
    change()
    const theirs = tree(base)
    swapBack(dir)
    expect(tree(base)).toEqual(theirs)
  })

  it.each(['swap-saved', 'swap-kept'])('is put back after an error and after a kill at %s', (step) => {
    const before = tree(base)
    for (const what of ['error', 'kill']) {
      rmSync(dir, { recursive: true, force: true })
      expect(child(['keep', dir, ...paths()], `${step}=${what}`).status).toBe(what === 'kill' ? null : 1)
      expect(child(['back', dir], 'swap-back=kill').signal).toBe(step === 'swap-kept' ? 'SIGKILL' : null)
      expect(child(['back', dir]).status).toBe(0)
      expect(tree(base)).toEqual(before)
    }
  })

  it('is nothing where there is no file, and not kept twice', () => {
    expect(() => swapKeep(dir, [join(base, 'sub')])).toThrow('not a regular file')
    expect(existsSync(join(dir, 'plan.json'))).toBe(false)
    swapKeep(dir, paths())
    expect(() => swapKeep(dir, paths())).toThrow('under way')
  })
})

describe('the old content behind a link, as the tool of an image that runs from memory lays one', () => {
  const disk = (name: string) => join(folder, 'disk', name)
  const at = (name: string) => join(base, name)
  beforeEach(() => {
    plant(join(folder, 'disk'), { conf: 'old', folder: {} })
    plant(base, {
      conf: { link: disk('conf') },
      dead: { link: disk('nothing') },
      tree: { link: disk('folder') },
      plain: 'old',
    })
    chmodSync(disk('conf'), 0o4604)
    if (isRoot) chownSync(disk('conf'), 1234, 2345)
  })
  const names = ['conf', 'dead', 'tree', 'plain']
  /** Puts the new ones there, as somebody saves the state, who writes over the copy and lays the link to it again. */
  const change = (verb: string, contents: boolean) => {
    if (verb === 'in') {
      plant(join(dir, 'new'), Object.fromEntries(names.map((name) => [name, 'new'])))
      swapIn(dir, base, { contents })
    } else {
      rmSync(dir, { recursive: true })
      swapKeep(dir, names.map(at), { contents })
      for (const name of names) rmSync(at(name))
    }
    writeFileSync(disk('conf'), 'new')
    rmSync(at('conf'), { force: true })
    plant(base, { conf: { link: disk('conf') } })
  }

  it.each(['in', 'keep'])('comes back as a file, with its owner, group and mode: swap %s', (verb) => {
    utimesSync(disk('conf'), 1000, 2000)
    change(verb, true)
    swapBack(dir)
    const { uid, gid, mode, mtimeMs } = lstatSync(at('conf'))
    expect([lstatSync(at('conf')).isFile(), readFileSync(at('conf'), 'utf8'), mode & 0o7777, mtimeMs]).toEqual([
      ...[true, 'old', 0o604, 2_000_000],
    ])
    if (isRoot) expect([uid, gid]).toEqual([1234, 2345])
    expect([readlinkSync(at('dead')), readlinkSync(at('tree')), readFileSync(at('plain'), 'utf8')]).toEqual([
      ...[disk('nothing'), disk('folder'), 'old'],
    ])
  })

  it.each(['in', 'keep'])('is not kept unless that is asked for: swap %s', (verb) => {
    change(verb, false)
    swapBack(dir)
    expect([readlinkSync(at('conf')), readFileSync(at('conf'), 'utf8')]).toEqual([disk('conf'), 'new'])
  })

  it.each(['swap-planned', 'swap-saved', 'swap-placed', 'swap-all-placed'])('is there after a kill at %s', (step) => {
    plant(join(dir, 'new'), { conf: 'new' })
    expect(child(['in', '--contents', dir, base], `${step}=kill`).signal).toBe('SIGKILL')
    expect(child(['back', dir]).status).toBe(0)
    expect([readFileSync(at('conf'), 'utf8'), lstatSync(at('conf')).isFile()]).toEqual(['old', step !== 'swap-planned'])
  })

  it('is kept by `edge-admin swap keep --contents`', async () => {
    rmSync(dir, { recursive: true })
    expect(await swap(['keep', '--contents', dir, at('conf')])).toBe(0)
    writeFileSync(disk('conf'), 'new')
    expect(await swap(['back', '--contents', dir])).toBe(64)
    expect(await swap(['back', dir])).toBe(0)
    expect([readFileSync(at('conf'), 'utf8'), lstatSync(at('conf')).isFile()]).toEqual(['old', true])
  })

  it.skipIf(!isRoot)('is not shown to whoever laid the link and could not read it', () => {
    chmodSync(folder, 0o755)
    const groups = process.getgroups?.()
    const kept = (mode: number, owner: number, uid: number) => {
      rmSync(dir, { recursive: true })
      chmodSync(disk(''), mode)
      chownSync(disk('conf'), owner, owner)
      chmodSync(disk('conf'), 0o640)
      lchownSync(at('conf'), uid, uid)
      swapKeep(dir, [at('conf')], { contents: true })
      swapBack(dir)
      const isFile = lstatSync(at('conf')).isFile()
      rmSync(at('conf'))
      plant(base, { conf: { link: disk('conf') } })
      return isFile
    }
    expect([kept(0o755, 4711, 4711), kept(0o755, 0, 4711), kept(0o700, 4711, 4711), kept(0o700, 0, 0)]).toEqual([
      ...[true, false, false, true],
    ])
    linkSync(at('conf'), at('taken'))
    rmSync(dir, { recursive: true })
    swapKeep(dir, [at('taken')], { contents: true })
    swapBack(dir)
    expect(lstatSync(at('taken')).isSymbolicLink()).toBe(true)
    expect([process.geteuid?.(), process.getegid?.(), process.getgroups?.()]).toEqual([0, 0, groups])
  })
})
