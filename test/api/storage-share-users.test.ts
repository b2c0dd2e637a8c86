// Share users and groups through the API: on the fakes, and in a guest on the real useradd, pdbedit and smbpasswd.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const USERS = '/share-users'
const GROUPS = '/share-groups'
const PASSWORD = 'a-good-пароль-1'

let world: World
beforeAll(async () => {
  world = await startStorage()
})
async function clear() {
  for (const path of [USERS, GROUPS])
    for (const { id, builtin } of (await world.ask('GET', path)).json)
      if (!builtin) expect([path, (await world.ask('DELETE', `${path}/${id}`)).status]).toEqual([path, 200])
}
afterAll(async () => {
  // In a guest, the next file finds the same system.
  if (REAL) await clear()
  await world?.close()
})
beforeEach(async () => {
  world.fakes?.faults()
  await clear()
})

const create = (json: object) => world.ask('POST', USERS, { json: { password: PASSWORD, ...json } })
const createGroup = (json: object) => world.ask('POST', GROUPS, { json })
const passwd = () => tool(world, 'getent', 'passwd')
const lineOf = (name: string) =>
  passwd()
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
const membersOf = (name: string) =>
  tool(world, 'getent', 'group')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':')[3]
const sambaOf = (name: string) =>
  tool(world, 'pdbedit', '-L', '-w')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
const everyFile = () =>
  [world.appliance.folders.state, join(world.appliance.folders.root, 'log')].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      : [],
  )

describe('a share user', () => {
  it('is an account of the system and of Samba, without shell, home and log-in', async () => {
    const before = world.appliance.audit().length
    const { status, json, headers } = await create({ name: 'Alice', full_name: 'Alice Müller' })
    expect([status, json]).toEqual([
      201,
      {
        id: String(json.uid),
        uid: expect.any(Number),
        name: 'alice',
        full_name: 'Alice Müller',
        enabled: true,
        groups: [],
        created_at: expect.any(String),
        updated_at: expect.any(String),
      },
    ])
    expect(json.uid).toBeGreaterThanOrEqual(20_000)
    expect(json.uid).toBeLessThanOrEqual(29_999)
    expect(headers.location).toBe(`/api/v1${USERS}/${json.id}`)
    expect(lineOf('alice')).toMatch(
      new RegExp(`^alice:x:${json.uid}:[0-9]+:Alice Müller:/nonexistent:/usr/sbin/nologin$`),
    )
    expect(sambaOf('alice')).toMatch(new RegExp(`^alice:${json.uid}:X{32}:[0-9A-F]{32}:\\[U {10}\\]:`))
    const one = await world.ask('GET', `${USERS}/${json.id}`, { as: 'viewer' })
    expect([one.status, one.json, one.headers.etag]).toEqual([200, json, headers.etag])
    expect((await world.ask('GET', USERS)).json).toEqual([json])
    expect(world.appliance.audit().slice(before)).toEqual([
      expect.stringContaining(`operator,share-users.create,"share-users/${json.id}"`),
    ])
  })

  it('leaves its password nowhere, and its hash in a file for root alone', async () => {
    const secret = 'Gehört-niemandem-7'
    const { json } = await create({ name: 'secretive', password: secret })
    await world.ask('PUT', `${USERS}/${json.id}`, { json: { password: `${secret}x` } })
    await world.ask('POST', USERS, {
      json: { name: 'secretive', password: secret },
      headers: { 'idempotency-key': '"key-1"' },
    })
    const utf8 = Buffer.from(secret).toString('latin1')
    for (const text of everyFile()) expect(text.includes(utf8) || text.includes(secret)).toBe(false)
    for (const { args } of world.fakes?.calls() ?? []) expect(args.join(' ')).not.toContain(secret)
    const file = join(world.appliance.folders.state, 'share-accounts.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(existsSync(join(world.appliance.folders.state, 'share-accounts/import.smbpasswd'))).toBe(false)
    const hash = sambaOf('secretive')?.split(':')[3]
    expect(readFileSync(file, 'utf8')).toContain(`"hash":"${hash}"`)
    for (const { args } of world.fakes?.calls() ?? []) expect(args.join(' ')).not.toContain(hash)
  })

  it.each(['jo doe', 'ждан', "o'neil"])('may be called %s', async (name) => {
    const { status, json } = await create({ name })
    expect([status, json.name]).toEqual([201, name])
    expect(lineOf(name)).toContain(`:x:${json.uid}:`)
    expect(sambaOf(name)).toMatch(/\[U {10}\]/)
  })

  it.each([
    ['name', { name: '-x' }],
    ['name', { name: 'a\nb:x:0:0' }],
    ['name', { name: '../x' }],
    ['name', { name: 'root' }],
    ['password', { password: '' }],
    ['password', { password: 'abc' }],
    ['password', { password: 'one\ntwo-three' }],
    ['password', { password: 'x'.repeat(129) }],
    ['full_name', { full_name: 'a:b' }],
  ])('is refused for its %s: %j', async (field, wrong) => {
    const before = [passwd(), tool(world, 'pdbedit', '-L', '-w')]
    const { status, json } = await create({ name: 'wrong', ...wrong })
    expect([status, json.details]).toEqual([400, field])
    const [value = ''] = Object.values(wrong)
    if (field === 'password' && value.length > 3) expect(JSON.stringify(json)).not.toContain(value.slice(0, 20))
    expect([passwd(), tool(world, 'pdbedit', '-L', '-w')]).toEqual(before)
  })

  it('cannot take the name of an account that was not made here, nor the same name twice', async () => {
    const before = passwd()
    const there = await create({ name: 'www-data' })
    expect([there.status, there.json.code, there.json.details]).toEqual([409, 'CONFLICT', 'name'])
    expect(passwd()).toBe(before)
    expect((await create({ name: 'bob' })).status).toBe(201)
    expect((await create({ name: 'BOB' })).status).toBe(409)
    expect((await createGroup({ name: 'bob' })).status).toBe(409)
    expect((await create({ name: 'edge-shares' })).status).toBe(409)
  })

  it('keeps its number: another user never gets it', async () => {
    const first = await create({ name: 'carol' })
    expect((await world.ask('DELETE', `${USERS}/${first.json.id}`)).status).toBe(200)
    const second = await create({ name: 'carol' })
    expect(second.json.uid).toBeGreaterThan(first.json.uid)
    expect((await world.ask('GET', `${USERS}/${first.json.id}`)).status).toBe(404)
  })

  it('changes what is asked for, and nothing else', async () => {
    const { json: made, headers } = await create({ name: 'dora', full_name: 'Dora' })
    const hash = sambaOf('dora')?.split(':')[3]
    const one = `${USERS}/${made.id}`
    const named = await world.ask('PUT', one, { json: { full_name: 'Dora D.' } })
    expect([named.status, named.json]).toEqual([
      200,
      { ...made, full_name: 'Dora D.', updated_at: named.json.updated_at },
    ])
    expect(lineOf('dora')).toContain(':Dora D.:')
    expect(sambaOf('dora')?.split(':')[3]).toBe(hash)
    expect(
      (await world.ask('PUT', one, { json: { full_name: 'X' }, headers: { 'if-match': headers.etag! } })).status,
    ).toBe(412)
    expect((await world.ask('PUT', one, { json: { password: 'another-one-2' } })).status).toBe(200)
    const changed = sambaOf('dora')?.split(':')[3]
    expect(changed).not.toBe(hash)
    expect((await world.ask('PUT', one, { json: { enabled: false } })).json.enabled).toBe(false)
    expect(sambaOf('dora')).toMatch(new RegExp(`:${changed}:\\[D?U?D? {9}\\]:`))
    expect((await world.ask('PUT', one, { json: { password: 'another-one-3' } })).json.enabled).toBe(false)
    expect(sambaOf('dora')).toMatch(/\[DU {9}\]/)
    expect((await world.ask('PUT', one, { json: { enabled: true } })).json.enabled).toBe(true)
    expect(sambaOf('dora')).toMatch(/\[U {10}\]/)
    for (const full_name of ['a:b', 'a\nb', 'a,b', ' a', 'a"b', 'x'.repeat(101)])
      expect((await world.ask('PUT', one, { json: { full_name } })).status).toBe(400)
  })
})

describe('a share group', () => {
  it('has members that change in one step, and every user is in the group of all', async () => {
    const anna = (await create({ name: 'anna' })).json
    const berta = (await create({ name: 'jo berta' })).json
    const { status, json } = await createGroup({
      name: 'Crew',
      description: 'All of us',
      members: ['Anna', 'jo berta'],
    })
    expect([status, json]).toMatchObject([
      201,
      { id: String(json.gid), name: 'crew', description: 'All of us', members: ['anna', 'jo berta'], builtin: false },
    ])
    expect(membersOf('crew')).toBe('anna,jo berta')
    expect((await world.ask('GET', `${USERS}/${anna.id}`)).json.groups).toEqual(['crew'])
    const fewer = await world.ask('PUT', `${GROUPS}/${json.id}`, { json: { members: ['jo berta'] } })
    expect([fewer.status, fewer.json.members, membersOf('crew')]).toEqual([200, ['jo berta'], 'jo berta'])
    const unknown = await world.ask('PUT', `${GROUPS}/${json.id}`, { json: { members: ['anna', 'nosuch', 'root'] } })
    expect([unknown.status, unknown.json.errors.map(({ field }: { field: string }) => field)]).toEqual([
      400,
      ['members.1', 'members.2'],
    ])
    const moved = await world.ask('PUT', `${USERS}/${berta.id}`, { json: { groups: [] } })
    expect([moved.json.groups, membersOf('crew')]).toEqual([[], ''])
    const back = await world.ask('PUT', `${USERS}/${berta.id}`, { json: { groups: ['crew'] } })
    expect([back.json.groups, membersOf('crew')]).toEqual([['crew'], 'jo berta'])
    const all = (await world.ask('GET', GROUPS)).json.find((one: { builtin: boolean }) => one.builtin)
    expect([all.name, all.members]).toEqual(['edge-shares', ['anna', 'jo berta']])
    expect((await world.ask('PUT', `${GROUPS}/${all.id}`, { json: { members: [] } })).status).toBe(409)
    expect((await world.ask('DELETE', `${GROUPS}/${all.id}`)).status).toBe(409)
    expect((await world.ask('DELETE', `${USERS}/${berta.id}`)).status).toBe(200)
    expect([lineOf('jo berta'), sambaOf('jo berta'), membersOf('crew')]).toEqual([undefined, undefined, ''])
    expect((await world.ask('DELETE', `${GROUPS}/${json.id}`)).status).toBe(200)
    expect(membersOf('crew')).toBeUndefined()
  })

  it('is made with a user that is made for it, and refused where it does not exist', async () => {
    await createGroup({ name: 'editors' })
    const made = await create({ name: 'ed', groups: ['EDITORS'] })
    expect([made.status, made.json.groups, membersOf('editors')]).toEqual([201, ['editors'], 'ed'])
    const refused = await create({ name: 'edda', groups: ['editors', 'nosuch'] })
    expect([refused.status, refused.json.details, lineOf('edda')]).toEqual([400, 'groups.1', undefined])
  })
})

it('no share group is made of a group that the system has', async () => {
  const before = tool(world, 'getent', 'group')
  const names = before.split('\n').flatMap((line) => line.split(':')[0]?.toLowerCase() || [])
  expect(names.length).toBeGreaterThan(3)
  for (const name of names) {
    const { status, json } = await createGroup({ name, members: [] })
    expect([name, status, json.details]).toEqual([name, expect.toBeOneOf([400, 409]), 'name'])
  }
  expect(tool(world, 'getent', 'group')).toBe(before)
})

describe.skipIf(REAL)(`share accounts ${FAKES_ONLY}`, () => {
  const fakes = () => world.fakes!
  const connect = (username: string, uid: number, more: object = {}) =>
    fakes().change((model) => {
      model['samba'] ??= { registry: {}, include: true, smbd: true, told: [] }
      model['samba'].sessions = [
        { id: '11', pid: 4711, uid, username, client: '10.0.0.5', ...more },
        { id: '12', pid: 4712, uid: 33, username: 'www-data', client: '10.0.0.6' },
      ]
    })
  const sessions = () =>
    fakes()
      .model()
      ['samba'].sessions.map(({ id }: { id: string }) => id)

  it('are disabled and removed together with their open sessions, which the answer names', async () => {
    const { json } = await create({ name: 'erna' })
    connect('Erna', json.uid)
    const off = await world.ask('PUT', `${USERS}/${json.id}`, { json: { enabled: false } })
    expect([off.status, off.json.ended_sessions]).toEqual([200, [{ id: '11', client: '10.0.0.5', ended: true }]])
    expect(sessions()).toEqual(['12'])
    connect('erna', json.uid)
    const plan = await world.ask('DELETE', `${USERS}/${json.id}?dry_run=true`)
    expect([plan.status, plan.json]).toMatchObject([
      200,
      { object: `share-users/${json.id}`, depends: [], sessions: [{ id: '11', client: '10.0.0.5' }], files: [] },
    ])
    expect(sessions()).toEqual(['11', '12'])
    const gone = await world.ask('DELETE', `${USERS}/${json.id}?confirm=${plan.json.confirm}`)
    expect([gone.status, gone.json.ended_sessions]).toEqual([200, [{ id: '11', client: '10.0.0.5', ended: true }]])
    expect([sessions(), lineOf('erna'), sambaOf('erna')]).toEqual([['12'], undefined, undefined])
  })

  it('are not disabled where the sessions cannot be listed', async () => {
    const { json } = await create({ name: 'frida' })
    fakes().faults({ program: 'smbstatus', stderr: 'no database' })
    const { status } = await world.ask('PUT', `${USERS}/${json.id}`, { json: { enabled: false } })
    expect([status, sambaOf('frida')]).toEqual([502, expect.stringMatching(/\[U {10}\]/)])
    fakes().faults()
    expect((await world.ask('GET', `${USERS}/${json.id}`)).json.enabled).toBe(true)
  })

  it('are not removed while a share names them', async () => {
    const { json: user } = await create({ name: 'gerda' })
    const { json: group } = await createGroup({ name: 'gardeners', members: ['gerda'] })
    fakes().change((model) => {
      model['samba'] ??= { registry: {}, include: true, smbd: true, told: [] }
      model['samba'].registry = {
        garden: [
          ['path', '/srv'],
          ['valid users', 'Gerda, @gardeners'],
        ],
      }
    })
    const plan = await world.ask('DELETE', `${USERS}/${user.id}?dry_run=true`)
    expect(plan.json.depends).toEqual([
      { object: expect.stringMatching(/^shares\/smb\/smb-/), reason: 'names it in the valid users of garden' },
    ])
    const refused = await world.ask('DELETE', `${USERS}/${user.id}`)
    expect([refused.status, refused.json.message]).toEqual([409, expect.stringContaining('valid users of garden')])
    expect((await world.ask('DELETE', `${GROUPS}/${group.id}`)).status).toBe(409)
    fakes().change((model) => {
      model['samba'].registry.garden[1] = ['admin users', 'gerda']
    })
    const admin = await world.ask('DELETE', `${USERS}/${user.id}`)
    expect([admin.status, admin.json.message]).toEqual([409, expect.stringContaining('admin users of garden')])
    fakes().change((model) => {
      model['samba'].registry = {}
    })
  })

  it('are found in a directory server that lists nothing', async () => {
    const hidden = { uid: 90_001, gid: 100, full_name: '', home: '/', shell: '/bin/sh' }
    fakes().change((model) => {
      model['accounts'].hidden = { remote: hidden }
    })
    expect((await create({ name: 'remote' })).status).toBe(409)
  })

  it('are not made where a program refuses, and nothing is left of them', async () => {
    const before = [passwd(), tool(world, 'getent', 'group'), tool(world, 'pdbedit', '-L', '-w')]
    const cases = [
      { program: 'useradd', stderr: 'useradd: cannot lock /etc/passwd; try again later.' },
      { program: 'pdbedit', match: '^-i', stderr: 'tdb_open: no space' },
      { program: 'smbpasswd', stderr: 'Failed to change entry' },
      { program: 'gpasswd', stderr: 'gpasswd: failure while writing changes to /etc/group' },
      { program: 'useradd', hang: false, when: 'after' as const, stderr: 'useradd: cannot open subuid', status: 16 },
    ]
    await createGroup({ name: 'makers' })
    const groups = tool(world, 'getent', 'group')
    for (const fault of cases) {
      fakes().faults(fault)
      const { status } = await create({ name: 'henry', groups: ['makers'] })
      expect([fault.program, status]).toEqual([fault.program, 502])
      fakes().faults()
      expect([passwd(), tool(world, 'getent', 'group'), tool(world, 'pdbedit', '-L', '-w')]).toEqual([
        before[0],
        groups,
        before[2],
      ])
      expect((await world.ask('GET', USERS)).json).toEqual([])
    }
    expect((await create({ name: 'henry', groups: ['makers'] })).status).toBe(201)
  })

  it('are not made where Samba says success and took nothing', async () => {
    fakes().faults({ program: 'pdbedit', match: '^-i', status: 0, stdout: 'Importing account for ivan...ok\n' })
    const { status, json } = await create({ name: 'ivan' })
    expect([status, json.message]).toEqual([502, 'Samba did not take the account'])
    fakes().faults()
    expect((await world.ask('GET', USERS)).json).toEqual([])
    expect(lineOf('ivan')).toBeUndefined()
  })

  it('obey the account policy of Samba', async () => {
    fakes().change((model) => {
      model['accounts'].policy = 12
    })
    const { status, json } = await create({ name: 'judith', password: 'only-eleven' })
    expect([status, json.message]).toEqual([400, 'Expected at least 12 characters, as Samba’s account policy says'])
    fakes().change((model) => {
      model['accounts'].policy = 5
    })
  })
})
