// The walk of a recursive change, on a real folder whose users mean harm: links, pipes, odd names, deep trees, and what
// is exchanged while it is walked. The lists are kept by the fake setfacl; owners and modes are the file system's.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAcl } from '../../src/drivers/acl.ts'
import { close, openFolder } from '../../src/drivers/descriptor.ts'
import { createTool } from '../../src/drivers/programs.ts'
import { permitTree } from '../../src/features/permissions/permit.ts'
import type { Plan } from '../../src/features/permissions/plan.ts'
import { readable } from '../../src/features/permissions/readable.ts'
import { applyToTree } from '../../src/features/permissions/tree.ts'
import { walk } from '../../src/features/permissions/walk.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'

const isRoot = process.getuid?.() === 0
const NO_LISTS = { user: 7, group: 7, other: 0, mask: undefined, named: [] }
const RIGHTS = { special: 2, access: NO_LISTS, default: undefined, lists: false }

let folder: string
let top: string
let outside: string
const world = mkdtempSync(join(tmpdir(), 'edge-admin-'))
const fakes: Fakes = installFakes(world)
afterAll(() => rmSync(world, { recursive: true }))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  top = join(folder, 'top')
  outside = join(folder, 'outside')
  mkdirSync(top)
  writeFileSync(outside, 'untouched')
  chmodSync(outside, 0o4711)
})
afterEach(() => {
  fakes.change((model) => {
    delete model['aclRefused']
  })
  // Node's own removal reads whole paths, which may be longer than the kernel takes.
  execFileSync('rm', ['-rf', folder])
})

function apply(plan: Plan) {
  const remarks: string[] = []
  const progress: string[] = []
  const done = applyToTree({
    acl: createAcl(createTool(fakes.programs)),
    plan,
    dataset: undefined,
    folder: top,
    reached: join(folder, 'reached'),
    progress: (_percent, words) => progress.push(words),
    remark: (words) => remarks.push(words),
  })
  return done.then((counts) => ({ counts, remarks, progress }))
}
function pathsOf(open?: number): { paths: string[]; lost: string[] } {
  const lost: string[] = []
  const descriptor = openFolder(top)
  const paths: string[] = []
  for (const { path } of walk(descriptor, { skipped: () => {}, lost: (at) => lost.push(at), ...(open && { open }) }))
    paths.push(path)
  close(descriptor)
  return { paths: paths.sort(), lost }
}
const mode = (path: string) => (lstatSync(path).mode & 0o7777).toString(8)

describe('a change of a whole tree', () => {
  it('sets folders, programs and other files each as they need it', async () => {
    mkdirSync(join(top, 'sub'))
    writeFileSync(join(top, 'sub/text'), '')
    chmodSync(join(top, 'sub/text'), 0o604)
    writeFileSync(join(top, 'program'), '')
    chmodSync(join(top, 'program'), 0o4755)
    const { counts } = await apply({ rights: RIGHTS })
    expect([top, 'sub', 'sub/text', 'program'].map((name) => mode(join(top, name === top ? '' : name)))).toEqual([
      '2770',
      '2770',
      '660',
      '770',
    ])
    expect(counts).toEqual({ count: 4, refused: 0, devices: 0, skipped: 0, lost: 0 })
    expect(readFileSync(join(folder, 'reached'), 'utf8')).toMatch(/^4\n.+\n$/)
  })

  it('changes nothing that a link leads to, and opens no pipe', async () => {
    symlinkSync(outside, join(top, 'to-a-file'))
    symlinkSync(folder, join(top, 'to-a-folder'))
    symlinkSync('/etc', join(top, 'to-etc'))
    execFileSync('mkfifo', [join(top, 'pipe')])
    const before = statSync('/etc')
    const { counts, remarks } = await apply({ rights: RIGHTS, ...(isRoot && { uid: 4711, gid: 4712 }) })
    expect([counts.count, remarks]).toEqual([5, []])
    expect(mode(outside)).toBe('4711')
    expect(mode(join(top, 'pipe'))).toBe('660')
    expect([statSync('/etc').uid, statSync('/etc').mode]).toEqual([before.uid, before.mode])
    if (!isRoot) return
    expect(lstatSync(join(top, 'to-etc')).uid).toBe(4711)
    expect(statSync(outside).uid).toBe(0)
  })

  it.skipIf(!isRoot)(
    'takes set-user-id from what changes its owner, and leaves devices alone (needs root)',
    async () => {
      const program = join(top, 'program')
      writeFileSync(program, '')
      chownSync(program, 1001, 1001)
      chmodSync(program, 0o6755)
      execFileSync('mknod', [join(top, 'disk'), 'b', '7', '200'])
      chmodSync(join(top, 'disk'), 0o600)
      const { counts, remarks } = await apply({ uid: 1002 })
      expect(mode(program)).toBe('755')
      expect(counts).toMatchObject({ count: 2, devices: 1 })
      expect(remarks).toEqual(['left out: disk: it is a device'])
      expect([lstatSync(join(top, 'disk')).uid, mode(join(top, 'disk'))]).toEqual([0, '600'])
    },
  )

  it('takes names of any bytes, and shows them on one line', async () => {
    const names = ['-rf', 'a\nb', '\xff\xfe', 'n'.repeat(255), '\u00e9', '..x', '$(reboot)', 'a\x1b[31mred']
    for (const name of names) closeSync(openSync(Buffer.from(`${top}/${name}`, 'latin1'), 'w', 0o600))
    const { counts, progress } = await apply({ rights: RIGHTS })
    expect(counts).toMatchObject({ count: names.length + 1, refused: 0 })
    for (const name of names) {
      const bytes = Buffer.from(`${top}/${name}`, 'latin1')
      expect([name, lstatSync(bytes).mode & 0o777]).toEqual([name, 0o660])
    }
    expect(progress.join('')).not.toMatch(/[\x00-\x1f]/)
    expect(['a\nb', '\xff\xfe', '\xc3\xa9', 'a\x1bb', 'a\\b', ''].map(readable)).toEqual([
      'a\\x0ab',
      '\\xff\\xfe',
      'é',
      'a\\x1bb',
      'a\\\\b',
      '.',
    ])
    expect(readable('x'.repeat(300))).toHaveLength(200)
  })

  it('sets lists by the program, many files at a time, and default lists on folders only', async () => {
    mkdirSync(join(top, 'sub'))
    for (let i = 0; i < 450; i++) writeFileSync(join(top, 'sub', `f${i}`), '')
    const named = [{ type: 'user' as const, id: 1001, rights: 7 }]
    const access = { ...NO_LISTS, named }
    const before = fakes.calls().length
    const { counts } = await apply({ rights: { special: 2, access, default: access, lists: true } })
    expect(counts).toMatchObject({ count: 452, refused: 0 })
    const calls = fakes.calls().slice(before)
    expect(calls.length).toBeLessThan(10)
    expect(calls.flatMap(({ args }) => args).filter((word) => !/^(--|\/proc\/\d+\/fd\/\d+$)/.test(word))).toEqual([])
    const acl = createAcl(createTool(fakes.programs))
    const [ofFolder, ofFile] = await acl.read([join(top, 'sub'), join(top, 'sub/f449')])
    expect(ofFolder).toEqual({ access: { ...access, mask: 7 }, default: { ...access, mask: 7 } })
    expect(ofFile).toEqual({
      access: { user: 6, group: 6, other: 0, mask: 6, named: [{ ...named[0], rights: 6 }] },
      default: undefined,
    })
    expect([mode(join(top, 'sub')), mode(join(top, 'sub/f0'))]).toEqual(['2770', '660'])
  })

  it('goes on where a file is refused, names it, and is not whole then', async () => {
    writeFileSync(join(top, 'a\nfile'), '')
    fakes.change((model) => {
      model['aclRefused'] = 'Operation not permitted'
    })
    const remarks: string[] = []
    mkdirSync(join(folder, 'input'))
    const end = await permitTree({
      input: JSON.stringify({ rights: { ...RIGHTS, lists: true } }),
      dataset: 'tank/data',
      programs: fakes.programs,
      folder: top,
      reached: join(folder, 'reached'),
      progress: () => {},
      remark: (words) => remarks.push(words),
    })
    expect(end).toEqual({
      words: '2 files and folders done; 2 could not be changed: the log names them',
      whole: false,
    })
    expect(remarks.sort()).toEqual([
      'not changed: .: Operation not permitted',
      'not changed: a\\x0afile: Operation not permitted',
    ])
  })

  it('is refused where the dataset is not what is mounted at the folder', async () => {
    const act = applyToTree({
      acl: createAcl(createTool(fakes.programs)),
      plan: { rights: RIGHTS },
      dataset: 'tank/data',
      folder: top,
      reached: join(folder, 'reached'),
      progress: () => {},
      remark: () => {},
    })
    await expect(act).rejects.toThrow('the dataset is not mounted at its mount point')
    expect(mode(top)).not.toBe('2770')
  })
})

describe('the walk', () => {
  it('comes to everything in a tree that is deeper than the folders it may hold open', () => {
    let at = top
    const wanted = ['']
    let path = ''
    for (let depth = 0; depth < 40; depth++) {
      for (const name of ['x', 'y']) {
        mkdirSync(join(at, name))
        wanted.push(path === '' ? name : `${path}/${name}`)
      }
      const next = depth % 2 ? 'x' : 'y'
      at = join(at, next)
      path = path === '' ? next : `${path}/${next}`
    }
    expect(pathsOf(3)).toEqual({ paths: wanted.sort(), lost: [] })
    expect(pathsOf()).toEqual({ paths: wanted.sort(), lost: [] })
  })

  it('comes to the bottom of a path that is longer than the kernel takes', () => {
    const script = `cd "$1"; i=0; while [ $i -lt 40 ]; do mkdir ${'d'.repeat(200)}; cd ${'d'.repeat(200)}; i=$((i+1)); done`
    execFileSync('bash', ['-c', script, '-', top])
    const { paths } = pathsOf(16)
    expect(paths).toHaveLength(41)
  })

  it('does not enter .zfs at the top, and a folder of that name anywhere else', () => {
    for (const name of ['.zfs', 'sub', 'sub/.zfs']) mkdirSync(join(top, name))
    writeFileSync(join(top, '.zfs/secret'), '')
    expect(pathsOf().paths).toEqual(['', 'sub', 'sub/.zfs'])
  })

  it('follows no link that takes the place of a folder while it is walked', () => {
    for (const name of ['a', 'b']) mkdirSync(join(top, name))
    mkdirSync(join(folder, 'elsewhere'))
    writeFileSync(join(folder, 'elsewhere/secret'), '')
    const descriptor = openFolder(top)
    const seen: string[] = []
    for (const { path } of walk(descriptor, { skipped: () => {}, lost: () => {} })) {
      seen.push(path)
      if (path !== '' && existsSync(join(top, 'a')) && existsSync(join(top, 'b'))) {
        const other = path === 'a' ? 'b' : 'a'
        renameSync(join(top, other), join(folder, 'moved'))
        symlinkSync(join(folder, 'elsewhere'), join(top, other))
      }
    }
    close(descriptor)
    expect(seen).toHaveLength(2)
    expect(seen.join()).not.toContain('secret')
  })

  it('says which folders it lost when they are moved deep inside of it', () => {
    mkdirSync(join(top, 'a/b/c/d'), { recursive: true })
    for (const name of ['a/1', 'a/b/2', 'a/b/c/3']) mkdirSync(join(top, name))
    const descriptor = openFolder(top)
    const lost: string[] = []
    let moved = false
    for (const { path } of walk(descriptor, { skipped: () => {}, lost: (at) => lost.push(at), open: 1 })) {
      if (moved || !/^a\/b\/c\/./.test(path)) continue
      renameSync(join(top, 'a/b/c'), join(folder, 'c'))
      moved = true
    }
    close(descriptor)
    // Only if the walk still had something to do above; the order of names is the file system's.
    for (const path of lost) expect(path).toMatch(/^a(\/b)?$/)
    expect(moved).toBe(true)
  })
})
