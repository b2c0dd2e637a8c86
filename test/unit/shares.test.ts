// What of shares and exports stands in the way of a dataset's destruction. Where Samba or NFS is not installed, nothing
// does.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTool } from '../../src/drivers/programs.ts'
import { createZfs } from '../../src/drivers/zfs.ts'
import { HomeFolders } from '../../src/features/shares/home-folders.ts'
import { createShares, type Shares } from '../../src/features/shares/shares.ts'
import { type Fakes, installFakes } from '../fakes/install.ts'

let folder: string
let fakes: Fakes
let shares: Shares
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-shares-'))
  fakes = installFakes(folder)
  const tool = createTool(fakes.programs)
  const folders = { root: folder, sysconf: folder, data: folder, state: join(folder, 'state') }
  shares = createShares({
    tool,
    zfs: createZfs(tool),
    folders,
    exportsFolder: join(fakes.folder, 'exports.d'),
    homeUsers: async () => [],
    trial: true,
    warn() {},
  })
  fakes.change((model) => {
    model.disks['/dev/fake1'] = { size: 1 << 29 }
  })
  await tool('zpool', ['create', 'tank', '/dev/fake1'])
  for (const name of ['tank/data', 'tank/data/deep', 'tank/database']) await tool('zfs', ['create', name])
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

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
})
