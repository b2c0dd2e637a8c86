// NFS exports through the API. `exportfs` reads everybody's files, so what it says of somebody else's export must not
// fail ours, and what it says of ours must not pass because the rest went well.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const EXPORTS = '/exports/nfs'
const UNKNOWN = `${EXPORTS}/nfs-000000000000`

let world: World
let top: string
let folder: string
beforeAll(async () => {
  world = await startStorage()
  top = join(world.files, 'tank')
  folder = world.fakes ? join(world.fakes.folder, 'exports.d') : '/etc/exports.d'
  createPool(world, '-m', top, 'nfstank')
  for (const name of ['data', 'other', 'away']) tool(world, 'zfs', 'create', `nfstank/${name}`)
  tool(world, 'zfs', 'create', '-V', '16M', 'nfstank/volume')
  tool(world, 'zfs', 'unmount', 'nfstank/away')
  for (const name of ['data/in it#1', 'other']) mkdirSync(join(top, name), { recursive: true })
  symlinkSync('/etc', join(top, 'data/out'))
})
afterAll(() => world?.close())
beforeEach(async () => {
  world.fakes?.faults()
  for (const { id } of await ours()) expect((await world.ask('DELETE', `${EXPORTS}/${id}`)).status).toBe(200)
})
const stray = () => join(folder, 'stray.exports')
afterEach(() => rmSync(stray(), { force: true }))

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
const list = async (): Promise<any[]> => (await world.ask('GET', EXPORTS)).json
const ours = async () => (await list()).filter(({ managed }) => managed)
const create = (json: object = {}) => world.ask('POST', EXPORTS, { json: { dataset: 'nfstank/data', ...json } })
const active = () => tool(world, 'exportfs', '-s')
/** `exportfs` ends with 1 where there is no /etc/exports; whatever it says, it has read the files. */
const reread = () => {
  try {
    tool(world, 'exportfs', '-ra')
  } catch {}
}

describe('NFS exports', () => {
  it('are made with what was asked for, and the kernel’s table has them when the answer comes', async () => {
    const before = world.appliance.audit().length
    const { status, json, headers } = await create({
      clients: ['192.168.1.77/24', 'FD00:0::1/64', '::ffff:10.0.0.1', '*.Example.com', '@trusted', '10.0.0.1'],
      read_only: true,
      root_squash: false,
    })
    const made = {
      id: expect.stringMatching(/^nfs-[0-9a-f]{12}$/),
      path: join(top, 'data'),
      dataset: 'nfstank/data',
      clients: ['192.168.1.0/24', 'fd00::/64', '10.0.0.1', '*.example.com', '@trusted'],
      read_only: true,
      root_squash: false,
      enabled: true,
      managed: true,
    }
    expect([status, json]).toEqual([201, made])
    expect(headers.location).toBe(`/api/v1${EXPORTS}/${json.id}`)
    expect(headers.etag).toMatch(/^"/)
    for (const client of json.clients)
      expect(active()).toMatch(
        new RegExp(`/data +${client.replace(/[.*]/g, '\\$&')}\\([^)]*\\bro\\b[^)]*no_root_squash`),
      )
    expect(await list()).toEqual([json])
    const one = await world.ask('GET', `${EXPORTS}/${json.id}`, { as: 'viewer' })
    expect([one.status, one.json, one.headers.etag]).toEqual([200, json, headers.etag])
    expect(world.appliance.audit().slice(before)).toEqual([
      expect.stringContaining(`operator,exports.create,"exports/nfs/${json.id}"`),
    ])
  })

  it('are for everyone, to read and write, with root squashed, when nothing else is said', async () => {
    const { json } = await create()
    expect(json).toMatchObject({ clients: ['*'], read_only: false, root_squash: true, enabled: true })
    expect(active()).toMatch(/\/data +\*\([^)]*\brw\b[^)]*root_squash/)
  })

  it('may open a folder of the dataset, whatever its name, and nothing outside of it', async () => {
    const { status, json } = await create({ path: join(top, 'data/in it#1') })
    expect([status, json.path]).toEqual([201, join(top, 'data/in it#1')])
    expect(active()).toContain('data/in\\040it')
    expect(await list()).toEqual([json])
    for (const path of [
      join(top, 'other'),
      join(top, 'dat'),
      top,
      '/etc',
      join(top, 'data/out'),
      join(top, 'data/no'),
    ]) {
      const answer = await create({ path })
      expect([path, answer.status, answer.json.details]).toEqual([path, 400, 'path'])
    }
  })

  it('need a dataset that is there, and mounted', async () => {
    const cases = [
      ['nfstank/absent', 404],
      ['nfstank/volume', 409],
      ['nfstank/away', 409],
    ] as const
    for (const [dataset, wanted] of cases) {
      const { status, json } = await create({ dataset })
      expect([dataset, status, json.details]).toEqual([dataset, wanted, dataset])
    }
    expect(await list()).toEqual([])
  })

  it('open a path to a client only once', async () => {
    const { json } = await create({ clients: ['10.0.0.0/8', '192.168.1.0/24'] })
    const second = await create({ clients: ['192.168.1.9/24'], read_only: true })
    expect([second.status, second.json.details]).toEqual([409, json.id])
    const other = await create({ clients: ['192.168.2.0/24'] })
    expect(other.status).toBe(201)
    const widened = await world.ask('PUT', `${EXPORTS}/${other.json.id}`, { json: { clients: ['10.0.0.0/8'] } })
    expect(widened.status).toBe(409)
    expect(await list()).toEqual([json, other.json])
  })

  it('keep what a change does not name, and are out of the table while they are not enabled', async () => {
    const { json } = await create({ clients: ['10.0.0.0/8'] })
    const one = `${EXPORTS}/${json.id}`
    const off = await world.ask('PUT', one, { json: { enabled: false } })
    expect([off.status, off.json]).toEqual([200, { ...json, enabled: false }])
    expect(active()).not.toContain('/data')
    expect(await list()).toEqual([off.json])
    const on = await world.ask('PUT', one, { json: { enabled: true, read_only: true, clients: ['10.1.0.0/16'] } })
    expect(on.json).toEqual({ ...json, read_only: true, clients: ['10.1.0.0/16'] })
    expect(active()).toMatch(/\/data +10\.1\.0\.0\/16\([^)]*\bro\b/)
    expect(active()).not.toContain('10.0.0.0/8')
  })

  it('lose no change to a second writer, who is told', async () => {
    const { json, headers } = await create()
    const one = `${EXPORTS}/${json.id}`
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        world.ask('PUT', one, { json: { clients: [`10.0.0.${n}`] }, headers: { 'if-match': String(headers.etag) } }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
    expect(await list()).toEqual([answers.find(({ status }) => status === 200)?.json])
  })

  it('are all there when many are made at once (SEC-33)', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((n) => create({ clients: [`10.0.0.${n}`] })))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
    const ids = (all: { id: string }[]) => all.map(({ id }) => id).sort()
    expect(ids(await list())).toEqual(ids(answers.map(({ json }) => json)))
  })

  it('are gone once deleted, and unknown from then on', async () => {
    const { json } = await create()
    const before = world.appliance.audit().length
    expect((await world.ask('DELETE', `${EXPORTS}/${json.id}`)).status).toBe(200)
    expect(active()).not.toContain('/data')
    for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as const) {
      const answer = await world.ask(method, `${EXPORTS}/${json.id}`, { ...(body && { json: body }) })
      expect([answer.status, answer.json.code, answer.json.details]).toEqual([404, 'NOT_FOUND', json.id])
    }
    expect((await world.ask('GET', UNKNOWN)).status).toBe(404)
    expect(world.appliance.audit().slice(before)).toHaveLength(3)
  })

  it('that were made by hand are listed, and left alone', async () => {
    await create({ clients: ['10.0.0.1'] })
    const text = `${join(top, 'data')} 10.0.0.2(rw,no_subtree_check) 10.0.0.3(rw,no_subtree_check)\n`
    writeFileSync(stray(), text)
    reread()
    const found = (await list()).find(({ managed }) => !managed)
    expect(found).toEqual({
      id: expect.stringMatching(/^nfs-[0-9a-f]{12}$/),
      path: join(top, 'data'),
      clients: ['10.0.0.2', '10.0.0.3'],
      read_only: false,
      root_squash: true,
      enabled: true,
      managed: false,
    })
    const one = `${EXPORTS}/${found.id}`
    expect((await world.ask('GET', one)).json).toEqual(found)
    for (const answer of [await world.ask('PUT', one, { json: { read_only: true } }), await world.ask('DELETE', one)])
      expect([answer.status, answer.json.details]).toEqual([409, found.id])
    expect((await create({ clients: ['10.0.0.3'] })).json.details).toBe(found.id)
    expect(readFileSync(stray(), 'utf8')).toBe(text)
    expect(active()).toContain('10.0.0.2')
  })

  it('keep the lines that somebody wrote into our file', async () => {
    await create({ clients: ['10.0.0.1'] })
    const file = join(folder, 'edge-admin.exports')
    const line = `${join(top, 'other')} 10.9.0.0/16(ro,no_subtree_check)`
    writeFileSync(file, `${readFileSync(file, 'utf8')}${line}\n`)
    expect((await create({ clients: ['10.0.0.2'] })).status).toBe(201)
    expect(readFileSync(file, 'utf8').split('\n')).toContain(line)
    expect((await list()).map(({ managed }) => managed)).toEqual([true, true, false])
    rmSync(file)
    reread()
  })

  it('are not failed by the faults of somebody else’s', async () => {
    writeFileSync(stray(), `/nosuch-folder 10.0.0.9(ro,no_subtree_check)\n`)
    const { status, json } = await create({ clients: ['10.0.0.1'] })
    expect(status).toBe(201)
    expect(active()).toContain('10.0.0.1')
    expect((await world.ask('DELETE', `${EXPORTS}/${json.id}`)).status).toBe(200)
    expect(active()).not.toContain('10.0.0.1')
    rmSync(stray())
    reread()
  })

  it('are refused with the program’s words when a host name is nobody’s, and nothing is changed', async () => {
    const { json } = await create({ clients: ['10.0.0.1'] })
    const before = [active(), readFileSync(join(folder, 'edge-admin.exports'), 'utf8')]
    const more = await create({ clients: ['10.0.0.2', 'nobody-is-called.invalid'] })
    expect([more.status, more.json.code, more.json.message]).toEqual([
      502,
      'COMMAND_FAILED',
      'Failed to resolve nobody-is-called.invalid',
    ])
    const one = await world.ask('PUT', `${EXPORTS}/${json.id}`, { json: { clients: ['nobody-is-called.invalid'] } })
    expect(one.status).toBe(502)
    expect([active(), readFileSync(join(folder, 'edge-admin.exports'), 'utf8')]).toEqual(before)
    expect(await list()).toEqual([json])
  })

  it('take no client, path or dataset that a file of exports cannot hold (SEC-02, SEC-03)', async () => {
    const long = 'x'.repeat(300)
    const clients = [
      '',
      ' ',
      '-a',
      'a b',
      'a\n/etc *(rw)',
      '10.0.0.0/33',
      '10.0.0.0/0',
      '10.0.0.0/8/8',
      '10.0.0',
      '10.0.0.*',
      '1.2.3.4(rw)',
    ]
    const more = [
      'fd00::/129',
      'fe80::1%eth0',
      '[a-z.x',
      '[].x',
      '@',
      '@a b',
      'a#b',
      '"a"',
      'a\0',
      '$(id)',
      'a;b',
      'a,b',
      'gss/krb5 x',
      '10.0.0.1/255.0.255.0',
      '0.0.0.0/0',
      '::/0',
      long,
    ]
    const bodies: [string, object][] = [
      ...[...clients, ...more].map((client): [string, object] => ['clients.0', { clients: [client] }]),
      ['clients', { clients: [] }],
      ['clients', { clients: '*' }],
      ['clients', { clients: Array.from({ length: 300 }, (_, i) => `h${i}`) }],
      ...[
        '',
        'data',
        '/tank/../etc',
        '/tank/./data',
        '//tank',
        '/tank/',
        '/a\n/etc *(rw)',
        '/a"b',
        '/a\\040',
        `/${long.repeat(4)}`,
      ].map((path): [string, object] => ['path', { path }]),
      ...['../x', 'tank@x', '-tank', 'a,b', ''].map((dataset): [string, object] => ['dataset', { dataset }]),
      ['read_only', { read_only: 'yes' }],
      ['root_squash', { root_squash: 0 }],
      ['fsid', { fsid: '0' }],
      ['enabled', { enabled: true }],
    ]
    const calls = world.fakes?.calls().length
    for (const [field, body] of bodies) {
      const { status, json } = await create(body)
      expect([body, status, json]).toEqual([body, 400, expect.objectContaining({ details: field })])
    }
    expect(world.fakes?.calls().length).toBe(calls)
    expect((await world.ask('POST', EXPORTS, { json: {} })).json.details).toBe('dataset')
  })
})

describe.skipIf(REAL)(`when exportfs fails ${FAKES_ONLY}`, () => {
  const apply = { program: 'exportfs', match: '-ra', nth: 1 }
  const text = () => readFileSync(join(folder, 'edge-admin.exports'), 'utf8')

  it('a new export, a change and a removal leave everything as it was', async () => {
    const { json } = await create({ clients: ['10.0.0.1'] })
    const before = [active(), text()]
    const one = `${EXPORTS}/${json.id}`
    const acts = [
      () => create({ clients: ['10.0.0.2'] }),
      () => world.ask('PUT', one, { json: { read_only: true } }),
      () => world.ask('DELETE', one),
    ]
    const faults = [
      [
        { stderr: 'exportfs: could not open /var/lib/nfs/.etab.lock for locking', status: 2 },
        502,
        /^could not open|^exportfs: could/,
      ],
      [{ kill: 'self' }, 502, /ended unexpectedly/],
      [{ kill: 'self', when: 'after' }, 502, /ended unexpectedly/],
    ] as const
    for (const act of acts)
      for (const [fault, status, message] of faults) {
        world.fakes?.faults({ ...apply, ...fault })
        const answer = await act()
        expect([answer.status, answer.json.message]).toEqual([status, expect.stringMatching(message)])
        expect(JSON.stringify(answer.json)).not.toContain(world.appliance.folders.root)
        world.fakes?.faults()
        expect([active(), text()]).toEqual(before)
      }
    expect(await list()).toEqual([json])
  })

  it('what could not be undone is undone before anything else is answered', async () => {
    const { json } = await create({ clients: ['10.0.0.1'] })
    const before = text()
    world.fakes?.faults({ program: 'exportfs', match: '-ra', stderr: 'no memory', status: 2 })
    expect((await create({ clients: ['10.0.0.2'] })).status).toBe(502)
    expect((await world.ask('GET', EXPORTS)).json.message).toBe('no memory')
    world.fakes?.faults()
    expect(await list()).toEqual([json])
    expect(text()).toBe(before)
  })

  it('and a program that is missing is named', async () => {
    rmSync(join(world.fakes?.programs ?? '', 'exportfs'))
    const { status, json } = await create()
    expect([status, json.code, json.message]).toEqual([
      503,
      'SERVICE_UNAVAILABLE',
      'exportfs is not installed or cannot be started',
    ])
  })
})
