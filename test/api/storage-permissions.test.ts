// /datasets/{name}/permissions on a real folder: the names are the fake getent's, the lists the fake setfacl's; owner
// and mode are the file system's.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type InProcess, installation, startAppliance } from './appliance.ts'
import { until } from './client.ts'
import { tool } from './storage-tools.ts'
import { makeWorld, REAL, type World } from './storage-world.ts'

const isRoot = process.getuid?.() === 0
/** Only root gives files away. */
const why = 'fakes only, and needs root; skipped: EDGE_REAL=1 or not root'

describe.skipIf(REAL || !isRoot)(`the permissions of a dataset (${why})`, () => {
  let world: World<InProcess>
  let top: string
  let number = 0
  let name = ''
  beforeAll(async () => {
    world = await makeWorld(startAppliance, { scripts: join(installation(), 'scripts') })
    tool(world, 'zpool', 'create', '-O', `mountpoint=${world.files}/tank`, 'tank', ...world.disks(1))
    world.fakes?.change((model) => {
      const more = { full_name: '', home: '/nonexistent', shell: '/usr/sbin/nologin' }
      model['accounts'] = {
        users: {
          root: { uid: 0, gid: 0, ...more },
          alice: { uid: 1001, gid: 100, ...more },
          'bob smith': { uid: 1002, gid: 100, ...more },
        },
        groups: { root: { gid: 0, members: [] }, staff: { gid: 2001, members: [] } },
        ...{ samba: {}, policy: 5 },
      }
    })
  })
  afterAll(() => world?.close())
  beforeEach(() => {
    name = `tank/d${++number}`
    top = join(world.files, name)
    tool(world, 'zfs', 'create', '-o', 'acltype=posixacl', name)
    mkdirSync(top, { recursive: true })
    chmodSync(top, 0o755)
    world.fakes?.faults()
  })

  const path = (query = '') => `/datasets/${name}/permissions${query}`
  const get = () => world.ask('GET', path())
  const put = (json: unknown, query = '', headers?: Record<string, string>) =>
    world.ask('PUT', path(query), { json, ...(headers && { headers }) })
  const mode = (file = top) => (lstatSync(file).mode & 0o7777).toString(8)
  const SHARED = {
    owner: 'alice',
    group: 'staff',
    mode: '2770',
    acl: { entries: [{ type: 'user', name: 'bob smith', permissions: 'r-x' }] },
    default_acl: {
      owner: 'rwx',
      group: 'rwx',
      other: '---',
      entries: [{ type: 'user', name: 'bob smith', permissions: 'r-x' }],
    },
  }

  it('are shown as they are, and kept as they are asked for', async () => {
    const { json, headers } = await get()
    expect(json).toEqual({
      ...{ dataset: name, path: top, owner: 'root', uid: 0, group: 'root', gid: 0, mode: '0755', acltype: 'posix' },
      acl: { entries: [] },
      default_acl: null,
    })
    const changed = await put(SHARED, '', { 'If-Match': headers['etag'] as string })
    expect([changed.status, changed.json]).toEqual([
      200,
      {
        ...{ dataset: name, path: top, owner: 'alice', uid: 1001, group: 'staff', gid: 2001, mode: '2770' },
        acltype: 'posix',
        acl: { entries: [{ type: 'user', name: 'bob smith', id: 1002, permissions: 'r-x' }], mask: 'rwx' },
        default_acl: {
          ...{ owner: 'rwx', group: 'rwx', other: '---', mask: 'rwx' },
          entries: [{ type: 'user', name: 'bob smith', id: 1002, permissions: 'r-x' }],
        },
      },
    ])
    expect([statSync(top).uid, statSync(top).gid, mode()]).toEqual([1001, 2001, '2770'])
    expect((await put(SHARED, '', { 'If-Match': headers['etag'] as string })).status).toBe(412)
  })

  it('change nothing when what is shown is sent back, and keep their ETag', async () => {
    await put(SHARED)
    const before = await get()
    const calls = world.fakes?.calls().length ?? 0
    const { owner, group, mode: shown, acl, default_acl } = before.json
    const again = await put({ owner, group, mode: shown, acl, default_acl })
    expect([again.status, again.json, again.headers['etag']]).toEqual([200, before.json, before.headers['etag']])
    expect(
      world.fakes
        ?.calls()
        .slice(calls)
        .some(({ program }) => program === 'setfacl'),
    ).toBe(false)
  })

  it('keep what is left out, and let a new mode through an old mask', async () => {
    await put(SHARED)
    await put({ acl: { entries: [{ type: 'group', id: 2001, permissions: 'r--' }], mask: 'r--' } })
    expect((await get()).json).toMatchObject({ owner: 'alice', mode: '2770', acl: { mask: 'r--' } })
    // What stat shows for the group is the mask.
    expect(mode()).toBe('2740')
    const { json } = await put({ mode: '2750' })
    expect(json).toMatchObject({ mode: '2750', acl: { mask: 'r-x', entries: [{ name: 'staff', permissions: 'r--' }] } })
    expect((await put({ acl: { entries: [] }, default_acl: null })).json).toMatchObject({
      acl: { entries: [] },
      default_acl: null,
    })
    expect(mode()).toBe('2750')
  })

  it.each([
    [{ owner: 'nobody-here' }, 400, 'owner', 'There is no such user'],
    [{ group: '4242' }, 400, 'group', 'There is no such group'],
    [{ owner: '-r' }, 400, 'owner', expect.stringContaining('Expected a name')],
    [{ owner: 'a:b' }, 400, 'owner', expect.stringContaining('Expected a name')],
    [{ mode: '4755' }, 400, 'mode', expect.stringContaining('Expected octal digits')],
    [{ mode: 'rwx' }, 400, 'mode', expect.stringContaining('Expected octal digits')],
    [{ acltype: 'nfsv4' }, 400, 'acltype', 'OpenZFS on Linux has no NFSv4 access control lists: expected posixacl'],
    [
      { acl: { entries: [{ type: 'user', name: 'ghost', permissions: 'rwx' }] } },
      400,
      'acl.entries.0.name',
      'There is no such user',
    ],
    [
      { acl: { entries: [{ type: 'user', name: 'alice', id: 1002, permissions: 'rwx' }] } },
      400,
      'acl.entries.0.name',
      'The name and the id are of two accounts',
    ],
    [
      {
        acl: {
          entries: [
            { type: 'user', name: 'alice', permissions: 'rwx' },
            { type: 'user', id: 1001, permissions: 'r--' },
          ],
        },
      },
      400,
      'acl.entries.1',
      'This user is named twice',
    ],
    [
      { acl: { entries: [{ type: 'user', permissions: 'rwx' }] } },
      400,
      'acl.entries.0.name',
      'Expected a name or an id',
    ],
  ])('refuse %j', async (body, status, field, message) => {
    const before = await get()
    const answer = await put(body)
    expect([
      answer.status,
      answer.json.errors?.[0] ?? { field: answer.json.details, message: answer.json.message },
    ]).toEqual([status, { field, message }])
    expect((await get()).json).toEqual(before.json)
  })

  it('become root’s only when that is said in so many words', async () => {
    await put({ owner: 'alice', group: 'staff' })
    for (const body of [{ owner: 'root' }, { owner: '0' }, { group: 'root' }]) {
      const refused = await put(body)
      expect([refused.status, refused.json.message]).toEqual([
        400,
        'This would be root’s: send allow_root true if that is meant',
      ])
    }
    expect((await put({ owner: 'root', allow_root: true })).json).toMatchObject({ owner: 'root', group: 'staff' })
    // It is already; but not everything below it is.
    expect((await put({ owner: 'root' })).status).toBe(200)
    expect((await put({ owner: 'root', recursive: true })).status).toBe(400)
  })

  it('have lists only where the dataset has them, and turn them on when the request says so', async () => {
    tool(world, 'zfs', 'set', 'acltype=off', 'xattr=on', name)
    expect((await get()).json).toMatchObject({
      acltype: 'off',
      without_acl: 'access control lists are off for this dataset (acltype=off)',
    })
    const refused = await put({ acl: SHARED.acl })
    expect([refused.status, refused.json.message]).toEqual([
      409,
      'access control lists are off for this dataset (acltype=off). Send acltype "posixacl" as well to turn them on, with xattr=sa',
    ])
    expect((await put({ ...SHARED, acltype: 'posixacl' })).json).toMatchObject({ acltype: 'posix', mode: '2770' })
    expect(tool(world, 'zfs', 'get', '-H', '-o', 'value', 'acltype,xattr', name)).toMatch(/^posix(acl)?\nsa\n$/)
    tool(world, 'zfs', 'set', 'acltype=nfsv4', name)
    const other = await put({ acl: SHARED.acl })
    expect([other.status, other.json.message]).toEqual([409, expect.stringContaining('OpenZFS on Linux has no NFSv4')])
    // Owner and mode need none.
    expect((await put({ mode: '0700' })).json).toMatchObject({ mode: '0700' })
  })

  it('come back as they were when a step fails, with the dataset’s properties', async () => {
    tool(world, 'zfs', 'set', 'acltype=off', name)
    const before = (await get()).json
    world.fakes?.faults({ program: 'setfacl', nth: 1, stderr: 'setfacl: Out of memory', status: 1 })
    const { status } = await put({ ...SHARED, acltype: 'posixacl' })
    expect(status).toBe(502)
    expect((await get()).json).toEqual(before)
    expect([statSync(top).uid, mode()]).toEqual([0, '755'])
  })

  it('are a failure where the program says success and did nothing', async () => {
    world.fakes?.faults({ program: 'setfacl', nth: 1, status: 0 })
    const { status, json } = await put({ acl: SHARED.acl })
    expect([status, json.message]).toEqual([502, 'The permissions were set, and are not as they were asked for'])
  })

  it('are not changed where the system or this server is', async () => {
    tool(world, 'zfs', 'set', `mountpoint=${world.appliance.folders.state}`, name)
    for (const query of ['', '?dry_run=true']) {
      const { status, json } = await put({ mode: '0777' }, query)
      expect([status, json.message]).toEqual([
        409,
        'The system is on this dataset: its permissions are not changed here',
      ])
    }
    expect((await put({ mode: '0777', recursive: true })).status).toBe(409)
  })

  describe('with an SMB share on it', () => {
    const share = async (more: object) => {
      const answer = await world.ask('POST', '/shares/smb', {
        json: { name: `share${number}`, dataset: name, ...more },
      })
      expect(answer.status).toBe(201)
      return answer.json
    }

    const remake = async (id: string) => {
      for (const recycle_bin of [false, true])
        expect((await world.ask('PUT', `/shares/smb/${id}`, { json: { recycle_bin } })).status).toBe(200)
    }

    it('are not opened to others while home folders are in it', async () => {
      const { id } = await share({ home_folders: true })
      const refused = [{ mode: '0777' }, { mode: '0775' }, { owner: 'alice' }, { mode: '0755', recursive: true }]
      for (const change of [...refused, SHARED]) {
        const { status, json } = await put(change)
        expect([status, json.message]).toEqual([
          409,
          expect.stringContaining(`home folders of the share share${number}`),
        ])
        expect((await put(change, '?dry_run=true')).status).toBe(409)
      }
      expect([mode(), lstatSync(top).uid]).toEqual(['755', 0])
      expect((await put({ mode: '0751' })).status).toBe(200)
      expect((await world.ask('DELETE', `/shares/smb/${id}`)).status).toBe(200)
      expect((await put({ mode: '0775' })).status).toBe(200)
    })

    it('leave others out of the recycle bin, also of one that Samba has made', async () => {
      const bin = join(top, '.recycle')
      const { id } = await share({ recycle_bin: true })
      expect([lstatSync(bin).uid, mode(bin)]).toEqual([0, '1777'])
      // As Samba makes them in a folder with a default list.
      const own = join(bin, 'alice')
      mkdirSync(own)
      symlinkSync('/etc', join(bin, 'link'))
      writeFileSync(join(bin, 'file'), '')
      chownSync(bin, 1001, 100)
      chownSync(own, 1001, 100)
      const list = 'user::rwx\nuser:1002:rwx\ngroup::r-x\nmask::rwx\nother::r-x\n'
      const lists = list + list.replace(/^(?=.)/gm, 'default:')
      execFileSync(join(world.fakes?.programs ?? '', 'setfacl'), ['--remove-default', '--set-file=-', '--', bin, own], {
        input: lists,
      })
      const read = (file: string) => tool(world, 'getfacl', '--absolute-names', '--numeric', '--', file)
      expect(read(own)).toContain('default:user:1002:rwx')
      await remake(id)
      expect([lstatSync(bin).uid, mode(bin), lstatSync(own).uid, mode(own)]).toEqual([0, '1777', 1001, '700'])
      expect(read(bin)).not.toMatch(/default|1002/)
      expect([lstatSync(join(bin, 'link')).isSymbolicLink(), mode('/etc')]).toEqual([true, '755'])
    })

    it('look through a recycle bin only once, however many folders users put there', async () => {
      const bin = join(top, '.recycle')
      const { id } = await share({ recycle_bin: true })
      for (let i = 0; i < 300; i++) mkdirSync(join(bin, `${i}`))
      chownSync(bin, 1001, 100)
      const lists = () => world.fakes?.calls().filter(({ program }) => program === 'setfacl').length ?? 0
      const before = lists()
      await remake(id)
      expect([mode(join(bin, '299')), lists()]).toEqual(['700', before + 1])
      chmodSync(join(bin, '299'), 0o711)
      await remake(id)
      expect([mode(join(bin, '299')), lists()]).toEqual(['711', before + 1])
    })

    it('stay in a recycle bin as they are when those of everything in the dataset are changed', async () => {
      mkdirSync(join(top, 'sub'))
      mkdirSync(join(top, 'sub/.recycle'))
      await share({ recycle_bin: true })
      const own = join(top, '.recycle/bob')
      mkdirSync(own, { mode: 0o700 })
      chownSync(own, 1002, 100)
      const change = { owner: 'alice', mode: '0770', recursive: true }
      expect((await put(change, '?dry_run=true')).json).toMatchObject({ folders: 3, left_out: 1 })
      expect((await put(change)).status).toBeLessThan(300)
      // The last of it.
      await until('the change is made', () => mode(join(top, 'sub/.recycle')) === '770')
      await until('the job has ended', async () => (await put({ mode: '0771' })).status === 200)
      expect([lstatSync(own).uid, mode(own), lstatSync(join(top, '.recycle')).uid]).toEqual([1002, '700', 0])
      expect(lstatSync(join(top, 'sub/.recycle')).uid).toBe(1001)
    })

    it('have a recycle bin as soon as a change of the share needs one', async () => {
      const bin = join(top, '.recycle')
      const { id } = await share({ recycle_bin: true, home_folders: true })
      expect(existsSync(bin)).toBe(false)
      const change = (json: object) => world.ask('PUT', `/shares/smb/${id}`, { json })
      expect((await change({ home_folders: false })).status).toBe(200)
      expect(mode(bin)).toBe('1777')
      expect((await change({ enabled: false })).status).toBe(200)
      rmdirSync(bin)
      expect((await change({ guest_ok: false, recycle_bin: true })).status).toBe(200)
      expect(existsSync(bin)).toBe(false)
      expect((await change({ enabled: true })).status).toBe(200)
      expect(mode(bin)).toBe('1777')
    })

    it('do not keep a share from being changed or disabled while its dataset is not mounted', async () => {
      for (const more of [{ recycle_bin: true }, { home_folders: true }]) {
        const { id } = await share(more)
        tool(world, 'zfs', 'unmount', name)
        const full = { ...more, guest_ok: false }
        for (const json of [
          { ...full, description: 'x' },
          { ...full, enabled: false },
        ])
          expect((await world.ask('PUT', `/shares/smb/${id}`, { json })).status).toBe(200)
        tool(world, 'zfs', 'mount', name)
        expect((await world.ask('DELETE', `/shares/smb/${id}`)).status).toBe(200)
      }
    })

    it.each(['recycle-bin-made', 'recycle-bin-closed'])(
      'have the whole recycle bin after a failure at %s',
      async (step) => {
        const bin = join(top, '.recycle')
        mkdirSync(join(bin, 'alice'), { recursive: true })
        chownSync(bin, 1001, 100)
        const json = { name: `share${number}`, dataset: name, recycle_bin: true }
        process.env['EDGE_FAULT'] = `${step}=error`
        expect((await world.ask('POST', '/shares/smb', { json })).status).toBeGreaterThanOrEqual(500)
        delete process.env['EDGE_FAULT']
        await share({ recycle_bin: true })
        expect([lstatSync(bin).uid, mode(bin), mode(join(bin, 'alice'))]).toEqual([0, '1777', '700'])
      },
    )

    it('have no recycle bin where something else has its name', async () => {
      symlinkSync('/etc', join(top, '.recycle'))
      const json = { name: `share${number}`, dataset: name, recycle_bin: true }
      const { status, json: answer } = await world.ask('POST', '/shares/smb', { json })
      expect([status, answer.message]).toEqual([409, expect.stringContaining('.recycle')])
      expect((await world.ask('GET', '/shares/smb')).json.map((one: { dataset: string }) => one.dataset)).not.toContain(
        name,
      )
    })
  })

  it('are not those of a volume, of what is not mounted, and of what is not there', async () => {
    tool(world, 'zfs', 'create', '-V', '16M', `${name}/v`)
    expect((await world.ask('GET', `/datasets/${name}/v/permissions`)).status).toBe(404)
    expect((await world.ask('GET', `/datasets/${name}/absent/permissions`)).status).toBe(404)
    tool(world, 'zfs', 'unmount', name)
    const { status, json } = await put(SHARED)
    expect([status, json.message]).toEqual([409, 'The dataset is not mounted'])
  })

  describe('of everything below', () => {
    beforeEach(() => {
      mkdirSync(join(top, 'sub'))
      for (const file of ['a', 'sub/b', 'sub/run']) writeFileSync(join(top, file), '', { mode: 0o600 })
      chownSync(join(top, 'sub/run'), 1002, 100)
      chmodSync(join(top, 'sub/run'), 0o4755)
      symlinkSync('/etc/passwd', join(top, 'link'))
    })

    it('are looked at first: how many, and examples, and nothing is changed', async () => {
      const { status, json } = await put({ ...SHARED, recursive: true }, '?dry_run=true')
      expect(status).toBe(200)
      expect(json).toMatchObject({ files: 4, folders: 2, changes: 6, left_out: 0, complete: true })
      expect(json.examples).toContainEqual({
        ...{ path: 'sub/run', owner: 'bob smith', group: '100', mode: '4755' },
        to: { owner: 'alice', group: 'staff', mode: '0770' },
      })
      expect([statSync(top).uid, mode(join(top, 'sub/run'))]).toEqual([0, '4755'])
      await put({ ...SHARED, recursive: true })
      expect((await put({ ...SHARED, recursive: true }, '?dry_run=true')).json).toMatchObject({
        changes: 0,
        examples: [],
      })
    })

    it('are set by a job, and not outside', async () => {
      const passwd = statSync('/etc/passwd')
      const { status, json } = await put({ ...SHARED, recursive: true })
      expect([status, json]).toEqual([200, expect.objectContaining({ owner: 'alice', mode: '2770' })])
      expect(['', 'sub', 'a', 'sub/b', 'sub/run'].map((file) => mode(join(top, file)))).toEqual([
        '2770',
        '2770',
        '660',
        '660',
        '770',
      ])
      expect(lstatSync(join(top, 'link')).uid).toBe(1001)
      expect([statSync('/etc/passwd').uid, statSync('/etc/passwd').mode]).toEqual([passwd.uid, passwd.mode])
      const { json: jobs } = await world.ask('GET', '/jobs')
      expect(jobs[0]).toMatchObject({
        type: 'dataset.permissions',
        status: 'completed',
        message: '6 files and folders done',
      })
    })

    it('can be asked for without waiting', async () => {
      const answer = await put({ owner: 'alice', recursive: true }, '', { Prefer: 'respond-async' })
      expect(answer.status).toBe(202)
      expect(await world.job(answer.json.id)).toMatchObject({ status: 'completed' })
      expect(statSync(join(top, 'sub/b')).uid).toBe(1001)
      // Only the owner was named.
      expect(mode(join(top, 'sub/b'))).toBe('600')
    })
  })

  it('leave nothing behind in the folder of states', () => {
    const left = readdirSync(join(world.appliance.folders.state, 'shares')).filter((file) => /permissions/.test(file))
    expect(left).toEqual([])
  })
})
