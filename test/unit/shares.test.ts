// What of shares and exports stands in the way of a dataset's destruction. Where Samba or NFS is not installed, nothing
// does.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTool } from '../../src/drivers/programs.ts'
import { createZfs } from '../../src/drivers/zfs.ts'
import { HomeFolders, type HomeUser } from '../../src/features/shares/home-folders.ts'
import { createShares, type Shares } from '../../src/features/shares/shares.ts'
import { until } from '../api/client.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'

const isRoot = process.getuid?.() === 0
let folder: string
let fakes: Fakes
let shares: Shares
let users: () => Promise<HomeUser[]>
let warnings: string[]
let isAtWork: boolean
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-shares-'))
  fakes = installFakes(folder)
  const tool = createTool(fakes.programs)
  users = async () => []
  warnings = []
  isAtWork = false
  const folders = { root: folder, sysconf: folder, data: folder, state: join(folder, 'state') }
  shares = createShares({
    tool,
    zfs: createZfs(tool),
    folders,
    exportsFolder: join(fakes.folder, 'exports.d'),
    homeUsers: () => users(),
    tasks: { isAtWork: async () => isAtWork },
    ...{ trial: true, privileged: true, pause: 20 },
    warn: (text) => void warnings.push(text),
  })
  fakes.change((model) => {
    model.disks['/dev/fake1'] = { size: 1 << 29 }
  })
  await tool('zpool', ['create', 'tank', '/dev/fake1'])
  for (const name of ['tank/data', 'tank/data/deep', 'tank/database']) await tool('zfs', ['create', name])
})
afterEach(() => {
  shares.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the shares of datasets that are to be destroyed', () => {
  it('are those of any of them, and those that somebody made by hand inside of them', async () => {
    const share = await shares.smb.create({ name: 'deep', dataset: 'tank/data/deep' })
    await shares.smb.create({ name: 'other', dataset: 'tank/database' })
    const made = await shares.nfs.create({ dataset: 'tank/data' })
    await createTool(fakes.programs)('net', [
      'conf',
      'addshare',
      'hand',
      '/tank/data/deep',
      'writeable=y',
      'guest_ok=n',
    ])
    await createTool(fakes.programs)('net', ['conf', 'addshare', 'base', '/tank/database', 'writeable=y', 'guest_ok=n'])
    writeFileSync(join(fakes.folder, 'exports.d/hand.exports'), '/tank/data/deep 10.0.0.1(ro)\n/tank/database *(ro)\n')
    await createTool(fakes.programs)('exportfs', ['-ra'], { accept: [1] })
    const found = await shares.sharing(['tank/data', 'tank/data/deep', 'tank/data@snapshot'])
    expect(found).toEqual([
      { object: `shares/smb/${share.id}`, reason: 'is the SMB share deep' },
      { object: expect.stringMatching(/^shares\/smb\/smb-/), reason: 'is the SMB share hand' },
      { object: `exports/nfs/${made.id}`, reason: 'is the NFS export of /tank/data' },
      { object: expect.stringMatching(/^exports\/nfs\/nfs-/), reason: 'is the NFS export of /tank/data/deep' },
    ])
    expect(await shares.sharing(['tank/absent'])).toEqual([])
  })

  it('are none where the programs are missing, and unknown where they fail', async () => {
    await shares.smb.create({ name: 'data', dataset: 'tank/data' })
    fakes.faults({ program: 'testparm', stderr: 'Error loading services.' })
    await expect(shares.sharing(['tank/data'])).rejects.toThrow('Error loading services.')
    for (const name of ['testparm', 'exportfs']) rmSync(join(fakes.programs, name))
    expect(await shares.sharing(['tank/data'])).toEqual([])
  })
})

describe('home folders', () => {
  it('are not made where ZFS says that the dataset is mounted, and something else is', async () => {
    const mountpoint = join(folder, 'homes')
    mkdirSync(mountpoint)
    const values = { type: 'filesystem', mounted: 'yes', mountpoint }
    const get = async () => new Map(Object.entries(values).map(([name, value]) => [name, { value, source: 'local' }]))
    const zfs = { get } as unknown as ReturnType<typeof createZfs>
    const users = async () => [{ id: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: 'alice' }]
    const make = (trial: boolean) => new HomeFolders({ zfs, users, trial, warn() {} }).make('tank/homes', undefined)
    await expect(make(false)).rejects.toThrow('The dataset is not mounted at its mount point')
    expect(readdirSync(mountpoint)).toEqual([])
    if (process.getuid?.() !== 0) return
    await make(true)
    expect(readdirSync(mountpoint)).toEqual(['alice'])
  })

  const alice = { id: 4001, gid: 4000, name: 'alice' }
  const mountHomes = async (name: string) => {
    const mountpoint = join(folder, name)
    mkdirSync(mountpoint)
    chmodSync(mountpoint, 0o755)
    await createTool(fakes.programs)('zfs', ['create', '-o', `mountpoint=${mountpoint}`, `tank/${name}`])
    return mountpoint
  }

  it.skipIf(!isRoot)(
    'are made for a user who was made at the same moment (needs root; skipped: not root)',
    async () => {
      const mountpoint = await mountHomes('race')
      // The user’s own look finds no share yet, and the first look of the share no user.
      users = async () => {
        users = async () => [alice]
        await shares.makeFolders()
        return []
      }
      await shares.smb.create({ name: 'race', dataset: 'tank/race', home_folders: true })
      expect(readdirSync(mountpoint)).toEqual(['alice'])
    },
  )

  it.skipIf(!isRoot)(
    'are made as soon as the dataset is unlocked, and one line says that they are not (needs root; skipped: not root)',
    async () => {
      const mountpoint = await mountHomes('locked')
      const tool = createTool(fakes.programs)
      await shares.smb.create({ name: 'locked', dataset: 'tank/locked', home_folders: true })
      await tool('zfs', ['unmount', 'tank/locked'])
      users = async () => [alice]
      await shares.makeFolders()
      const looks = () => fakes.calls().filter(({ program }) => program === 'testparm').length
      const from = looks()
      await until('it was tried again', () => looks() > from + 2)
      expect([readdirSync(mountpoint), warnings]).toEqual([[], ['the folders of the share locked could not be made']])
      await tool('zfs', ['mount', 'tank/locked'])
      await until('the folder is there', () => readdirSync(mountpoint).length > 0)
      expect(readdirSync(mountpoint)).toEqual(['alice'])
    },
  )

  it.skipIf(!isRoot)(
    'are made after Samba failed once, and after a job on the dataset has ended (needs root; skipped: not root)',
    async () => {
      const mountpoint = await mountHomes('later')
      await shares.smb.create({ name: 'later', dataset: 'tank/later', home_folders: true })
      users = async () => [alice]
      fakes.faults({ program: 'testparm', nth: 1, stderr: 'Error loading services.' })
      isAtWork = true
      await shares.makeFolders()
      expect(warnings).toEqual(['the folders of shares could not be looked at'])
      const looks = () => fakes.calls().filter(({ program }) => program === 'testparm').length
      const from = looks()
      await until('it was tried again', () => looks() > from + 1)
      expect([readdirSync(mountpoint), warnings.length]).toEqual([[], 1])
      isAtWork = false
      await until('the folder is there', () => readdirSync(mountpoint).length > 0)
      expect(warnings).toHaveLength(1)
    },
  )

  it.skipIf(!isRoot)(
    'are tried again only for the share that waits for them, and not for one that is gone (needs root; skipped: not root)',
    async () => {
      await mountHomes('well')
      await mountHomes('ill')
      const tool = createTool(fakes.programs)
      await shares.smb.create({ name: 'well', dataset: 'tank/well', home_folders: true })
      const { id } = await shares.smb.create({ name: 'ill', dataset: 'tank/ill', home_folders: true })
      await tool('zfs', ['unmount', 'tank/ill'])
      const asked = (about: string) =>
        fakes.calls().filter(({ program, args }) => program === 'zfs' && args.includes('get') && args.includes(about))
          .length
      await shares.makeFolders()
      const [well, ill] = [asked('tank/well'), asked('tank/ill')]
      expect(well).toBeGreaterThan(0)
      await until('it was tried again', () => asked('tank/ill') > ill + 1)
      expect(asked('tank/well')).toBe(well)
      await shares.smb.remove(id)
      users = async () => Promise.reject(new Error('nobody asks'))
      await shares.makeFolders()
      expect(warnings).toEqual([
        'the folders of the share ill could not be made',
        'the folders of the share well could not be made',
      ])
    },
  )

  it.skipIf(!isRoot)('that belong to somebody else are said once (needs root; skipped: not root)', async () => {
    const mountpoint = await mountHomes('taken')
    writeFileSync(join(mountpoint, 'alice'), '')
    users = async () => [alice]
    await shares.smb.create({ name: 'taken', dataset: 'tank/taken', home_folders: true })
    await shares.makeFolders()
    expect(warnings).toEqual([expect.stringContaining('the home folder of alice belongs to another user')])
  })

  it.skipIf(!isRoot)(
    'make no share where the folder is opened to others at the same moment (needs root; skipped: not root)',
    async () => {
      const mountpoint = await mountHomes('opened')
      // After the first look at the folder; the second is when the share is there.
      users = async () => {
        users = async () => {
          chmodSync(mountpoint, 0o777)
          return []
        }
        return []
      }
      await expect(shares.smb.create({ name: 'opened', dataset: 'tank/opened', home_folders: true })).rejects.toThrow(
        'only root may write in it',
      )
      expect(await shares.smb.all()).toEqual([])
    },
  )
})
