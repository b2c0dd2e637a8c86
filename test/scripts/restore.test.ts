// The restore script under both shells: the data is the archive's or what it was, never a mixture. What this script
// gets was screened by the server; the tests here only look at what is left for the script to get wrong.
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeEach, describe, expect } from 'vitest'
import { FUZZ, runs } from '../harness/fuzz.ts'
import {
  Appliance,
  type Content,
  checkpoints,
  installation,
  isRoot,
  plant,
  removeTemporary,
  shells,
  temporaryFolder,
  tree,
} from './harness.ts'
import { faultsIn, inTurn } from './pairwise.ts'
import { tar } from './tar.ts'

afterAll(removeTemporary)

function archive(content: Content): Buffer {
  const folder = temporaryFolder()
  plant(folder, content)
  const { stdout } = spawnSync('tar', ['-C', folder, '-cf', '-', ...Object.keys(content).map((name) => `./${name}`)], {
    maxBuffer: 1 << 26,
  })
  return stdout
}

const OLD: Content = { etc: { 'app.conf': 'old', keep: 'kept' }, home: { l: { link: '../etc/keep' } }, only: 'here' }
const NEW: Content = {
  etc: { 'app.conf': 'new', fresh: 'new', link: { link: 'app.conf' } },
  home: { l: 'a file now' },
  made: { empty: {}, deep: { x: 'new' } },
}
const WORDS = (box: Appliance, last: string) => [
  `[T][SYSTEM] Restoring backup archive to ${box.data}`,
  `[T][SYSTEM] ${last}`,
]

describe.each(shells())('restore.sh under $name', (shell) => {
  const it = inTurn(shell.name)
  let box: Appliance
  beforeEach(() => {
    box = new Appliance(shell)
    plant(box.data, OLD)
  })
  const restore = (bytes: Uint8Array, env: Record<string, string> = {}) =>
    box.run('restore', [], env, { 'backup-archive.tar': bytes })
  const merged = (before: Record<string, string>, content: Content) => {
    const fresh = temporaryFolder()
    plant(fresh, content)
    const placed = Object.entries(tree(fresh)).filter(([path, text]) => !(text.startsWith('folder') && path in before))
    return { ...before, ...Object.fromEntries(placed) }
  }

  it('puts the archive into the data folder, leaves the rest, and says so as the original does', async () => {
    const want = merged(tree(box.data), NEW)
    const { id, exit, task, log } = await restore(archive(NEW))
    expect(exit, log).toBe(0)
    expect(task).toMatchObject({ status: 'completed', progress: 100 })
    expect(tree(box.data)).toEqual(want)
    expect(box.log('update_backup.log')).toEqual(WORDS(box, 'Restore complete'))
    expect(tree(box.task(id))['input']).toBeUndefined()
  })

  it('restores the archive that backup.sh made', async () => {
    writeFileSync(box.etc('backup.txt'), '*')
    await box.run('backup', ['START'])
    const before = tree(box.data)
    const bytes = readFileSync(box.uploads('backup.tar'))
    writeFileSync(join(box.data, 'etc/app.conf'), 'changed')
    expect((await restore(bytes)).exit).toBe(0)
    expect(tree(box.data)).toEqual(before)
  })

  it('keeps modes, and takes no owners from the archive', async () => {
    if (isRoot) chownSync(join(box.data, 'etc'), 1234, 2345)
    const bytes = tar([
      { name: 'etc/plain', data: 'x', mode: 0o604 },
      { name: 'etc/tool', data: 'x', mode: 0o755 },
    ])
    await restore(bytes)
    expect(tree(box.data)['etc/plain']).toMatch(/^file 604/)
    expect(tree(box.data)['etc/tool']).toMatch(/^file 755/)
    if (isRoot) expect(lstatSync(join(box.data, 'etc/plain')).uid).toBe(1234)
  })

  const unpacking = (reason: string) => `The backup archive cannot be unpacked: ${reason}`
  const placing = (reason: string) => `The backup archive cannot be put in place: ${reason}`
  const bad: [string, string, () => Buffer][] = [
    [
      'not an archive',
      unpacking('not a tar archive of a known format'),
      () => Buffer.from('not an archive'.repeat(100)),
    ],
    [
      'cut short',
      unpacking('the archive is cut short'),
      () => archive({ big: 'x'.repeat(30_000) }).subarray(0, 20_000),
    ],
    [
      'a set-user-id file',
      unpacking('a set-user-id or set-group-id file'),
      () => tar([{ name: 'etc/tool', data: 'x', mode: 0o4755 }]),
    ],
    ['a file where a folder is', placing('a folder is in the way: etc'), () => archive({ only: 'new', etc: 'x' })],
    [
      'a folder where a file is',
      placing('not a folder: only'),
      () => archive({ etc: { 'app.conf': 'new' }, only: { x: 'x' } }),
    ],
  ]
  it.each(bad)('changes nothing when the archive is wrong, and says why: %s', async (_, message, make) => {
    const before = tree(box.data)
    const { exit, task } = await restore(make())
    expect(exit).toBe(1)
    expect(task).toMatchObject({ status: 'failed', error: { code: 'E1000', message } })
    expect(tree(box.data)).toEqual(before)
    expect(box.log('update_backup.log')).toEqual([...WORDS(box, message), '[T][SYSTEM] Restore failed'])
  })

  it('SEC-21 does not write through a link that leads out of the data folder', async () => {
    const outside = temporaryFolder()
    symlinkSync(outside, join(box.data, 'out'))
    const before = tree(box.data)
    expect((await restore(archive({ only: 'new', out: { evil: 'x' } }))).exit).toBe(1)
    expect(tree(outside)).toEqual({})
    expect(tree(box.data)).toEqual(before)
  })

  it('SEC-21 says what it replaces, adds and skips, before the first change', async () => {
    const bytes = archive({ ...NEW, '.edge-admin-restore': { x: 'x' }, 'a "replace" b': 'x' })
    const id = box.create('restore', [], { 'backup-archive.tar': bytes })
    const before = tree(box.data)
    await box.act(id, 'run', { EDGE_FAULT: 'swap-planned=error' })
    expect(tree(box.data)).toEqual(before)
    const said = (box.read(box.task(id, 'log')) ?? '').split('\n').filter((line) => /^(?:add|replace|skip) /.test(line))
    expect(said.sort()).toEqual([
      'add "a \\"replace\\" b"',
      'add "etc/fresh"',
      'add "etc/link"',
      'add "made/deep/x"',
      'replace "etc/app.conf"',
      'replace "home/l"',
      'skip ".edge-admin-restore"',
    ])
  })

  describe('SEC-21 where a vendor has laid the appliance’s own folders into the data folder', () => {
    const files: Content = { 'users.json': 'ours', tasks: {} }
    const evil = { 'users.json': '{"users":[{"name":"evil","role":"administrator"}]}' }
    beforeEach(() => plant(box.data, { admin: { state: files }, way: { link: 'admin' } }))
    const ours = () => ({ EDGE_SYSCONFDIR: join(box.data, 'admin/state') })

    it.each<[string, Content]>([
      ['by its name', { admin: { state: evil } }],
      ['through a link that lies there', { way: { state: evil } }],
      ['with something new', { admin: { state: { 'edge-admin.json': '{}' } } }],
      ['even with an empty folder', { admin: { state: {} } }],
      ['with a link in place of the folder', { admin: { state: { link: '../etc' } } }],
      ['with a link in place of the one above it', { admin: { link: 'etc' } }],
    ])('writes nothing there: %s', async (_, content) => {
      const before = tree(box.data)
      const { exit, task } = await restore(archive({ only: 'new', ...content }), ours())
      expect([exit, task.status]).toEqual([1, 'failed'])
      expect(tree(box.data)).toEqual(before)
    })

    it('restores the rest', async () => {
      expect((await restore(archive({ only: 'new', admin: { other: 'new' } }), ours())).exit).toBe(0)
      expect(box.read(join(box.data, 'admin/other'))).toBe('new')
      expect(box.read(join(box.data, 'admin/state/users.json'))).toBe('ours')
    })

    it.each([
      ['etc', 0],
      ['admin/state', 1],
      ['admin', 1],
      ['*', 1],
      ['admin/state/users.json', 1],
      ['way/state', 1],
      ['only', 0],
    ])('makes no backup that a restore would refuse: %s', async (pattern, code) => {
      writeFileSync(box.etc('backup.txt'), pattern)
      const { exit } = await box.run('backup', ['START'], ours())
      expect([exit, existsSync(box.uploads('backup.tar'))]).toEqual([code, code === 0])
    })
  })

  it('takes nothing into its own staging folder', async () => {
    const want = merged(tree(box.data), { only: 'new' })
    await restore(archive({ only: 'new', '.edge-admin-restore': { x: 'x' } }))
    expect(tree(box.data)).toEqual(want)
  })

  it('shares its lock with the backup', async () => {
    const id = box.create('backup', ['START'])
    mkdirSync(box.task(id), { recursive: true })
    writeFileSync(box.etc('backup.txt'), 'etc')
    const held = spawnSync('flock', ['-n', join(box.state, 'locks/backup.lock'), 'true'])
    expect(held.status).toBe(0)
    const { exit } = await new Promise<{ exit: number | string }>((resolve) => {
      const running = box.act(id, 'run', { EDGE_FAULT: 'backup-sized=hang' })
      const poll = setInterval(async () => {
        if (box.status(id).progress < 30) return
        clearInterval(poll)
        const second = await restore(archive(NEW))
        await box.act(id, 'cancel')
        await running
        resolve(second)
      }, 20)
    })
    expect(exit).toBe(75)
  })

  const steps = ['restore-staged', 'restore-swapped', 'restore-decided']
  const swapSteps = ['swap-planned', 'swap-saved', 'swap-placed', 'swap-all-placed']
  it('has a row in the fault table for every checkpoint', () => {
    expect(checkpoints('scripts/restore.sh')).toEqual(steps)
    // swap-kept is a step of `swap keep`, which only the license's task calls: license.test.ts.
    expect(new Set(checkpoints('src/store/file-transaction.ts'))).toEqual(
      new Set([...swapSteps, 'swap-back', 'swap-kept']),
    )
  })
  it.both.each(faultsIn(shell.name, [...steps, ...swapSteps]))(
    'SEC-21 is all or nothing, and lets the next one through: %s, %s',
    async (step, what) => {
      const before = tree(box.data)
      const after = merged(before, NEW)
      const id = box.create('restore', [], { 'backup-archive.tar': archive(NEW) })
      const decided = step === 'restore-decided'
      expect(await box.act(id, 'run', { EDGE_FAULT: `${step}=${what}` })).toBe(what === 'kill' ? 'SIGKILL' : 1)
      if (what === 'kill' && step.startsWith('swap') && step !== 'swap-planned') {
        // Power goes again while it is put back.
        expect(await box.act(id, 'recover', { EDGE_FAULT: 'swap-back=kill' })).toBe('SIGKILL')
      }
      await box.act(id, 'recover')
      expect(tree(box.data)).toEqual(decided ? after : before)
      const state = decided ? 'completed' : what === 'kill' ? 'interrupted' : 'failed'
      expect(box.status(id).status).toBe(state)
      expect(box.log('update_backup.log').slice(-1)).toEqual([`[T][SYSTEM] Restore ${decided ? 'complete' : 'failed'}`])
      expect(box.lockIsFree('backup')).toBe(true)
      const ended = tree(box.folder)
      await box.act(id, 'recover')
      expect(tree(box.folder)).toEqual(ended)
      expect((await restore(archive(NEW))).task.status).toBe('completed')
      expect(tree(box.data)).toEqual(after)
    },
  )

  const name = fc.constantFrom('a', 'b', 'c d', 'ü')
  const content = (depth: number): fc.Arbitrary<Content> =>
    fc.dictionary(name, depth === 0 ? fc.string() : fc.oneof(fc.string(), content(depth - 1)), {
      minKeys: 1,
      maxKeys: 3,
    })
  it('SEC-21 is all or nothing for any trees and any kill', { timeout: 120_000 * FUZZ }, async () => {
    await fc.assert(
      fc.asyncProperty(
        content(2),
        content(2),
        fc.constantFrom('none', ...steps, ...swapSteps),
        async (old, fresh, step) => {
          const box = new Appliance(shell)
          plant(box.data, old)
          const before = tree(box.data)
          const id = box.create('restore', [], { 'backup-archive.tar': archive(fresh) })
          await box.act(id, 'run', { EDGE_FAULT: `${step}=kill` })
          if (box.status(id).status === 'running') await box.act(id, 'recover')
          const done = box.status(id).status === 'completed'
          expect(tree(box.data)).toEqual(done ? merged(before, fresh) : before)
        },
      ),
      { numRuns: runs(12) },
    )
  })

  it.skipIf(!isRoot)('changes nothing on a full disk', async () => {
    const id = box.create('restore', [], {
      'backup-archive.tar': archive({ etc: { 'app.conf': 'new' }, big: 'x'.repeat(3 << 20) }),
    })
    const [program, ...rest] = shell.command
    const script = join(installation(), 'scripts/restore.sh')
    const inside = `cp -a "$EDGE_DATADIR" "${box.folder}/copy" && mount -t tmpfs -o size=2m,mode=755 none "$EDGE_DATADIR" &&
      cp -a "${box.folder}/copy/." "$EDGE_DATADIR" && { "$@"; rm -rf "${box.folder}/copy"; cp -a "$EDGE_DATADIR" "${box.folder}/copy"; }`
    const before = tree(box.data)
    const env = {
      PATH: process.env['PATH'],
      EDGE_ROOT: box.root,
      EDGE_SYSCONFDIR: box.folder,
      EDGE_DATADIR: box.data,
      EDGE_STATEDIR: box.state,
    }
    const path = shell.path ? { EDGE_PATH: shell.path } : {}
    const { stderr } = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', inside, 'sh', program!, ...rest, script, 'run', box.task(id)],
      {
        encoding: 'utf8',
        env: { ...env, ...path },
      },
    )
    expect(tree(join(box.folder, 'copy')), stderr).toEqual(before)
    expect(box.status(id).status).toBe('failed')
  })
})
if (!isRoot) console.log('the full disk is not tested: that takes root')
