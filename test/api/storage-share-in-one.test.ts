// POST /shares: all of it or nothing, also when a step fails or the server is killed between two. On the fakes, with a
// real folder as the mount point.
import { chmodSync, chownSync, lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, type Server, startAppliance, startServer } from './appliance.ts'
import { until } from './client.ts'
import { ask } from './controller.ts'
import { everything, makeAccounts, tool } from './storage-tools.ts'
import { makeWorld, REAL, type World } from './storage-world.ts'

const isRoot = process.getuid?.() === 0
const why = 'fakes only, and needs root; skipped: EDGE_REAL=1 or not root'

function prepare(world: World): void {
  tool(world, 'zpool', 'create', '-O', `mountpoint=${world.files}/tank`, 'tank', ...world.disks(1))
  tool(world, 'zfs', 'create', '-o', 'acltype=posixacl', 'tank/old')
  makeAccounts(world)
}
/** Everything that a share in one go touches. */
const state = (world: World) => {
  const old = lstatSync(join(world.files, 'tank/old'))
  const mode = (old.mode & 0o7777).toString(8)
  return `${everything(world)}${tool(world, 'net', 'conf', 'list')}${tool(world, 'exportfs', '-s')}${old.uid}:${old.gid} ${mode}`
}
const STEPS = ['noted', 'created', 'permitted', 'exported', 'shared', 'applied', 'done'].map(
  (step) => `share-in-one-${step}`,
)
const BOTH = {
  access: { write: ['alice', '@staff'], read: ['@guests', 'bob'] },
  smb: { name: 'team', description: 'The team' },
  nfs: { clients: ['10.0.0.0/8'] },
}

describe.skipIf(REAL || !isRoot)(`a share in one go (${why})`, () => {
  let world: World<InProcess>
  beforeAll(async () => {
    world = await makeWorld(startAppliance)
    prepare(world)
  })
  afterAll(() => world?.close())
  const post = (json: unknown, query = '', headers?: Record<string, string>) =>
    world.ask('POST', `/shares${query}`, { json, ...(headers && { headers }) })

  it('lists its steps first, and changes nothing', async () => {
    const before = state(world)
    const { status, json } = await post({ dataset: 'tank/team', create_dataset: true, ...BOTH }, '?dry_run=true')
    expect([status, json]).toEqual([
      200,
      {
        steps: [
          { step: 'dataset', object: 'tank/team', words: 'create the filesystem tank/team' },
          {
            ...{ step: 'permissions', object: 'tank/team' },
            words: 'set the permissions of its mount point: mode 2770 for alice',
          },
          { step: 'nfs', object: 'tank/team', words: 'export it with NFS' },
          { step: 'smb', object: 'team', words: 'share it with SMB as team' },
        ],
      },
    ])
    expect(state(world)).toBe(before)
  })

  it('makes filesystem, permissions, export and share, and the same answer to the same key', async () => {
    const key = { 'Idempotency-Key': 'one-share-1' }
    const body = { dataset: 'tank/team', create_dataset: true, options: { compression: 'lz4' }, ...BOTH }
    const { status, json } = await post(body, '', key)
    expect([status, json]).toEqual([
      200,
      {
        dataset: 'tank/team',
        permissions: expect.objectContaining({
          ...{ owner: 'alice', group: 'staff', mode: '2770', acltype: 'posix' },
          acl: {
            entries: [
              { type: 'user', name: 'bob', id: 1002, permissions: 'r-x' },
              { type: 'group', name: 'guests', id: 2002, permissions: 'r-x' },
            ],
            mask: 'rwx',
          },
          default_acl: expect.objectContaining({ owner: 'rwx', group: 'rwx', other: '---' }),
        }),
        smb: expect.objectContaining({
          name: 'team',
          valid_users: ['alice', '@staff', '@guests', 'bob'],
          read_only: false,
        }),
        nfs: expect.objectContaining({
          clients: ['10.0.0.0/8'],
          read_only: false,
          squash_to: { uid: 1001, gid: 2001 },
        }),
      },
    ])
    expect((await post(body, '', key)).json).toEqual(json)
    const folder = statSync(join(world.files, 'tank/team'))
    expect([folder.uid, folder.gid, (folder.mode & 0o7777).toString(8)]).toEqual([1001, 2001, '2770'])
    // Without these Samba would let only the owner of a file write it.
    expect(tool(world, 'net', 'conf', 'showshare', 'team')).toMatch(/inherit acls = yes/)
    expect(tool(world, 'exportfs', '-s')).toMatch(/all_squash,anonuid=1001,anongid=2001/)
    expect(tool(world, 'zfs', 'get', '-H', '-o', 'value', 'edge-admin:share-in-one', 'tank/team')).toBe('-\n')
    expect((await world.ask('GET', `/exports/nfs/${json.nfs.id}`)).json).toEqual(json.nfs)
  })

  it('makes a filesystem that is there readable for a group', async () => {
    const { json } = await post({ dataset: 'tank/old', access: { read: ['@guests'] }, smb: { name: 'reading' } })
    expect(json).toMatchObject({
      permissions: { owner: 'root', group: 'guests', mode: '2750' },
      smb: { read_only: true, valid_users: ['@guests'] },
    })
    expect((await world.ask('DELETE', `/shares/smb/${json.smb.id}`)).status).toBe(200)
    await world.ask('PUT', '/datasets/tank/old/permissions', {
      json: { group: 'root', allow_root: true, mode: '0755' },
    })
  })

  it.each([
    ['a user that is not there', { access: { write: ['ghost'] }, smb: { name: 'x' } }, 400],
    ['a name that is taken', { smb: { name: 'TEAM' } }, 409],
    ['neither a share nor an export', {}, 400],
    ['both ways of permissions', { access: {}, permissions: {}, smb: { name: 'x' } }, 400],
    ['a filesystem that is not there', { dataset: 'tank/absent', smb: { name: 'x' } }, 404],
    ['a new filesystem that is there', { create_dataset: true, smb: { name: 'x' } }, 409],
    ['a new name that ZFS does not take', { dataset: 'tank/-x', create_dataset: true, smb: { name: 'x' } }, 400],
  ])('refuses %s, and changes nothing', async (_what, body, status) => {
    const before = state(world)
    expect((await post({ dataset: 'tank/old', ...body })).status).toBe(status)
    expect(state(world)).toBe(before)
  })

  it.each(['?dry_run=true', ''])('names the accounts that do not exist, and changes nothing (%s)', async (query) => {
    const before = state(world)
    const access = { write: ['alice', 'ghost', '@ghosts'], read: ['4711'] }
    for (const isNew of [true, false]) {
      const dataset = isNew ? 'tank/ghosts' : 'tank/old'
      const body = { dataset, create_dataset: isNew, smb: { name: 'x' } }
      const several = await post({ ...body, access }, query)
      expect([several.status, several.json.errors]).toEqual([
        400,
        [
          { field: 'access.write.1', message: 'There is no such user' },
          { field: 'access.write.2', message: 'There is no such group' },
          { field: 'access.read.0', message: 'There is no such user' },
        ],
      ])
      const exact = await post({ ...body, permissions: { owner: 'ghost', mode: '0750' } }, query)
      expect([exact.status, exact.json.details]).toEqual([400, 'permissions.owner'])
    }
    expect(state(world)).toBe(before)
  })

  it('takes digits for a number, and names its account to Samba', async () => {
    const { status, json } = await post({
      dataset: 'tank/old',
      access: { write: ['1001', '@2001', 'alice'], read: ['1002'] },
      smb: { name: 'digits' },
    })
    expect([status, json.smb?.valid_users, json.permissions?.owner]).toEqual([200, ['alice', '@staff', 'bob'], 'alice'])
    await world.ask('DELETE', `/shares/smb/${json.smb.id}`)
    await world.ask('PUT', '/datasets/tank/old/permissions', {
      json: { owner: 'root', group: 'root', allow_root: true, mode: '0755', acl: { entries: [] }, default_acl: null },
    })
  })

  it.each([
    ['canmount', { canmount: 'off' }],
    ['canmount', { canmount: 'noauto' }],
    ['mountpoint', { mountpoint: 'none' }],
  ])('refuses a new filesystem that would not be mounted: %s', async (name, options) => {
    const before = state(world)
    const { status, json } = await post({ dataset: 'tank/x', create_dataset: true, options, smb: { name: 'x' } })
    expect([status, json.details]).toEqual([400, `options.${name}`])
    expect(state(world)).toBe(before)
  })

  it.each([true, false])('undoes everything when the last step fails (new filesystem: %s)', async (isNew) => {
    const before = state(world)
    world.fakes?.faults({ program: 'net', match: 'import', stdout: 'error importing', status: 255 })
    const dataset = isNew ? 'tank/fails' : 'tank/old'
    const { status } = await post({ ...BOTH, dataset, create_dataset: isNew, smb: { name: 'fails' } })
    world.fakes?.faults()
    expect(status).toBe(502)
    expect(state(world)).toBe(before)
  })

  it('keeps a filesystem in which there are files by then, and shares it no more', async () => {
    world.fakes?.faults({ program: 'smbcontrol', match: 'reload', stderr: 'no', status: 1, nth: 1 })
    process.env['EDGE_FAULT'] = 'share-in-one-exported=error'
    const file = join(world.files, 'tank/kept/file')
    const watch = setInterval(() => {
      try {
        writeFileSync(file, 'written')
      } catch {}
    }, 1)
    const { status } = await post({ ...BOTH, dataset: 'tank/kept', create_dataset: true, smb: { name: 'kept' } })
    clearInterval(watch)
    delete process.env['EDGE_FAULT']
    world.fakes?.faults()
    expect(status).toBe(500)
    expect(statSync(file).size).toBe(7)
    expect(tool(world, 'exportfs', '-s')).not.toContain('tank/kept')
    const { json: entries } = await world.ask('GET', '/audit?resource=datasets/tank/kept', { as: 'administrator' })
    expect(entries).toMatchObject([{ action: 'shares.provision', resource: 'datasets/tank/kept', result: 'failure' }])
  })

  it.each(
    STEPS.filter((step) => !step.endsWith('-done'))
      .flatMap((step) => [
        { step, isNew: true },
        { step, isNew: false },
      ])
      .filter(({ step, isNew }) => isNew || !step.endsWith('-created')),
  )('is undone after an error at $step (new filesystem: $isNew)', async ({ step, isNew }) => {
    const before = state(world)
    process.env['EDGE_FAULT'] = `${step}=error`
    const dataset = isNew ? 'tank/new' : 'tank/old'
    const { status, json } = await post({ ...BOTH, dataset, create_dataset: isNew, smb: { name: 'undone' } })
    delete process.env['EDGE_FAULT']
    expect([status, json.code]).toEqual([500, 'INTERNAL_ERROR'])
    expect(state(world)).toBe(before)
  })

  it('says in its answer what it could not undo', async () => {
    const fault = { program: 'net', match: 'import', stdout: 'error importing', status: 255 }
    world.fakes?.faults(fault)
    const watch = setInterval(() => {
      try {
        tool(world, 'zfs', 'snapshot', 'tank/left@daily-20261130-000000')
        clearInterval(watch)
      } catch {}
    }, 1)
    const { status, json } = await post({ ...BOTH, dataset: 'tank/left', create_dataset: true, smb: { name: 'left' } })
    clearInterval(watch)
    world.fakes?.faults()
    expect([status, json.message]).toEqual([
      502,
      'error importing; the filesystem stays, because there are snapshots or datasets below it',
    ])
    expect(tool(world, 'zfs', 'list', '-H', '-t', 'snapshot', '-o', 'name')).toContain('tank/left@daily-')
    // And is one like any other.
    expect(tool(world, 'zfs', 'get', '-H', '-o', 'value', 'edge-admin:share-in-one', 'tank/left')).toBe('-\n')
    const again = await post({ dataset: 'tank/left', smb: { name: 'left' } })
    expect(again.status).toBe(200)
    await world.ask('DELETE', `/shares/smb/${again.json.smb.id}`)
  })
})

const ROWS = [
  ...STEPS.map((step) => ({ step, isNew: true })),
  // Of a filesystem that was there the permissions come back.
  ...['share-in-one-shared', 'permissions-owned'].map((step) => ({ step, isNew: false })),
]

describe.skipIf(REAL || !isRoot)(`a share in one go, cut short by kill -9 (${why})`, () => {
  const environment: Record<string, string> = {}
  let world: World<Server>
  let server: Server
  beforeAll(async () => {
    world = await makeWorld(startServer, { environment })
    server = world.appliance
    prepare(world)
  }, 120_000)
  afterAll(() => server?.close())

  const restart = async (fault?: string) => {
    await server.kill('SIGKILL')
    if (fault === undefined) delete environment['EDGE_FAULT']
    else environment['EDGE_FAULT'] = fault
    server = await server.again()
  }
  const send = (method: string, path: string, json?: unknown) =>
    ask(server.url, method, `/api/v1${path}`, { bearer: world.tokens.operator, ...(json !== undefined && { json }) })

  it('is undone also where the pool is imported only after the server has started', { timeout: 120_000 }, async () => {
    const before = state(world)
    await restart('share-in-one-permitted=kill')
    await expect(send('POST', '/shares', { ...BOTH, dataset: 'tank/new', create_dataset: true })).rejects.toThrow()
    tool(world, 'zpool', 'export', 'tank')
    await restart()
    await until('it is seen that the pool is not there', async () => {
      const { json } = await send('GET', '/shares/smb')
      return json.length === 0 && (await send('GET', '/datasets/tank/new')).status === 404
    })
    tool(world, 'zpool', 'import', 'tank')
    await restart()
    await until('it is undone', () => state(world) === before)
  })

  const notes = () => {
    const folder = join(server.folders.state, 'shares')
    return readdirSync(folder).filter((name) => name.startsWith('share-in-one-before-'))
  }

  it('does not destroy what it cannot look into, and is undone when it can', { timeout: 120_000 }, async () => {
    const before = state(world)
    await restart('share-in-one-shared=kill')
    await expect(send('POST', '/shares', { ...BOTH, dataset: 'tank/new', create_dataset: true })).rejects.toThrow()
    // As after a reboot where the key of an encrypted filesystem is not loaded.
    tool(world, 'zfs', 'unmount', 'tank/new')
    await restart()
    await until('it is shared no more', async () => (await send('GET', '/shares/smb')).json.length === 0)
    const refused = await send('POST', '/shares', { ...BOTH, dataset: 'tank/new', create_dataset: true })
    expect([refused.status, refused.json.message]).toEqual([
      409,
      'The filesystem is not mounted: nobody can see whether there are files in it',
    ])
    expect([state(world).includes('tank/new'), notes().length]).toEqual([true, 1])
    tool(world, 'zfs', 'mount', 'tank/new')
    await restart()
    await until('it is undone', () => state(world) === before)
  })

  it.each([
    ['a snapshot', () => tool(world, 'zfs', 'snapshot', 'tank/new@daily-20261130-000000')],
    ['a filesystem below it', () => tool(world, 'zfs', 'create', 'tank/new/below')],
    ['another share', () => tool(world, 'net', 'conf', 'addshare', 'mine', `${world.files}/tank/new`)],
  ])('keeps a new filesystem that has %s since, and shares it no more', { timeout: 120_000 }, async (_what, use) => {
    await restart('share-in-one-shared=kill')
    await expect(send('POST', '/shares', { ...BOTH, dataset: 'tank/new', create_dataset: true })).rejects.toThrow()
    use()
    await restart()
    await until('it is settled', () => notes().length === 0)
    const { json: entries } = await ask(server.url, 'GET', '/api/v1/audit?resource=datasets/tank/new&limit=1', {
      bearer: world.tokens.administrator,
    })
    expect(entries).toMatchObject([
      {
        ...{ actor: 'system', action: 'shares.provision', resource: 'datasets/tank/new', result: 'failure' },
        message: expect.stringMatching(/^interrupted: the filesystem stays, because /),
      },
    ])
    expect((await send('GET', '/datasets/tank/new')).status).toBe(200)
    const names = (await send('GET', '/shares/smb')).json.map(({ name }: { name: string }) => name)
    expect([names.includes('team'), (await send('GET', '/exports/nfs')).json]).toEqual([false, []])
    if (names.includes('mine')) tool(world, 'net', 'conf', 'delshare', 'mine')
    tool(world, 'zfs', 'destroy', '-r', 'tank/new')
  })

  it('is undone also where the undoing was killed between owner and mode', { timeout: 120_000 }, async () => {
    const before = state(world)
    const old = join(world.files, 'tank/old')
    const now = () => {
      const { uid, mode } = statSync(old)
      return [uid, mode & 0o7777]
    }
    const [uid, mode] = now()
    await restart('share-in-one-shared=kill')
    await expect(send('POST', '/shares', { ...BOTH, dataset: 'tank/old' })).rejects.toThrow()
    expect(now()[0]).not.toBe(uid)
    // It may end before it is open.
    await restart('permissions-owned=kill').catch(() => {})
    await until('the owner is back', () => now()[0] === uid)
    expect([now()[1] === mode, notes().length]).toEqual([false, 1])
    await restart()
    await until('it is undone', () => state(world) === before && notes().length === 0)
    expect(now()).toEqual([uid, mode])
  })

  it('leaves permissions alone that somebody has changed since', { timeout: 120_000 }, async () => {
    const before = state(world)
    await restart('share-in-one-shared=kill')
    await expect(send('POST', '/shares', { ...BOTH, dataset: 'tank/old' })).rejects.toThrow()
    const old = join(world.files, 'tank/old')
    chmodSync(old, 0o700)
    chownSync(old, 1002, 100)
    await restart()
    await until('it is settled', () => notes().length === 0)
    const { uid, mode } = statSync(old)
    expect([uid, mode & 0o7777, (await send('GET', '/shares/smb')).json]).toEqual([1002, 0o700, []])
    const back = {
      owner: 'root',
      group: 'root',
      allow_root: true,
      mode: '0755',
      acl: { entries: [] },
      default_acl: null,
    }
    expect((await send('PUT', '/datasets/tank/old/permissions', back)).status).toBe(200)
    expect(state(world)).toBe(before)
  })

  it.each(ROWS)('at $step is there or not (new filesystem: $isNew)', { timeout: 120_000 }, async ({ step, isNew }) => {
    const before = state(world)
    await restart(`${step}=kill`)
    const dataset = isNew ? 'tank/new' : 'tank/old'
    await expect(send('POST', '/shares', { ...BOTH, dataset, create_dataset: isNew })).rejects.toThrow()
    await restart()
    if (!step.endsWith('in-one-done')) {
      // The server sees to it by itself when it starts.
      await until('it is undone', () => state(world) === before)
    } else {
      expect(state(world)).toContain('tank/new')
      for (const kind of ['shares/smb', 'exports/nfs']) {
        const { json } = await send('GET', `/${kind}`)
        expect(json).toEqual([expect.objectContaining({ dataset: 'tank/new' })])
        await send('DELETE', `/${kind}/${json[0].id}`)
      }
      expect((await send('DELETE', '/datasets/tank/new')).status).toBe(200)
    }
    // And it can be done again.
    const again = await send('POST', '/shares', { dataset: 'tank/old', smb: { name: 'again' } })
    expect(again.status).toBe(200)
    await send('DELETE', `/shares/smb/${again.json.smb.id}`)
    expect(state(world)).toBe(before)
  })
})
