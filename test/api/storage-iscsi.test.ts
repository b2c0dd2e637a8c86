// iSCSI targets through the API, on the fakes or (EDGE_REAL=1) on the real kernel, with a login by the machine's own
// initiator there. What the kernel has and what saveconfig.json has are looked at apart; a change that is in one only
// is lost at the next boot, or never there.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseLio } from '../../src/drivers/lio.ts'
import { targetId } from '../../src/features/iscsi/names.ts'
import { REPOSITORY } from './appliance.ts'
import { until } from './client.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

const IQN = 'iqn.2024-12.com.example:edge.t1'
const OTHER = 'iqn.2024-12.com.example:edge.t2'
const CLIENT = 'iqn.2024-12.com.client:initiator1'
const SECRET = 'canary-chap-secret'
const CHAP = { username: 'chap-user', password: SECRET }
/** What the target proves itself with. */
const MUTUAL = { username: 'target-user', password: 'canary-mutual-secret' }
const POOL = 'iscsitank'
const TARGETS = '/iscsi/targets'
const ONE = `${TARGETS}/${targetId(IQN)}`
const SESSIONS = '/iscsi/sessions'
const SLOW = { timeout: 240_000 }

let world: World
const program = (name: string) => (world.fakes ? join(world.fakes.programs, name) : name)
const sh = (name: string, ...args: string[]) => execFileSync(program(name), args, { encoding: 'utf8', timeout: 60_000 })
const lio = (action: string, input = '') =>
  world.fakes
    ? spawnSync(program('lio'), [action], { input, encoding: 'utf8' })
    : spawnSync('/bin/sh', [join(REPOSITORY, 'scripts/lio.sh'), action], { input, encoding: 'utf8' })
/** What the kernel has of ours, whatever else is on the machine. */
const live = () => {
  const { targets, backstores } = parseLio(lio('read').stdout)
  return {
    targets: targets.filter(({ iqn }) => iqn.startsWith('iqn.2024-12.com.example:')),
    backstores: backstores.filter(({ device }) => device.startsWith(`/dev/zvol/${POOL}/`)),
  }
}
const savedFile = () =>
  world.fakes ? join(world.appliance.folders.state, 'saveconfig.json') : '/etc/rtslib-fb-target/saveconfig.json'
const saved = () => (existsSync(savedFile()) ? readFileSync(savedFile(), 'utf8') : '')
const savedTarget = (iqn: string) =>
  (JSON.parse(saved() || '{"targets":[]}').targets as { wwn: string }[]).find(({ wwn }) => wwn === iqn)
const create = (json: object = {}) => world.ask('POST', TARGETS, { json: { iqn: IQN, ...json } })
const addLun = (zvol: string, path = ONE) => world.ask('POST', `${path}/luns`, { json: { zvol: `${POOL}/${zvol}` } })
const removeLun = (id: number) => world.ask('POST', `${ONE}/luns/remove`, { json: { lun_id: id } })

beforeAll(async () => {
  world = await startStorage()
  // The real one finds the disk's partition gone now and then, when a pool was on it a moment ago.
  await until(
    'the pool is made',
    () => spawnSync(program('zpool'), ['create', '-f', POOL, ...world.disks(1)]).status === 0,
  )
  for (const name of ['v1', 'v2', 'v3', 'v4']) sh('zfs', 'create', '-s', '-V', '64M', `${POOL}/${name}`)
  sh('zfs', 'create', `${POOL}/files`)
}, 240_000)
afterAll(() => world?.close())
afterEach(async () => {
  if (world.fakes) {
    world.fakes.faults()
    world.fakes.change((model) => delete model['lio'])
    rmSync(savedFile(), { recursive: true, force: true })
    rmSync(join(world.appliance.folders.state, 'iscsi'), { recursive: true, force: true })
    return
  }
  for (const { id, managed } of (await world.ask('GET', TARGETS)).json)
    if (managed) expect((await world.ask('DELETE', `${TARGETS}/${id}?force=true`)).status).toBe(200)
}, 240_000)

describe('an iSCSI target', SLOW, () => {
  it('is made, listed and shown; without initiators nobody can log in, and that is said', async () => {
    const made = await create()
    expect([made.status, made.headers['location']]).toEqual([201, `/api/v1${ONE}`])
    expect(made.json).toEqual({
      id: targetId(IQN),
      iqn: IQN,
      luns: [],
      initiators: [],
      enabled: true,
      managed: true,
      portals: [expect.stringMatching(/^(?:\[::\]|0\.0\.0\.0):3260$/)],
      sessions: [],
      note: 'No initiators: nobody can log in',
    })
    expect((await world.ask('GET', ONE, { as: 'viewer' })).json).toEqual(made.json)
    const { json: all } = await world.ask('GET', TARGETS, { as: 'viewer' })
    expect(all).toContainEqual(made.json)
    expect(live().targets).toMatchObject([{ iqn: IQN, enabled: true, attributes: { generate_node_acls: '0' } }])
    expect(savedTarget(IQN)).toMatchObject({ fabric: 'iscsi', tpgs: [{ enable: true, node_acls: [] }] })
    expect(statSync(savedFile()).mode & 0o777).toBe(0o600)
    expect((await create()).status).toBe(409)
  })

  it('gets initiators, loses them, is switched off and on, and is removed', async () => {
    await create({ initiators: [CLIENT] })
    await addLun('v1')
    const second = 'iqn.2024-12.com.client:initiator2'
    const changed = await world.ask('PUT', ONE, { json: { initiators: [second] } })
    expect(changed.json).toMatchObject({ initiators: [second], enabled: true, luns: [{ id: 0 }] })
    expect(live().targets[0]?.acls).toMatchObject([{ initiator: second, luns: [{ id: 0 }] }])
    const off = await world.ask('PUT', ONE, { json: { enabled: false } })
    expect(off.json).toMatchObject({ initiators: [second], enabled: false })
    expect([live().targets[0]?.enabled, savedTarget(IQN)]).toMatchObject([false, { tpgs: [{ enable: false }] }])
    expect((await world.ask('PUT', ONE, { json: { enabled: true } })).json.enabled).toBe(true)
    const { status, json } = await world.ask('DELETE', ONE)
    expect([status, json]).toEqual([200, { message: 'iSCSI target deleted' }])
    expect([(await world.ask('GET', ONE)).status, (await world.ask('DELETE', ONE)).status]).toEqual([404, 404])
    expect(live()).toEqual({ targets: [], backstores: [] })
    expect(saved()).not.toContain(POOL)
  })

  it('leaves one line in the audit log for each change and each refusal', async () => {
    const { appliance } = world
    const before = appliance.audit().length
    await create()
    await create()
    await addLun('v1')
    await removeLun(0)
    await world.ask('PUT', ONE, { json: { enabled: false } })
    await world.ask('DELETE', ONE)
    const id = `iscsi/targets/${targetId(IQN)}`
    expect(
      appliance
        .audit()
        .slice(before)
        .map((line) => line.split(',').slice(4, 6).join(' ')),
    ).toEqual([
      `iscsi.targets.create "${id}"`,
      'iscsi.targets.create.refused "409"',
      `iscsi.luns.add "${id}/luns/0"`,
      `iscsi.luns.remove "${id}/luns/0"`,
      `iscsi.targets.update "${id}"`,
      `iscsi.targets.delete "${id}"`,
    ])
  })

  it('has versions: a change of what one has not seen is refused', async () => {
    const { headers } = await create()
    const match = (etag: string | undefined) => ({ headers: { 'if-match': etag ?? '' }, json: { enabled: false } })
    expect(headers['etag']).toBe((await world.ask('GET', ONE)).headers['etag'])
    await addLun('v1')
    expect((await world.ask('PUT', ONE, match(headers['etag']))).status).toBe(412)
    expect((await world.ask('PUT', ONE, match((await world.ask('GET', ONE)).headers['etag']))).status).toBe(200)
    // A password that nobody can see is one that somebody may have changed.
    const set = async (password: string, etag: string | undefined) =>
      world.ask('PUT', ONE, { headers: { 'if-match': etag ?? '' }, json: { chap: { username: 'user', password } } })
    const first = await set('first-password-1', (await world.ask('GET', ONE)).headers['etag'])
    expect([first.status, JSON.stringify(first.json)]).toEqual([200, expect.not.stringContaining('first-password')])
    expect((await set('second-password-2', first.headers['etag'])).status).toBe(200)
    expect((await set('third-password-3', first.headers['etag'])).status).toBe(412)
  })

  it('is made once, however often the same request comes', async () => {
    const headers = { 'idempotency-key': 'the-one-and-only' }
    const first = await world.ask('POST', TARGETS, { json: { iqn: OTHER }, headers })
    const again = await world.ask('POST', TARGETS, { json: { iqn: OTHER }, headers })
    expect([first.status, again.status, again.json]).toEqual([201, 201, first.json])
  })
})

describe('LUNs', SLOW, () => {
  it('have the lowest free number, and keep it whatever becomes of the others', async () => {
    await create({ initiators: [CLIENT] })
    const first = await addLun('v1')
    expect([first.status, first.json]).toEqual([
      201,
      { id: 0, zvol: `${POOL}/v1`, size: 64 * 1024 ** 2, backend: 'zvol' },
    ])
    expect([(await addLun('v2')).json.id, (await addLun('v3')).json.id]).toEqual([1, 2])
    expect((await removeLun(1)).json).toEqual({ message: 'LUN removed' })
    const numbers = async () =>
      (await world.ask('GET', ONE)).json.luns.map(({ id, zvol }: { id: number; zvol: string }) => [id, zvol])
    expect(await numbers()).toEqual([
      [0, `${POOL}/v1`],
      [2, `${POOL}/v3`],
    ])
    expect((await addLun('v4')).json.id).toBe(1)
    expect(await numbers()).toHaveLength(3)
    expect(live().targets[0]?.acls[0]?.luns.map(({ id }) => id)).toEqual([0, 1, 2])
  })

  it('have a serial that stays with the zvol', async () => {
    await create()
    await addLun('v1')
    const serial = live().backstores[0]?.serial
    expect(serial).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    await removeLun(0)
    expect(live().backstores).toEqual([])
    await addLun('v2')
    await addLun('v1')
    expect(live().backstores.find(({ device }) => device.endsWith('/v1'))?.serial).toBe(serial)
    expect(saved()).toContain(serial)
  })

  it('show a zvol once: a second time, here or elsewhere, is a conflict that says where', async () => {
    await create()
    await world.ask('POST', TARGETS, { json: { iqn: OTHER } })
    await addLun('v1')
    const before = [live(), saved()]
    for (const path of [ONE, `${TARGETS}/${targetId(OTHER)}`]) {
      const { status, json } = await addLun('v1', path)
      expect([status, json.code, json.details]).toEqual([409, 'CONFLICT', `${POOL}/v1`])
      expect(json.message).toContain(`LUN 0 of ${IQN}`)
    }
    expect([live(), saved()]).toEqual(before)
  })

  it('stand in the way of their zvol’s end, which says so', async () => {
    await create()
    await addLun('v1')
    const plan = await world.ask('DELETE', `/zvols/${POOL}/v1?dry_run=true`)
    const use = { object: `iscsi/targets/${targetId(IQN)}`, reason: `${POOL}/v1 is LUN 0 of ${IQN}` }
    expect([plan.status, plan.json]).toMatchObject([200, { depends: [use] }])
    expect((await world.ask('DELETE', `/zvols/${POOL}/v1`)).status).toBe(409)
    expect(live().backstores).toHaveLength(1)
    await removeLun(0)
    expect((await world.ask('DELETE', `/zvols/${POOL}/v1?dry_run=true`)).json.depends).toEqual([])
  })

  it('keep their device: volmode stays as it is, and the refusal names the target', async () => {
    await create()
    await addLun('v1')
    const set = (kind: string, volmode: string) =>
      world.ask('PUT', `/${kind}/${POOL}/v1`, { json: { options: { volmode } } })
    for (const kind of ['zvols', 'datasets']) {
      const { status, json } = await set(kind, 'none')
      expect([kind, status, json.details]).toEqual([kind, 409, `${POOL}/v1`])
      expect(json.message).toBe(`iscsi/targets/${targetId(IQN)} ${POOL}/v1 is LUN 0 of ${IQN}`)
    }
    expect(sh('zfs', 'get', '-Hp', '-o', 'value', 'volmode', `${POOL}/v1`).trim()).toBe('default')
    expect((await set('zvols', 'default')).status).toBe(200)
    await removeLun(0)
    expect((await set('zvols', 'none')).status).toBe(200)
    expect((await set('zvols', 'default')).status).toBe(200)
    if (!REAL) return
    // Until udev is done, it may be the old link.
    sh('udevadm', 'settle')
    await until('the device is back', () => existsSync(`/dev/zvol/${POOL}/v1`))
  })

  it('are zvols that are there, of targets that are there', async () => {
    await create()
    const codes = async (answer: ReturnType<typeof addLun>) => {
      const { status, json } = await answer
      return [status, json.details]
    }
    expect(await codes(addLun('nothing'))).toEqual([404, `${POOL}/nothing`])
    expect(await codes(addLun('files'))).toEqual([400, 'zvol'])
    expect(await codes(addLun('v1', `${TARGETS}/iscsi-000000000000`))).toEqual([404, 'iscsi-000000000000'])
    expect(await codes(removeLun(7))).toEqual([404, `${targetId(IQN)}/luns/7`])
    expect(live()).toMatchObject({ targets: [{ luns: [] }], backstores: [] })
  })
})

describe('CHAP', SLOW, () => {
  it('guards every initiator; its password is set, kept and taken back, and never shown', async () => {
    const made = await create({ initiators: [CLIENT], chap: CHAP })
    expect(made.json.chap).toEqual({ username: 'chap-user' })
    const target = () => live().targets[0]
    expect(target()).toMatchObject({ attributes: { authentication: '1' }, chap: CHAP, acls: [{ chap: CHAP }] })
    const second = 'iqn.2024-12.com.client:initiator2'
    await world.ask('PUT', ONE, { json: { initiators: [CLIENT, second] } })
    expect(target()?.acls.map(({ chap }) => chap)).toEqual([CHAP, CHAP])
    const other = { username: 'chap-user', password: 'another-canary-secret' }
    await world.ask('PUT', ONE, { json: { chap: other } })
    expect(target()?.acls.map(({ chap }) => chap)).toEqual([other, other])
    expect(saved()).toContain(other.password)
    expect(saved()).not.toContain(SECRET)
    const without = await world.ask('PUT', ONE, { json: { chap: null } })
    expect(without.json.chap).toBeUndefined()
    expect(target()).toMatchObject({ attributes: { authentication: '0' }, chap: undefined })
    expect(target()?.acls.map(({ chap }) => chap)).toEqual([undefined, undefined])
    expect(saved()).not.toContain('canary')
  })

  it('SEC-13 leaves its password in no answer, log, audit line or argument', async () => {
    const answers = [await create({ initiators: [CLIENT], chap: CHAP, mutual_chap: MUTUAL })]
    answers.push(await world.ask('GET', ONE), await world.ask('GET', TARGETS), await addLun('v1'))
    answers.push(await create({ chap: CHAP }), await create({ chap: { ...CHAP, username: '-bad' } }))
    answers.push(await world.ask('PUT', ONE, { json: { mutual_chap: CHAP } }), await world.ask('GET', SESSIONS))
    const { appliance, fakes } = world
    const everything = [answers, appliance.audit(), 'warnings' in appliance && appliance.warnings, fakes?.calls()]
    expect(JSON.stringify(everything)).not.toContain('canary')
    const logs = spawnSync('grep', ['-rlE', 'canary-(chap|mutual)-secret', appliance.folders.root], {
      encoding: 'utf8',
    }).stdout
    expect(logs.split('\n').filter(Boolean)).toEqual(world.fakes ? [savedFile()] : [])
  })
})

describe('mutual CHAP', SLOW, () => {
  const both = { initiators: [CLIENT], chap: CHAP, mutual_chap: MUTUAL }
  const target = () => live().targets[0]
  const NONE = { status: 400, json: { code: 'BAD_REQUEST' } }

  it('is what the target proves to each initiator: set, kept, changed and taken back, and never shown', async () => {
    const made = await create(both)
    expect(made.json).toMatchObject({ chap: { username: CHAP.username }, mutual_chap: { username: MUTUAL.username } })
    const guarded = { chap: CHAP, mutual: MUTUAL }
    expect(target()).toMatchObject({ ...guarded, attributes: { authentication: '1' }, acls: [guarded] })
    const second = 'iqn.2024-12.com.client:initiator2'
    await world.ask('PUT', ONE, { json: { initiators: [CLIENT, second] } })
    expect(target()?.acls).toMatchObject([guarded, guarded])
    expect(savedTarget(IQN)).toMatchObject({
      tpgs: [{ chap_mutual_userid: 'target-user', node_acls: [{ chap_mutual_password: MUTUAL.password }, {}] }],
    })
    const other = { username: 'target-user', password: 'another-canary-secret' }
    const before = (await world.ask('GET', ONE)).headers['etag']
    const changed = await world.ask('PUT', ONE, { json: { mutual_chap: other } })
    expect(changed.headers['etag']).not.toBe(before)
    expect(target()?.acls).toMatchObject([{ mutual: other }, { chap: CHAP, mutual: other }])
    expect(saved()).not.toContain(MUTUAL.password)
    const without = await world.ask('PUT', ONE, { json: { mutual_chap: null } })
    expect([without.json.chap, without.json.mutual_chap]).toEqual([{ username: CHAP.username }, undefined])
    expect(target()).toMatchObject({ attributes: { authentication: '1' }, chap: CHAP })
    expect([target()?.mutual, target()?.acls.map(({ mutual }) => mutual)]).toEqual([undefined, [undefined, undefined]])
    expect(saved()).not.toContain('another-canary')
  })

  it('ends with CHAP: without it nobody proves anything', async () => {
    await create(both)
    const open = await world.ask('PUT', ONE, { json: { chap: null } })
    expect([open.json.chap, open.json.mutual_chap]).toEqual([undefined, undefined])
    expect(target()).toMatchObject({ attributes: { authentication: '0' }, acls: [{ initiator: CLIENT }] })
    expect([target()?.chap, target()?.mutual, target()?.acls[0]?.mutual]).toEqual([undefined, undefined, undefined])
    expect(saved()).not.toContain('canary')
  })

  it('needs CHAP and another password, whichever of the two is given', async () => {
    const same = { ...MUTUAL, password: SECRET }
    for (const json of [{ mutual_chap: MUTUAL }, { chap: CHAP, mutual_chap: same }])
      expect(await create(json)).toMatchObject({ ...NONE, json: { details: 'mutual_chap' } })
    expect(live().targets).toEqual([])
    await create(both)
    const before = [live(), saved()]
    for (const [json, details] of [
      [{ mutual_chap: same }, 'mutual_chap'],
      [{ chap: { ...CHAP, password: MUTUAL.password } }, 'chap'],
      [{ chap: null, mutual_chap: MUTUAL }, 'mutual_chap'],
    ] as const) {
      const answer = await world.ask('PUT', ONE, { json })
      expect(answer).toMatchObject({ ...NONE, json: { details } })
      expect(JSON.stringify(answer.json)).not.toContain('canary')
    }
    expect([live(), saved()]).toEqual(before)
  })
})

describe('a mutual secret that was set by hand', SLOW, () => {
  it('without CHAP, or the same one twice, does not hold up a change of something else', async () => {
    await create({ initiators: [CLIENT] })
    const put = (...secrets: string[][]) =>
      lio('apply', secrets.map(([file, text]) => `write\tiscsi/${IQN}/tpgt_1/auth/${file}\t${text}\n`).join(''))
    put(['userid_mutual', 'target-user'], ['password_mutual', SECRET])
    expect((await world.ask('PUT', ONE, { json: { enabled: false } })).status).toBe(200)
    put(['userid', CHAP.username], ['password', SECRET])
    expect((await world.ask('PUT', ONE, { json: { enabled: true } })).status).toBe(200)
    expect(live().targets[0]?.enabled).toBe(true)
  })
})

describe('a target that somebody made by hand', SLOW, () => {
  const hand = 'iqn.2024-12.com.example:by.hand'
  const group = `iscsi/${hand}/tpgt_1`
  const id = targetId(hand)
  const up = [`mkdir\tiscsi/${hand}`, `mkdir\t${group}`, `mkdir\t${group}/acls/${CLIENT}`]
  const down = [`rmdir\t${group}/acls/${CLIENT}`, `rmdir\t${group}`, `rmdir\tiscsi/${hand}`]

  it('is listed, and left alone', async () => {
    expect(lio('apply', `${up.join('\n')}\n`).status).toBe(0)
    try {
      const { json } = await world.ask('GET', `${TARGETS}/${id}`)
      expect(json).toMatchObject({ iqn: hand, managed: false, initiators: [CLIENT], enabled: false })
      const before = live()
      const refused = [
        await world.ask('PUT', `${TARGETS}/${id}`, { json: { enabled: true } }),
        await world.ask('DELETE', `${TARGETS}/${id}?force=true`),
        await addLun('v1', `${TARGETS}/${id}`),
        await world.ask('POST', TARGETS, { json: { iqn: hand } }),
      ]
      expect(refused.map(({ status }) => status)).toEqual([409, 409, 409, 409])
      expect(live()).toEqual(before)
      await create()
      expect(saved()).not.toContain(hand)
    } finally {
      expect(lio('apply', `${down.join('\n')}\n`).status).toBe(0)
    }
  })
})

describe('bad input', SLOW, () => {
  const long = 'a'.repeat(300)
  const bodies: Record<string, unknown[]> = {
    [`POST ${TARGETS}`]: [
      {},
      [],
      null,
      { iqn: 5 },
      ...[
        '',
        'x',
        '../../x',
        `${IQN}/..`,
        `${IQN}\n`,
        `${IQN}\0`,
        '-iqn.2024-12.com.x.y:z',
        `iqn.2024-12.com.x:${long}`,
      ].map((iqn) => ({ iqn })),
      { iqn: IQN, initiators: CLIENT },
      { iqn: IQN, initiators: [CLIENT, CLIENT] },
      { iqn: IQN, initiators: ['../x'] },
      { iqn: IQN, initiators: Array.from({ length: 300 }, (_, i) => `${CLIENT}${i}`) },
      { iqn: IQN, chap: {} },
      { iqn: IQN, chap: null },
      { iqn: IQN, chap: CHAP, mutual_chap: { ...MUTUAL, password: 'short' } },
      { iqn: IQN, chap: CHAP, mutual_chap: { ...MUTUAL, username: 'NULL' } },
      { iqn: IQN, chap: { username: 'u', password: 'short' } },
      { iqn: IQN, chap: { ...CHAP, password: `${SECRET}\n` } },
      { iqn: IQN, portals: ['0.0.0.0:22'] },
      { iqn: IQN, generate_node_acls: true },
    ],
    [`PUT ${ONE}`]: [{ enabled: 'yes' }, { iqn: OTHER }, { initiators: [''] }, { chap: false }, { luns: [] }],
    [`POST ${ONE}/luns`]: [
      {},
      { zvol: 7 },
      ...[
        '',
        POOL,
        `${POOL}/../x`,
        `${POOL}/v1@s`,
        `-${POOL}/v1`,
        `${POOL}/v1,`,
        `${POOL}%2Fv1`,
        `${POOL}/${long}`,
        '/dev/sda',
      ].map((zvol) => ({ zvol })),
      { zvol: `${POOL}/v1`, id: 5 },
    ],
    [`POST ${ONE}/luns/remove`]: [{}, ...[-1, 1.5, '0', 1e30, null, 65_536].map((lun_id) => ({ lun_id }))],
  }
  it('is refused with the field’s name, starts nothing and changes nothing', async () => {
    await create({ initiators: [CLIENT] })
    const before = [live(), saved()]
    const calls = world.fakes?.calls().length
    for (const [name, all] of Object.entries(bodies)) {
      const [method = '', path = ''] = name.split(' ')
      for (const json of all) {
        const { status, json: answer } = await world.ask(method, path, { json })
        expect([name, json, status]).toEqual([name, json, 400])
        expect(answer).toEqual({
          code: expect.stringMatching(/^(?:VALIDATION_ERROR|BAD_REQUEST)$/),
          message: expect.any(String),
          ...(answer.details !== undefined && { details: expect.any(String) }),
          ...(answer.errors !== undefined && { errors: expect.any(Array) }),
        })
      }
    }
    for (const path of [
      `${TARGETS}/..`,
      `${TARGETS}/%2e%2e`,
      `${TARGETS}/${IQN}`,
      `${TARGETS}/-x`,
      `${ONE}?force=maybe`,
    ])
      expect([path, (await world.ask('DELETE', path)).status]).toEqual([path, 400])
    if (calls !== undefined) expect(world.fakes?.calls().length).toBe(calls + 0)
    expect([live(), saved()]).toEqual(before)
  })
})

describe('an initiator that is logged in', SLOW, () => {
  /** The machine's own initiator, over loopback; on the fakes a knob. */
  const portal = '127.0.0.1:3260'
  const admin = (...args: string[]) => execFileSync('iscsiadm', args, { encoding: 'utf8', timeout: 60_000 })
  const node = (...args: string[]) => admin('-m', 'node', '-T', IQN, '-p', portal, ...args)
  function logIn(mutual?: typeof CHAP): void {
    if (world.fakes) {
      world.fakes.change((model) => {
        model['lio'].sessions[IQN] = [CLIENT]
      })
      return
    }
    mkdirSync('/etc/iscsi', { recursive: true })
    writeFileSync('/etc/iscsi/initiatorname.iscsi', `InitiatorName=${CLIENT}\n`)
    spawnSync('sh', ['-c', 'modprobe iscsi_tcp; pgrep -x iscsid || iscsid'], { timeout: 30_000 })
    admin('-m', 'discovery', '-t', 'st', '-p', portal)
    for (const [name, value] of [
      ['authmethod', 'CHAP'],
      ['username', CHAP.username],
      ['password', CHAP.password],
      ...(mutual
        ? ([
            ['username_in', mutual.username],
            ['password_in', mutual.password],
          ] as const)
        : []),
    ] as const)
      node('-o', 'update', '-n', `node.session.auth.${name}`, '-v', value)
    node('--login')
    sh('udevadm', 'settle')
  }
  /** Status 21: no session of this machine is left. */
  const logOut = () =>
    until('nobody is logged in', () => {
      if (world.fakes) return true
      spawnSync('iscsiadm', ['-m', 'node', '-T', IQN, '-p', portal, '--logout'], { timeout: 60_000 })
      return spawnSync('iscsiadm', ['-m', 'session'], { timeout: 60_000 }).status === 21
    })
  afterEach(async () => {
    await logOut()
  })

  it('does not lose its disk unasked: 409 with its name, until forced', async () => {
    await create({ initiators: [CLIENT], chap: CHAP })
    await addLun('v1')
    logIn()
    expect((await world.ask('GET', ONE)).json.sessions).toEqual([CLIENT])
    const session = {
      target: targetId(IQN),
      iqn: IQN,
      initiator: CLIENT,
      alias: expect.stringMatching(/^\S+$/),
      addresses: [expect.stringMatching(/^(?:127\.0\.0\.1|\[?::ffff:127\.0\.0\.1\]?)$/)],
      portal: expect.stringMatching(/^(?:\[::\]|0\.0\.0\.0):3260$/),
      state: 'logged-in',
      luns: [{ id: 0, zvol: `${POOL}/v1`, size: 64 * 1024 ** 2, backend: 'zvol' }],
    }
    expect((await world.ask('GET', SESSIONS, { as: 'viewer' })).json).toEqual([session])
    expect((await world.ask('GET', `${SESSIONS}?target=${targetId(IQN)}`)).json).toEqual([session])
    await world.ask('POST', TARGETS, { json: { iqn: OTHER } })
    expect((await world.ask('GET', `${SESSIONS}?target=${targetId(OTHER)}`)).json).toEqual([])
    expect((await world.ask('GET', `${SESSIONS}?target=iscsi-000000000000`)).status).toBe(404)
    expect((await world.ask('DELETE', `${TARGETS}/${targetId(OTHER)}`)).status).toBe(200)
    const before = [live(), saved()]
    const refused = [
      await world.ask('DELETE', ONE),
      await removeLun(0),
      await world.ask('PUT', ONE, { json: { enabled: false } }),
      await world.ask('PUT', ONE, { json: { initiators: [OTHER] } }),
    ]
    for (const { status, json } of refused)
      expect([status, json]).toEqual([
        409,
        { code: 'CONFLICT', message: expect.stringContaining(CLIENT), details: targetId(IQN) },
      ])
    expect([live(), saved()]).toEqual(before)
    const more = await world.ask('PUT', ONE, { json: { initiators: [CLIENT, OTHER] } })
    expect([more.status, more.json.sessions]).toEqual([200, [CLIENT]])
    expect((await addLun('v2')).status).toBe(201)
    expect((await world.ask('DELETE', `${ONE}?force=true`)).status).toBe(200)
    expect(live()).toEqual({ targets: [], backstores: [] })
  })

  describe('on the real kernel', () => {
    beforeEach((context) => context.skip(!REAL, 'EDGE_REAL=1 is not set: it needs the kernel’s own initiator'))

    it('reads on its disk what is on the zvol, and writes it there', async () => {
      await create({ initiators: [CLIENT], chap: CHAP })
      await addLun('v1')
      logIn()
      const device = `/dev/disk/by-path/ip-${portal}-iscsi-${IQN}-lun-0`
      await until('the disk appears', () => existsSync(device))
      const copy = (...args: string[]) =>
        execFileSync('dd', ['bs=512', 'count=1', 'status=none', ...args], { timeout: 60_000 })
      const text = 'written through iSCSI'.padEnd(512)
      execFileSync('dd', [`of=${device}`, 'bs=512', 'count=1', 'oflag=direct', 'status=none'], { input: text })
      expect(copy(`if=/dev/zvol/${POOL}/v1`, 'iflag=direct').toString()).toBe(text)
    })

    it('is never shown another volume, to which an old link leads', { timeout: 120_000 }, async () => {
      await create()
      const [link, device] = [`/dev/zvol/${POOL}/v1`, realpathSync(`/dev/zvol/${POOL}/v1`)]
      const to = (path: string) => execFileSync('ln', ['-sfn', path, link])
      to(realpathSync(`/dev/zvol/${POOL}/v2`))
      try {
        const { status, json } = await addLun('v1')
        expect([status, json.code]).toEqual([503, 'SERVICE_UNAVAILABLE'])
        expect(live().backstores).toEqual([])
      } finally {
        to(device)
      }
      expect((await addLun('v1')).status).toBe(201)
    })

    it('finds out a target that has not the mutual secret, and logs in to the one that has', async () => {
      await create({ initiators: [CLIENT], chap: CHAP, mutual_chap: MUTUAL })
      await addLun('v1')
      expect(() => logIn({ ...MUTUAL, password: 'what-the-target-lacks' })).toThrow('non-retryable iSCSI login failure')
      const sessions = async () => (await world.ask('GET', SESSIONS)).json.map((one: object) => one)
      await until('nobody is logged in', async () => (await sessions()).length === 0)
      logIn(MUTUAL)
      expect(await sessions()).toMatchObject([{ initiator: CLIENT, state: 'logged-in', luns: [{ id: 0 }] }])
      await logOut()
      // The boot brings both secrets back.
      execFileSync('targetctl', ['clear'], { timeout: 60_000 })
      execFileSync('targetctl', ['restore'], { timeout: 60_000 })
      expect(live().targets[0]).toMatchObject({ chap: CHAP, mutual: MUTUAL, acls: [{ chap: CHAP, mutual: MUTUAL }] })
      logIn(MUTUAL)
      await logOut()
      await world.ask('PUT', ONE, { json: { mutual_chap: null } })
      expect(() => logIn(MUTUAL)).toThrow(/iSCSI login failure|authorization failure/)
      // Only the initiator asked for it: one that does not is served.
      admin('-m', 'node', '-o', 'delete')
      logIn()
    })

    it('gets nothing without the secret', async () => {
      await create({ initiators: [CLIENT], chap: CHAP })
      await addLun('v1')
      logIn()
      await logOut()
      node('-o', 'update', '-n', 'node.session.auth.password', '-v', 'a-wrong-password')
      expect(() => node('--login')).toThrow('authorization failure')
    })

    it('finds everything again after what a boot does: targetctl clear and restore', async () => {
      await create({ initiators: [CLIENT], chap: CHAP })
      for (const name of ['v1', 'v2', 'v3']) await addLun(name)
      await removeLun(1)
      const strip = ({ targets, backstores }: ReturnType<typeof live>) => ({
        targets,
        backstores: backstores.map(({ name, serial, device }) => ({ name, serial, device })),
      })
      const numbers = (await world.ask('GET', ONE)).json
      const before = strip(live())
      execFileSync('targetctl', ['clear'], { timeout: 60_000 })
      expect(live().targets).toEqual([])
      execFileSync('targetctl', ['restore'], { timeout: 60_000 })
      expect((await world.ask('GET', ONE)).json).toEqual(numbers)
      const after = strip(live())
      expect(after.backstores.map(({ name, serial }) => [name, serial]).sort()).toEqual(
        before.backstores.map(({ name, serial }) => [name, serial]).sort(),
      )
      expect(after.targets[0]?.chap).toEqual(CHAP)
      expect((await removeLun(0)).status).toBe(200)
    })
  })
})

describe.skipIf(REAL)(`a LUN that is saved and not served ${FAKES_ONLY}`, SLOW, () => {
  const cutPower = () => world.fakes?.change((model) => delete model['lio'])

  it('is lost by no change: it is shown with the reason, keeps its number, and comes once its zvol is there', async () => {
    await create({ initiators: [CLIENT] })
    await addLun('v1')
    await addLun('v2')
    const [before, said] = [live(), saved()]
    cutPower()
    const zvol = world.fakes?.model().datasets[`${POOL}/v1`]
    world.fakes?.change(({ datasets }) => delete datasets[`${POOL}/v1`])
    const absent = await world.ask('GET', ONE)
    expect([absent.status, absent.json]).toMatchObject([
      200,
      { enabled: false, luns: [{ id: 0 }, { id: 1 }], note: 'Saved and not served: the target' },
    ])
    const { status, json } = await world.ask('PUT', ONE, { json: { initiators: [CLIENT] } })
    expect([status, json.enabled, json.note]).toEqual([
      200,
      true,
      `Saved and not served: LUN 0 (${POOL}/v1): ${POOL}/v1 is not there`,
    ])
    expect((await world.ask('GET', '/dashboard')).json.problems).toEqual([
      { source: 'iscsi', message: `${IQN} does not serve LUN 0 (${POOL}/v1): ${POOL}/v1 is not there` },
    ])
    expect(json.luns).toEqual([
      { id: 0, zvol: `${POOL}/v1`, backend: 'zvol' },
      { id: 1, zvol: `${POOL}/v2`, size: 64 * 1024 ** 2, backend: 'zvol' },
    ])
    expect((await addLun('v3')).json.id).toBe(2)
    expect((await removeLun(2)).status).toBe(200)
    expect(JSON.parse(saved())).toEqual(JSON.parse(said))
    world.fakes?.change(({ datasets }) => {
      if (zvol) datasets[`${POOL}/v1`] = zvol
    })
    const whole = await world.ask('PUT', ONE, { json: {} })
    expect([whole.status, whole.json.note]).toEqual([200, undefined])
    // In other places of core, which tell nobody anything.
    const shown = ({ backstores, targets }: typeof before) => [
      backstores.map(({ device, serial }) => [device, serial]).sort(),
      targets.map(({ luns, acls }) => [luns.map(({ id }) => id), acls.map((acl) => acl.luns.map(({ id }) => id))]),
    ]
    expect(shown(live())).toEqual(shown(before))
  })

  it('stands in the way of the end of its zvol and its pool, and of the pool’s export', async () => {
    await create()
    await addLun('v1')
    cutPower()
    const use = { object: `iscsi/targets/${targetId(IQN)}`, reason: `${POOL}/v1 is LUN 0 of ${IQN}` }
    expect((await world.ask('DELETE', `/zvols/${POOL}/v1?dry_run=true`)).json.depends).toEqual([use])
    expect((await world.ask('DELETE', `/pools/${POOL}?dry_run=true`, { as: 'administrator' })).json.depends).toEqual([
      use,
    ])
    for (const [method, path] of [
      ['DELETE', `/zvols/${POOL}/v1`],
      ['POST', `/pools/${POOL}/export`],
    ] as const) {
      const { status, json } = await world.ask(method, path, { as: 'administrator' })
      expect([path, status, json.message]).toEqual([path, 409, `${use.object} ${use.reason}`])
    }
  })
})

describe.skipIf(REAL)(`a change that fails ${FAKES_ONLY}`, SLOW, () => {
  const fakes = () => world.fakes ?? expect.unreachable()
  const stop = (after: number, more: object) =>
    fakes().change((model) => {
      model['lio'] = {
        folders: [],
        files: {},
        links: {},
        sessions: {},
        taken: [],
        ...model['lio'],
        stop: { after, ...more },
      }
    })

  it('at any of its steps leaves the kernel and the file as they were, and tells the kernel’s words', async () => {
    await create({ initiators: [CLIENT], chap: CHAP })
    await addLun('v1')
    const before = [live(), saved()]
    for (let after = 0; ; after++) {
      stop(after, { words: 'tee: x: Cannot allocate memory' })
      const { status, json } = await addLun('v2')
      if (status === 201) {
        // So many steps it has.
        expect(after).toBeGreaterThan(10)
        return
      }
      expect([after, status, json.message]).toEqual([
        after,
        expect.toBeOneOf([409, 502, 503]),
        expect.stringContaining('Cannot allocate memory'),
      ])
      expect([live(), saved()]).toEqual(before)
    }
  })

  it('says what is wrong in the caller’s words: a busy zvol, a missing device, a port that is taken', async () => {
    await create()
    fakes().change(({ datasets }) => {
      datasets[`${POOL}/v1`] = { ...datasets[`${POOL}/v1`], busy: true }
    })
    const busy = await addLun('v1')
    fakes().change(({ datasets }) => delete datasets[`${POOL}/v1`]?.['busy'])
    expect([busy.status, busy.json.message]).toEqual([409, 'The zvol cannot be used: Device or resource busy'])
    stop(0, { words: '/dev/zvol/x: No such device' })
    const missing = await addLun('v1')
    expect([missing.status, missing.json]).toEqual([
      503,
      { code: 'SERVICE_UNAVAILABLE', message: 'The zvol has no device: No such device', details: `${POOL}/v1` },
    ])
    fakes().change((model) => model['lio'].taken.push(3260))
    const port = await world.ask('POST', TARGETS, { json: { iqn: OTHER } })
    expect([port.status, port.json.message]).toEqual([
      503,
      expect.stringMatching(/^The portal .*:3260 cannot be opened: /),
    ])
    expect(live().targets.map(({ iqn }) => iqn)).toEqual([IQN])
  })

  it('because the file cannot be written is no change at all', async () => {
    await create()
    const before = [live(), saved()]
    rmSync(savedFile())
    mkdirSync(savedFile())
    const { status, json } = await addLun('v1')
    expect([status, json.code]).toEqual([500, 'INTERNAL_ERROR'])
    expect(JSON.stringify(json)).not.toContain(world.appliance.folders.state)
    rmSync(savedFile(), { recursive: true })
    writeFileSync(savedFile(), before[1] as string)
    chmodSync(savedFile(), 0o600)
    expect([live(), saved()]).toEqual(before)
  })

  it('because the file is damaged is refused before anything is touched, and the file stays', async () => {
    await create()
    const before = live()
    writeFileSync(savedFile(), '{"targets": 5')
    const { status, json } = await addLun('v1')
    expect([status, json.message]).toEqual([503, expect.stringContaining('damaged')])
    expect([live(), saved()]).toEqual([before, '{"targets": 5'])
  })

  it('because the program is missing, killed or talks nonsense is told, and nothing is changed', async () => {
    await create()
    const before = [live(), saved()]
    const path = program('lio')
    for (const [fault, status] of [
      [{ program: 'lio', match: 'apply', nth: 1, kill: 'self' }, 502],
      [{ program: 'lio', match: 'apply', nth: 1, stderr: 'sh: no\nafter 900', status: 1 }, 503],
      [{ program: 'lio', match: 'apply', nth: 1, stderr: '', status: 1 }, 503],
      [{ program: 'lio', match: 'read', nth: 1, status: 1 }, 503],
      [{ program: 'zfs', match: 'get', stderr: 'internal error: out of memory', status: 1 }, 502],
    ] as const) {
      fakes().faults(fault)
      const answer = await addLun('v1')
      fakes().faults()
      expect([fault, answer.status]).toEqual([fault, status])
      expect([live(), saved()]).toEqual(before)
    }
    const text = readFileSync(path, 'utf8')
    rmSync(path)
    const missing = await addLun('v1')
    writeFileSync(path, text, { mode: 0o755 })
    expect([missing.status, missing.json.message]).toEqual([503, 'lio is not installed or cannot be started'])
    expect([live(), saved()]).toEqual(before)
  })

  it('to come at a boot, since the pool is not there yet, comes once the pool is imported', async () => {
    await create()
    await addLun('v1')
    const before = live()
    fakes().change((model) => delete model['lio'])
    sh('zpool', 'export', POOL)
    expect((await world.ask('POST', '/pools/import', { json: { name: POOL } })).status).toBe(200)
    await until('the target and its LUN are back', () => live().targets[0]?.luns.length === 1)
    expect(live()).toEqual(before)
  })

  it('and cannot be put back either is put in order by the next one', async () => {
    await create()
    const before = saved()
    stop(6, { kill: 'self' })
    fakes().faults({ program: 'lio', match: 'apply', nth: 2, status: 1 })
    expect((await addLun('v1')).status).toBe(502)
    fakes().faults()
    expect([live().backstores.length, saved()]).toEqual([1, before])
    expect((await world.ask('PUT', ONE, { json: {} })).status).toBe(200)
    expect(live().backstores).toEqual([])
  })
})
