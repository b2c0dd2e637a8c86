// SMB shares through the API. With Samba's tools on this machine the whole file runs twice, on the real `net` and
// `testparm` and on the fakes; that is what keeps these fakes honest.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installFakes } from '../fakes/install.ts'
import { HAS_SAMBA_TOOLS, useRealSamba } from './samba-world.ts'
import { createPool, tool } from './storage-tools.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const SHARES = '/shares/smb'
/** Only root gives folders away. */
const isRoot = process.getuid?.() === 0
/** As domains and people have them. */
const FIELD_USERS = ['@Domain Users', '@CORP\\Domain Users', 'alice@corp.example.com', 'jörg', "O'Brien", 'pc1$']
const UNKNOWN = `${SHARES}/smb-000000000000`

for (const tools of REAL ? ['real'] : HAS_SAMBA_TOOLS ? ['real', 'fake'] : ['fake'])
  describe(`SMB shares on ${tools} tools of Samba`, () => {
    let world: World
    let top: string
    beforeAll(async () => {
      world = await startStorage()
      if (tools === 'real') useRealSamba(world)
      top = join(world.files, 'tank')
      createPool(world, '-m', top, 'smbtank')
      for (const name of ['data', 'other']) tool(world, 'zfs', 'create', `smbtank/${name}`)
      tool(world, 'zfs', 'create', '-V', '16M', 'smbtank/volume')
      tool(world, 'zfs', 'create', '-o', 'mountpoint=none', 'smbtank/nowhere')
      tool(world, 'zfs', 'create', 'smbtank/away')
      tool(world, 'zfs', 'unmount', 'smbtank/away')
      mkdirSync(join(top, 'data/in it'), { recursive: true })
      symlinkSync('/etc', join(top, 'data/out'))
    })
    afterAll(() => world?.close())
    beforeEach(async () => {
      world.fakes?.faults()
      for (const { id, managed } of (await list()).filter((one) => one.managed)) {
        expect(managed).toBe(true)
        expect((await world.ask('DELETE', `${SHARES}/${id}`)).status).toBe(200)
      }
    })

    // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
    const list = async (): Promise<any[]> => (await world.ask('GET', SHARES)).json
    const create = (json: object) =>
      world.ask('POST', SHARES, { json: { name: 'data', dataset: 'smbtank/data', ...json } })
    const registry = () => tool(world, 'net', 'conf', 'list')

    describe.skipIf(!isRoot)('that show each user a folder of their own (needs root; skipped: not root)', () => {
      let base = ''
      let number = 0
      const user = (name: string) =>
        world.ask('POST', '/share-users', { json: { name, password: 'a-good-one-1', groups: [] } })
      const folders = () =>
        Object.fromEntries(
          readdirSync(base).map((name) => {
            const { uid, mode } = statSync(join(base, name))
            return [name, [uid, (mode & 0o7777).toString(8)]]
          }),
        )
      const at = () => ({ name: `homes${number}`, dataset: `smbtank/homes${number}`, home_folders: true })
      const make = (more: object = {}) => world.ask('POST', SHARES, { json: { ...at(), ...more } })
      const fresh = () => {
        base = join(top, `homes${++number}`)
        tool(world, 'zfs', 'create', `smbtank/homes${number}`)
        mkdirSync(base, { recursive: true })
        chmodSync(base, 0o755)
      }

      it('make it for the share users that there are, and for those that come', async () => {
        fresh()
        const first = await user(`anna${number}`)
        const second = await user(`o'neil ${number}`)
        expect([first.status, second.status]).toEqual([201, 201])
        const { status, json } = await make({ valid_users: [`anna${number}`] })
        expect([status, json]).toMatchObject([201, { path: base, home_folders: true, guest_ok: false }])
        expect(registry()).toContain(`path = ${base}/%u`)
        const own = (answer: { json: { uid: number } }) => [answer.json.uid, '700']
        expect(folders()).toMatchObject({ [`anna${number}`]: own(first), [`o_neil ${number}`]: own(second) })
        const third = await user(`berta${number}`)
        expect(folders()[`berta${number}`]).toEqual(own(third))
        // Turned off, the share is the folder of all; the folders stay.
        const off = await world.ask('PUT', `${SHARES}/${json.id}`, { json: { home_folders: false } })
        expect([off.json.path, off.json.home_folders]).toEqual([base, undefined])
        expect(registry()).not.toContain('%u')
        rmSync(join(base, `berta${number}`), { recursive: true })
        const on = await world.ask('PUT', `${SHARES}/${json.id}`, { json: { home_folders: true } })
        expect([on.json.home_folders, folders()[`berta${number}`]]).toEqual([true, own(third)])
        expect(on.headers['etag']).not.toBe(off.headers['etag'])
      })

      it('leave alone what is there under the name of a user, and give away only what is empty', async () => {
        fresh()
        const [one, two, three, four] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => user(`x${number}${name}`)))
        const path = (name: string) => join(base, `x${number}${name}`)
        symlinkSync('/etc', path('a'))
        mkdirSync(path('b'))
        writeFileSync(join(path('b'), 'of somebody'), '')
        mkdirSync(path('c'))
        writeFileSync(path('d'), '')
        expect((await make()).status).toBe(201)
        expect(lstatSync(path('a')).isSymbolicLink()).toBe(true)
        expect(statSync('/etc').uid).toBe(0)
        expect([statSync(path('b')).uid, statSync(path('c')).uid, statSync(path('d')).uid]).toEqual([
          0,
          three!.json.uid,
          0,
        ])
        expect([one, two, four].map((answer) => answer!.status)).toEqual([201, 201, 201])
      })

      it('are refused to guests, in a folder that others may write in, and in one that is not mounted', async () => {
        fresh()
        const guests = await make({ guest_ok: true })
        expect([guests.status, guests.json.details]).toEqual([400, 'home_folders'])
        for (const mode of [0o777, 0o775, 0o700]) {
          chmodSync(base, mode)
          const { status, json } = await make()
          expect([mode, status, json.details]).toEqual([mode, 409, at().dataset])
        }
        // Who may write above it could put another folder in its place.
        const path = join(base, 'inner')
        mkdirSync(path)
        chmodSync(path, 0o755)
        for (const mode of [0o777, 0o775]) {
          chmodSync(base, mode)
          expect([mode, (await make({ path })).status]).toEqual([mode, 409])
        }
        chmodSync(base, 0o755)
        expect(readdirSync(path)).toEqual([])
        expect((await make({ dataset: 'smbtank/away' })).status).toBe(409)
        expect(await list()).toEqual([])
        const { json } = await make({ path })
        expect(readdirSync(path)).not.toEqual([])
        const later = await world.ask('PUT', `${SHARES}/${json.id}`, { json: { guest_ok: true } })
        expect([later.status, later.json.details]).toEqual([400, 'home_folders'])
        expect((await list())[0].guest_ok).toBe(false)
      })
    })

    it('are made with what was asked for, and Samba has them when the answer comes', async () => {
      const before = world.appliance.audit().length
      const { status, json, headers } = await create({
        description: 'Größe; # "all" [of] it',
        read_only: true,
        guest_ok: true,
        valid_users: ['alice', '@staff', 'OFFICE\\bob', 'alice', ...FIELD_USERS],
      })
      const { id } = json
      expect([status, json]).toEqual([
        201,
        {
          id: expect.stringMatching(/^smb-[0-9a-f]{12}$/),
          name: 'data',
          path: join(top, 'data'),
          dataset: 'smbtank/data',
          description: 'Größe; # "all" [of] it',
          read_only: true,
          guest_ok: true,
          valid_users: ['alice', '@staff', 'OFFICE\\bob', ...FIELD_USERS],
          enabled: true,
          managed: true,
        },
      ])
      expect(headers.location).toBe(`/api/v1${SHARES}/${id}`)
      expect(headers.etag).toMatch(/^"/)
      expect(registry()).toContain(`[data]\n\tpath = ${join(top, 'data')}\n`)
      expect(registry()).toContain(`\tedge-admin:id = ${id}\n`)
      expect(await list()).toContainEqual(json)
      const one = await world.ask('GET', `${SHARES}/${id}`, { as: 'viewer' })
      expect([one.status, one.json, one.headers.etag]).toEqual([200, json, headers.etag])
      expect(world.appliance.audit().slice(before)).toEqual([
        expect.stringContaining(`operator,shares.create,"shares/smb/${id}"`),
      ])
      if (world.fakes) expect(world.fakes.model()['samba'].told).toContain('all reload-config')
    })

    it('may open a folder of the dataset, and nothing outside of it', async () => {
      const { status, json } = await create({ path: join(top, 'data/in it'), name: 'folder' })
      expect([status, json.path]).toEqual([201, join(top, 'data/in it')])
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
        ['smbtank/absent', 404],
        ['smbtank/volume', 409],
        ['smbtank/nowhere', 409],
        ['smbtank/away', 409],
      ] as const
      for (const [dataset, wanted] of cases) {
        const { status, json } = await create({ dataset })
        expect([dataset, status, json.details]).toEqual([dataset, wanted, dataset])
      }
      expect((await list()).filter(({ managed }) => managed)).toEqual([])
    })

    it('have names as Windows has them', async () => {
      const { status, json } = await create({ name: 'Fotos & Größe (2026)' })
      expect([status, json.name]).toEqual([201, 'Fotos & Größe (2026)'])
      expect((await world.ask('GET', `${SHARES}/${json.id}`)).json).toEqual(json)
      expect((await create({ name: 'FOTOS & GRÖSSE (2026)' })).status).toBe(201)
      expect((await create({ name: 'fotos & größe (2026)' })).json.details).toBe('name')
    })

    it('have a name once, however it is written', async () => {
      expect((await create({})).status).toBe(201)
      const before = registry()
      const { status, json } = await create({ name: 'DATA', dataset: 'smbtank/other' })
      expect([status, json.code, json.details]).toEqual([409, 'CONFLICT', 'name'])
      expect(registry()).toBe(before)
    })

    it('keep what a change does not name, whoever wrote it', async () => {
      const { json: made } = await create({ description: 'first', valid_users: ['alice'] })
      tool(world, 'net', 'conf', 'setparm', 'data', 'browseable', 'no')
      const one = `${SHARES}/${made.id}`
      const changed = await world.ask('PUT', one, { json: { read_only: true } })
      expect([changed.status, changed.json]).toEqual([200, { ...made, read_only: true }])
      const emptied = await world.ask('PUT', one, { json: { description: '', valid_users: [], enabled: false } })
      expect(emptied.json).toEqual({ ...changed.json, description: '', valid_users: [], enabled: false })
      expect((await world.ask('GET', one)).json).toEqual(emptied.json)
      expect(registry()).toContain('browseable = no')
      expect(registry()).toContain('available = no')
      expect((await world.ask('PUT', one, { json: { enabled: true } })).json.enabled).toBe(true)
    })

    it('have a recycle bin, previous versions, Time Machine and addresses, each by itself', async () => {
      const options = {
        hosts_allow: ['192.168.1.0/24', '2001:db8::/32', '10.0.0.7'],
        hosts_deny: ['192.168.1.66'],
        recycle_bin: true,
        previous_versions: true,
        time_machine: { max_bytes: 2 ** 40 },
      }
      const { status, json: made } = await create(options)
      expect([status, made]).toEqual([201, expect.objectContaining(options)])
      const one = `${SHARES}/${made.id}`
      const modules = () => /vfs objects = (.*)/.exec(registry())?.[1]
      expect(modules()).toBe('shadow_copy2 recycle catia fruit streams_xattr')
      expect(registry()).toContain('shadow:format = -%Y%m%d-%H%M%S')
      // A module of somebody else stays where it is, behind ours.
      tool(world, 'net', 'conf', 'setparm', 'data', 'vfs objects', `${modules()} full_audit`)
      const change = async (json: object) => (await world.ask('PUT', one, { json })).json
      const without = await change({ recycle_bin: false, hosts_allow: [], time_machine: {} })
      const { recycle_bin, hosts_allow, ...others } = made
      expect(without).toEqual({ ...others, time_machine: {} })
      expect(modules()).toBe('shadow_copy2 catia fruit streams_xattr full_audit')
      expect(registry()).not.toMatch(/recycle:|max size/)
      const plain = await change({ previous_versions: false, time_machine: null, hosts_deny: [] })
      expect(plain).not.toHaveProperty('time_machine')
      expect((await world.ask('GET', one)).json).toEqual(plain)
      expect(modules()).toBe('full_audit')
      expect(registry()).not.toMatch(/shadow:|fruit:|hosts/)
    })

    it('lose no change to a second writer, who is told', async () => {
      const { json, headers } = await create({})
      const one = `${SHARES}/${json.id}`
      const send = (description: string) =>
        world.ask('PUT', one, { json: { description }, headers: { 'if-match': String(headers.etag) } })
      const answers = await Promise.all(['a', 'b', 'c', 'd'].map(send))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412])
      const winner = answers.find(({ status }) => status === 200)
      expect((await world.ask('GET', one)).json.description).toBe(winner?.json.description)
    })

    it('are all there when many are made at once (SEC-33)', async () => {
      const names = Array.from({ length: 8 }, (_, i) => `share${i}`)
      const answers = await Promise.all([...names, 'SHARE0'].map((name) => create({ name })))
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(8)
      const found = (await list()).filter(({ managed }) => managed).map(({ name }) => name.toLowerCase())
      expect(found.sort()).toEqual(names)
    })

    it('are gone once deleted, and unknown from then on', async () => {
      const { json } = await create({})
      const before = world.appliance.audit().length
      expect((await world.ask('DELETE', `${SHARES}/${json.id}`)).status).toBe(200)
      expect(registry()).not.toContain('[data]')
      for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as const) {
        const answer = await world.ask(method, `${SHARES}/${json.id}`, { ...(body && { json: body }) })
        expect([answer.status, answer.json.code, answer.json.details]).toEqual([404, 'NOT_FOUND', json.id])
      }
      expect((await world.ask('GET', UNKNOWN)).status).toBe(404)
      expect(world.appliance.audit().slice(before)).toHaveLength(3)
    })

    it('are not switched on while their dataset is not mounted', async () => {
      const one = `${SHARES}/${(await create({})).json.id}`
      expect((await world.ask('PUT', one, { json: { enabled: false } })).status).toBe(200)
      tool(world, 'zfs', 'unmount', 'smbtank/data')
      try {
        const { status, json } = await world.ask('PUT', one, { json: { enabled: true } })
        expect([status, json.message, json.details]).toEqual([409, 'The dataset is not mounted', 'smbtank/data'])
        expect((await world.ask('GET', one)).json.enabled).toBe(false)
      } finally {
        tool(world, 'zfs', 'mount', 'smbtank/data')
      }
      expect((await world.ask('PUT', one, { json: { enabled: true } })).status).toBe(200)
    })

    it('that were made by hand are listed, and left alone', async () => {
      tool(world, 'net', 'conf', 'addshare', 'by hand', '/srv', 'writeable=y', 'guest_ok=n', 'not ours')
      try {
        const before = registry()
        const found = (await list()).find(({ name }) => name === 'by hand')
        expect(found).toEqual({
          id: expect.stringMatching(/^smb-[0-9a-f]{12}$/),
          name: 'by hand',
          path: '/srv',
          description: 'not ours',
          read_only: false,
          guest_ok: false,
          valid_users: [],
          enabled: true,
          managed: false,
        })
        const one = `${SHARES}/${found.id}`
        expect((await world.ask('GET', one)).json).toEqual(found)
        for (const answer of [
          await world.ask('PUT', one, { json: { read_only: true } }),
          await world.ask('DELETE', one),
        ])
          expect([answer.status, answer.json.details]).toEqual([409, found.id])
        expect((await create({ name: 'data' })).status).toBe(201)
        expect(registry()).toContain(before.trim())
      } finally {
        tool(world, 'net', 'conf', 'delshare', 'by hand')
      }
    })

    it('take no name, path, user or text that Samba, Windows or we would stumble over (SEC-02, SEC-03)', async () => {
      const long = 'x'.repeat(300)
      const texts = [
        '..',
        'a/b',
        '-a',
        ' a',
        'a\0',
        'a\n[evil]',
        'a]',
        '"a"',
        'a+b',
        '%U',
        long,
        'a%2Fb',
        '$(id)',
        '`id`',
        'a;b',
        '',
      ]
      const names = [
        ...texts,
        'global',
        'Homes',
        'PRINTERS',
        'print$',
        'IPC$',
        'c$',
        'CON',
        'com1',
        'lpt9.txt',
        'x'.repeat(81),
      ]
      const bodies: [string, object][] = [
        ...names.map((name): [string, object] => ['name', { name }]),
        ...[
          '',
          'data',
          '/tank/../etc',
          '/tank/./data',
          '//tank',
          '/tank/',
          '/tank\n[evil]',
          '/t%U',
          '/a"b',
          '/a\\',
          `/${long.repeat(4)}`,
        ].map((path): [string, object] => ['path', { path }]),
        ...['a\n[evil]', 'a\0', '%U', 'a\\', ' a', 'a ', '\u0085', '\u2028', long].map(
          (description): [string, object] => ['description', { description }],
        ),
        ...['-a', ' a', 'a ', 'a,b', 'a;b', 'A\\B\\c', '@@a', 'a\nb', '@', '%U', '+group', '"a"', long, ''].map(
          (user): [string, object] => ['valid_users.0', { valid_users: [user] }],
        ),
        ...['../x', 'tank@x', '-tank', 'a,b', '', 'mirror'].map((dataset): [string, object] => [
          'dataset',
          { dataset },
        ]),
        ...[
          'server',
          '*',
          '@all',
          '1.2.3.4/99',
          '10.0.0.',
          '0.0.0.0/0',
          'EXCEPT',
          '10.0.0.1 EXCEPT 10.0.0.2',
          '10.0.0.1\n[x]',
          '%I',
          '',
        ].map((host): [string, object] => ['hosts_allow.0', { hosts_allow: [host] }]),
        ['hosts_deny', { hosts_deny: '10.0.0.1' }],
        ['recycle_bin', { recycle_bin: 'yes' }],
        ['time_machine.max_bytes', { time_machine: { max_bytes: 1 } }],
        ['time_machine', { time_machine: true }],
        ['read_only', { read_only: 'yes' }],
        ['guest_ok', { guest_ok: 1 }],
        ['valid_users', { valid_users: 'alice' }],
        ['valid_users', { valid_users: Array.from({ length: 300 }, (_, i) => `u${i}`) }],
        ['vfs objects', { 'vfs objects': 'x' }],
        ['enabled', { enabled: true }],
      ]
      const calls = world.fakes?.calls().length
      for (const [field, body] of bodies) {
        const { status, json } = await create(body)
        expect([body, status, json]).toEqual([body, 400, expect.objectContaining({ details: field })])
      }
      expect(world.fakes?.calls().length).toBe(calls)
      expect((await world.ask('POST', SHARES, { json: { name: 'data' } })).json.details).toBe('dataset')
    })

    it.skipIf(REAL)(
      `that are closed or made read-only lose the connections that could still write ${FAKES_ONLY}`,
      async () => {
        const { json } = await create({})
        const one = `${SHARES}/${json.id}`
        const told = async (method: string, body?: object) => {
          world.fakes?.change((model) => delete model['samba'].told)
          expect((await world.ask(method, one, { ...(body && { json: body }) })).status).toBe(200)
          return (world.fakes?.model()['samba'].told as string[] | undefined)?.filter((words) => words !== 'smbd ping')
        }
        const denied = ['all reload-config', 'smbd close-denied-share data']
        const closed = ['all reload-config', 'smbd close-share data']
        expect(await told('PUT', { description: 'new' })).toEqual(denied)
        expect(await told('PUT', { valid_users: ['alice'] })).toEqual(denied)
        expect(await told('PUT', { guest_ok: true })).toEqual(denied)
        expect(await told('PUT', { read_only: true })).toEqual(closed)
        expect(await told('PUT', { read_only: false })).toEqual(denied)
        expect(await told('PUT', { enabled: false })).toEqual(closed)
        expect(await told('PUT', { enabled: true })).toEqual(denied)
        expect(await told('DELETE')).toEqual(closed)
      },
    )

    describe.skipIf(REAL)(`when Samba’s programs fail ${FAKES_ONLY}`, () => {
      const faults = (...all: Parameters<NonNullable<World['fakes']>['faults']>) => world.fakes?.faults(...all)
      /** A change that fails like this, and leaves everything as it was. */
      async function fails(act: () => ReturnType<World['ask']>, status: number, message: RegExp | string) {
        world.fakes?.faults()
        const before = registry()
        return async (...all: Parameters<typeof faults>) => {
          faults(...all)
          const answer = await act()
          expect([answer.status, answer.json.message]).toEqual([status, expect.stringMatching(message)])
          expect(JSON.stringify(answer.json)).not.toMatch(
            new RegExp(`${world.appliance.folders.root}|/programs|\\bat `),
          )
          faults()
          expect(registry()).toBe(before)
        }
      }

      it('a new share is answered with their words, and is nowhere', async () => {
        const run = await fails(() => create({}), 502, '^error importing service data: SBC_ERR_ACCESS')
        await run({
          program: 'net',
          match: 'import',
          stdout: 'error importing service data: SBC_ERR_ACCESS_DENIED\n',
          status: 255,
        })
        await (await fails(() => create({}), 502, '^Can.t load'))({
          program: 'net',
          match: 'import',
          stdout: "Can't load /etc/samba/smb.conf - run testparm to debug it\n",
          status: 0,
        })
        await (await fails(() => create({}), 502, '^Error loading services.'))({
          program: 'testparm',
          nth: 2,
          stderr: 'Load smb config files from /etc/samba/smb.conf\nError loading services.',
        })
        await (await fails(() => create({}), 502, 'testparm showed no'))({
          program: 'testparm',
          stdout: 'garbage\n',
          status: 0,
        })
        await (await fails(() => create({}), 502, 'no answer from smbd'))({
          program: 'smbcontrol',
          match: 'reload-config',
          nth: 1,
          stderr: 'no answer from smbd',
        })
        await (await fails(() => create({}), 502, 'ended unexpectedly'))({
          program: 'net',
          match: 'import',
          nth: 1,
          kill: 'self',
          when: 'after',
        })
        await (await fails(() => create({}), 502, 'permission denied'))({ program: 'zfs', stderr: 'permission denied' })
      })

      it('a change and a removal are undone', async () => {
        const { json } = await create({ description: 'as it was' })
        const one = `${SHARES}/${json.id}`
        const reload = { program: 'smbcontrol', match: 'reload-config', nth: 1, stderr: 'no answer from smbd' }
        await (await fails(() => world.ask('PUT', one, { json: { description: 'new' } }), 502, 'no answer'))(reload)
        await (await fails(() => world.ask('DELETE', one), 502, 'no answer'))(reload)
        expect((await world.ask('GET', one)).json).toEqual(json)
      })

      it('what could not be undone is undone before anything else is answered', async () => {
        faults(
          { program: 'smbcontrol', match: 'reload-config', stderr: 'no answer from smbd' },
          { program: 'net', match: 'delshare', stdout: 'Error deleting share data: SBC_ERR_IO_FAILURE\n', status: 255 },
        )
        expect((await create({})).status).toBe(502)
        expect((await world.ask('GET', SHARES)).json.message).toMatch(/SBC_ERR_IO_FAILURE/)
        faults()
        expect(registry()).toContain('[data]')
        expect((await list()).filter(({ managed }) => managed)).toEqual([])
        expect(registry()).not.toContain('[data]')
      })

      it('a server that is too busy to answer hears that a share is closed all the same', async () => {
        const { json } = await create({})
        world.fakes?.change((model) => delete model['samba'].told)
        faults({ program: 'smbcontrol', match: 'ping', stdout: 'No replies received\n', status: 1 })
        expect((await world.ask('DELETE', `${SHARES}/${json.id}`)).status).toBe(200)
        expect(world.fakes?.model()['samba'].told).toEqual(['all reload-config', 'smbd close-share data'])
      })

      it('a server that does not run is no reason to refuse', async () => {
        faults({ program: 'smbcontrol', stderr: "Can't find pid for destination 'smbd'" })
        expect((await create({})).status).toBe(201)
      })
    })
  })

describe.skipIf(REAL)(`SMB shares on an appliance that is not ready for them ${FAKES_ONLY}`, () => {
  it('say what is missing: the registry in smb.conf, a readable smb.conf, the programs', async () => {
    const world = await startStorage()
    try {
      createPool(world, 'smbtank')
      const create = () => world.ask('POST', SHARES, { json: { name: 'data', dataset: 'smbtank' } })
      const samba = { registry: {}, include: false, smbd: true, broken: false }
      world.fakes?.change((model) => {
        model['samba'] = samba
      })
      const excluded = await create()
      expect([excluded.status, excluded.json.code]).toEqual([503, 'SERVICE_UNAVAILABLE'])
      expect(excluded.json.message).toContain('include = registry')
      world.fakes?.change((model) => {
        model['samba'] = { ...samba, broken: true }
      })
      const broken = await create()
      expect([broken.status, broken.json.message]).toEqual([502, 'Error loading services.'])
      expect(world.fakes?.model()['samba'].registry).toEqual({})
      for (const name of ['testparm', 'net']) {
        world.fakes?.change((model) => {
          model['samba'] = { ...samba, include: true }
        })
        rmSync(join(world.fakes?.programs ?? '', name))
        const answer = await create()
        expect([answer.status, answer.json.message]).toEqual([503, `${name} is not installed or cannot be started`])
        if (name === 'testparm') installFakes(join(world.fakes?.programs ?? '', '..'))
      }
    } finally {
      await world.close()
    }
  })
})
