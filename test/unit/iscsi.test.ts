// iSCSI without programs: names, steps from any half-made state, saveconfig.json, many writers. The little kernel takes
// steps as the real one does (a folder that holds something stays), or the property of the steps would prove nothing.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Iscsi } from '../../src/features/iscsi/iscsi.ts'
import { Marks } from '../../src/features/iscsi/marks.ts'
import { Chap, Iqn, targetId } from '../../src/features/iscsi/names.ts'
import { readSaved, savedTargets, withTarget, writeSaved } from '../../src/features/iscsi/saved.ts'
import { stepsTo } from '../../src/features/iscsi/steps.ts'
import { freeLun, lunOf, type Wanted, wantedOf } from '../../src/features/iscsi/target.ts'
import { UNSERVED } from '../../src/features/iscsi/view.ts'
import { addLun, createTarget, updateTarget } from '../../src/surfaces/controller/iscsi.ts'
import { temporaryFolder } from '../api/appliance.ts'
import { FUZZ } from '../harness/fuzz.ts'
import { Kernel } from './iscsi-kernel.ts'

const IQN = 'iqn.2024-12.com.example:storage.t1'
const CHAP = { username: 'user', password: 'a-long-secret' }
const MUTUAL = { username: 'target', password: 'another-secret-2' }

describe('an IQN', () => {
  it.each([
    IQN,
    'iqn.1993-08.org.debian:01:abcdef0123',
    'iqn.1991-05.com.microsoft:host-1.example.com',
    `iqn.2024-12.com.example:${'a'.repeat(199)}`,
  ])('may be %s', (name) => expect(Iqn.safeParse(name).success).toBe(true))

  it.each([
    '',
    'iqn.2024-12.com.example',
    'iqn.2024-13.com.example:x',
    'iqn.2024-00.com.example:x',
    'iqn.2024-12.example:x',
    'iqn.2024-12.com.example:',
    'iqn.2024-12.com.example:a/b',
    'iqn.2024-12.com.example:a b',
    'iqn.2024-12.com.example:a_b',
    'iqn.2024-12.com.example:a..b',
    'iqn.2024-12.Com.Example:x',
    'iqn.2024-12.com.example:-x',
    'iqn.2024-12.com.-example:x',
    'iqn.2024-12.com.example:x\n',
    'iqn.2024-12.com.example:x\0',
    '-iqn.2024-12.com.example:x',
    'eui.02004567a425678d',
    `iqn.2024-12.com.example:${'a'.repeat(200)}`,
  ])('is not %j', (name) => expect(Iqn.safeParse(name).success).toBe(false))
})

describe('a CHAP secret', () => {
  it.each(['short', 'a blank in it', 'NULL-and-so-on', 'NULL', 'tab\tin-the-middle', 'ümlaut-secret1', 'x'.repeat(65)])(
    'is not %j',
    (password) => expect(Chap.safeParse({ username: 'user', password }).success).toBe(false),
  )
  it.each(['', '-user', 'NULL', 'NULLuser', 'a b', 'a\nb'])('has no account %j', (username) =>
    expect(Chap.safeParse({ username, password: 'a-long-secret' }).success).toBe(false),
  )
  it('may be any twelve visible characters', () =>
    expect(Chap.safeParse({ username: 'user', password: `"$(id)'\`\\;&|` }).success).toBe(true))
})

describe('LUN numbers', () => {
  it('are the lowest that is free, up to 256 of them', () => {
    const ids = (...all: number[]) => all.map((id) => ({ id }))
    expect(freeLun([])).toBe(0)
    expect(freeLun(ids(0, 2))).toBe(1)
    expect(freeLun(ids(...Array.from({ length: 256 }, (_, id) => id)))).toBeUndefined()
  })
})

const lun = (id: number, zvol: string) => ({ id, ...lunOf(zvol, `guid of ${zvol}`) })
const wanted: fc.Arbitrary<Wanted> = fc
  .record({
    enabled: fc.boolean(),
    portals: fc.subarray(['[::]:3260', '192.0.2.1:3260'], { minLength: 1 }),
    initiators: fc.subarray(['iqn.2024-12.com.client:a', 'iqn.2024-12.com.client:b']),
    credentials: fc.constantFrom(
      { chap: undefined, mutual: undefined },
      { chap: CHAP, mutual: undefined },
      { chap: { username: 'other', password: 'another-secret' }, mutual: undefined },
      { chap: CHAP, mutual: MUTUAL },
      { chap: CHAP, mutual: { username: 'other', password: 'another-secret' } },
    ),
    luns: fc.subarray(['tank/a', 'tank/b', 'tank/c/d']).map((zvols) => zvols.map((zvol, at) => lun(at * 2, zvol))),
  })
  .map(({ credentials, ...rest }) => ({ iqn: IQN, ...credentials, ...rest }))
const perhaps = fc.option(wanted, { nil: undefined })

describe('the steps', () => {
  it('lead from any target to any other, and from there nowhere', () => {
    fc.assert(
      fc.property(perhaps, perhaps, (before, after) => {
        const kernel = new Kernel()
        kernel.take(stepsTo(kernel.state(), IQN, before))
        kernel.take(stepsTo(kernel.state(), IQN, after))
        const state = kernel.state()
        const target = state.targets.find(({ iqn }) => iqn === IQN)
        expect(target && normal(wantedOf(target, state))).toEqual(after && normal(after))
        expect(stepsTo(state, IQN, after)).toEqual([])
        if (!after) expect([kernel.folders, kernel.files, kernel.links].map(({ size }) => size)).toEqual([0, 0, 0])
      }),
    )
  })

  it('lead back, and forth again, from wherever they were cut', () => {
    fc.assert(
      fc.property(perhaps, perhaps, fc.nat(60), fc.boolean(), (before, after, cut, back) => {
        const kernel = new Kernel()
        kernel.take(stepsTo(kernel.state(), IQN, before))
        kernel.take(stepsTo(kernel.state(), IQN, after).slice(0, cut))
        const goal = back ? before : after
        kernel.take(stepsTo(kernel.state(), IQN, goal))
        const state = kernel.state()
        const target = state.targets.find(({ iqn }) => iqn === IQN)
        expect(target && normal(wantedOf(target, state))).toEqual(goal && normal(goal))
        expect(state.backstores).toHaveLength(goal?.luns.length ?? 0)
      }),
    )
  })

  it('let nobody in before everything is there, and enable last', () => {
    const steps = stepsTo({ hbas: [], backstores: [], targets: [] }, IQN, {
      iqn: IQN,
      enabled: true,
      portals: ['[::]:3260'],
      initiators: ['iqn.2024-12.com.client:a'],
      chap: CHAP,
      mutual: MUTUAL,
      luns: [lun(0, 'tank/a')],
    })
    expect(steps.at(-1)).toEqual(['write', `iscsi/${IQN}/tpgt_1/enable`, '1'])
    expect(steps).toContainEqual(['write', `iscsi/${IQN}/tpgt_1/attrib/authentication`, '1'])
    expect(steps).toContainEqual(['write', `iscsi/${IQN}/tpgt_1/attrib/generate_node_acls`, '0'])
  })

  it('leave alone what somebody else made', () => {
    const kernel = new Kernel()
    const other = 'iqn.2024-12.com.example:by.hand'
    kernel.take([
      ['mkdir', 'core/iblock_0'],
      ['mkdir', 'core/iblock_0/disk'],
      ['write', 'core/iblock_0/disk/enable', '1'],
      ['mkdir', 'core/fileio_1'],
      ['mkdir', 'core/fileio_1/image'],
      ['mkdir', `iscsi/${other}`],
      ['mkdir', `iscsi/${other}/tpgt_1`],
      ['mkdir', `iscsi/${other}/tpgt_1/lun/lun_0`],
      ['link', `iscsi/${other}/tpgt_1/lun/lun_0/x`, 'core/iblock_0/disk'],
    ])
    const before = JSON.stringify(kernel.state())
    const target: Wanted = {
      iqn: IQN,
      enabled: true,
      portals: [],
      initiators: [],
      chap: undefined,
      mutual: undefined,
      luns: [lun(0, 'tank/a')],
    }
    kernel.take(stepsTo(kernel.state(), IQN, target))
    expect(kernel.folders).toContain('core/iblock_2')
    kernel.take(stepsTo(kernel.state(), IQN, undefined))
    expect(JSON.stringify(kernel.state())).toBe(before)
  })
})

const normal = (target: Wanted) => ({
  ...target,
  portals: [...target.portals].sort(),
  initiators: [...target.initiators].sort(),
})

describe('saveconfig.json', () => {
  const file = () => join(temporaryFolder(), 'lio/saveconfig.json')

  it('says the same after it was written and read again', () => {
    fc.assert(
      fc.property(wanted, (target) => {
        const saved = withTarget(readSaved(file()), IQN, target)
        expect(savedTargets(JSON.parse(JSON.stringify(saved)))).toEqual([target])
      }),
    )
  })

  it('is for root alone', () => {
    const path = file()
    writeSaved(path, withTarget(readSaved(path), IQN, undefined))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readFileSync(path, 'utf8')).toContain('"targets": []')
  })

  it('keeps what others wrote, and what they set on ours', () => {
    const others = {
      fabric_modules: [{ name: 'iscsi', discovery_enable_auth: true }],
      storage_objects: [
        { name: 'image', plugin: 'fileio', dev: '/image', wwn: 'x', size: 5, attributes: { block_size: 4096 } },
      ],
      targets: [
        {
          wwn: 'naa.5001405',
          fabric: 'loopback',
          tpgs: [{ luns: [{ index: 0, storage_object: '/backstores/fileio/image' }] }],
        },
        { wwn: 'iqn.2003-01.org.example:hand', fabric: 'iscsi', tpgs: [] },
      ],
    }
    const path = file()
    mkdirSync(join(path, '..'))
    writeFileSync(path, JSON.stringify(others))
    const ours: Wanted = {
      iqn: IQN,
      enabled: true,
      portals: ['[::]:3260'],
      initiators: [],
      chap: CHAP,
      mutual: MUTUAL,
      luns: [lun(0, 'tank/a')],
    }
    const first = JSON.parse(JSON.stringify(withTarget(readSaved(path), IQN, ours)))
    first.targets[2].tpgs[0].attributes.default_cmdsn_depth = 128
    first.targets[2].tpgs.push({ tag: 2, luns: [] })
    first.storage_objects[1].attributes.emulate_caw = 0
    writeFileSync(path, JSON.stringify(first))
    const without = { ...ours, chap: undefined, mutual: undefined, enabled: false }
    const second = JSON.parse(JSON.stringify(withTarget(readSaved(path), IQN, without)))
    expect(second.targets[2].tpgs[0]).toMatchObject({
      enable: false,
      attributes: { default_cmdsn_depth: 128, authentication: 0 },
    })
    expect(second.targets[2].tpgs[1]).toEqual({ tag: 2, luns: [] })
    expect(second.storage_objects[1].attributes).toEqual({ emulate_tpu: 1, emulate_caw: 0 })
    expect(JSON.stringify(first)).toContain(MUTUAL.password)
    for (const { password } of [CHAP, MUTUAL]) expect(JSON.stringify(second)).not.toContain(password)
    writeFileSync(path, JSON.stringify(second))
    expect(withTarget(readSaved(path), IQN, undefined)).toEqual(others)
  })

  it('is read as rtslib writes it, and what a change means holds against all that is in there', () => {
    const rtslib = readSaved(join(import.meta.dirname, '../fixtures/lio-6.12/saveconfig.json'))
    const [target] = savedTargets(rtslib)
    expect(target).toEqual({
      iqn: 'iqn.2026-01.test.rec:t',
      enabled: true,
      portals: ['[::]:3260'],
      initiators: ['iqn.2026-01.test.rec:i'],
      chap: { username: 'user', password: 'a-long-secret' },
      luns: [
        {
          id: 3,
          store: 'block/edge-v1-00112233',
          device: '/dev/zvol/rec-a/v1',
          serial: '00112233-4455-6677-8899-aabbccddeeff',
        },
      ],
    })
    if (!target) return
    expect(withTarget(rtslib, target.iqn, target)).toEqual(rtslib)
    const open = JSON.parse(JSON.stringify(withTarget(rtslib, target.iqn, { ...target, chap: undefined })))
    expect(open.targets[0].tpgs[0]).toMatchObject({
      attributes: { authentication: 0, default_cmdsn_depth: 64 },
      parameters: { AuthMethod: 'CHAP,None', MaxBurstLength: '262144' },
    })
    expect(JSON.stringify(open)).not.toContain('a-long-secret')
    const closed = JSON.parse(JSON.stringify(withTarget(open, target.iqn, target)))
    expect(closed.targets[0].tpgs[0].parameters.AuthMethod).toBe('CHAP')
  })

  it.each(['{', '[]', '{"targets": 5}', '{"storage_objects": [{}]}'])('is not overwritten when it is %s', (text) => {
    const path = file()
    mkdirSync(join(path, '..'))
    writeFileSync(path, text)
    expect(() => readSaved(path)).toThrow('damaged')
  })
})

describe('a target’s id', () => {
  it('follows from its name alone', () => {
    expect(targetId(IQN)).toMatch(/^iscsi-[0-9a-f]{12}$/)
    expect(targetId(IQN)).not.toBe(targetId(`${IQN}x`))
  })
})

function setUp() {
  const folder = temporaryFolder()
  const file = join(folder, 'saveconfig.json')
  const kernel = new Kernel()
  const warnings: string[] = []
  const property = (value: string) => ({ value, source: '-' })
  /** Volumes that are not the ones that they were; undefined: not there. */
  const guids = new Map<string, string | undefined>()
  const zfs = {
    get: async (name: string) => {
      const guid = guids.has(name) ? guids.get(name) : `guid of ${name}`
      return guid === undefined
        ? undefined
        : new Map(Object.entries({ type: property('volume'), guid: property(guid) }))
    },
  }
  const marks = new Marks(join(folder, 'marks'))
  const make = (again?: number) =>
    new Iscsi({
      again,
      lio: kernel,
      zfs,
      file,
      marks,
      portals: ['[::]:3260'],
      warn: (text) => void warnings.push(text),
    })
  /** As after a power cut. */
  const cutPower = () => {
    for (const all of [kernel.folders, kernel.files, kernel.links]) all.clear()
  }
  return { kernel, file, warnings, marks, guids, cutPower, make, iscsi: make() }
}
const saidIn = (file: string) => savedTargets(readSaved(file))

describe('SEC-33 fifty writers at once', () => {
  it('lose nothing: every LUN, target and initiator that was answered is in the kernel and in the file', async () => {
    const { iscsi, file } = setUp()
    await iscsi.create(IQN, {})
    const id = targetId(IQN)
    const zvols = Array.from({ length: 25 }, (_, i) => `tank/v${i}`)
    const names = Array.from({ length: 25 }, (_, i) => `${IQN}.${i}`)
    const [luns] = await Promise.all([
      Promise.all(zvols.map((zvol) => iscsi.addLun(id, zvol))),
      Promise.all(names.map((name) => iscsi.create(name, { initiators: [name] }))),
    ])
    expect(luns.map((one) => one.id).sort((a, b) => a - b)).toEqual(zvols.map((_, i) => i))
    const all = await iscsi.list()
    expect(all.map(({ iqn }) => iqn).sort()).toEqual([IQN, ...names].sort())
    expect(
      all
        .find(({ iqn }) => iqn === IQN)
        ?.luns.map(({ zvol }) => zvol)
        .sort(),
    ).toEqual(zvols.sort())
    expect(
      saidIn(file)
        .map(({ iqn, luns }) => [iqn, luns.length])
        .sort(),
    ).toEqual(all.map(({ iqn, luns }) => [iqn, luns.length]).sort())
  })

  it('of one zvol leave it in one place', async () => {
    const { iscsi } = setUp()
    const names = Array.from({ length: 10 }, (_, i) => `${IQN}.${i}`)
    await Promise.all(names.map((name) => iscsi.create(name, {})))
    const ends = await Promise.allSettled(names.map((name) => iscsi.addLun(targetId(name), 'tank/one')))
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await iscsi.list()).flatMap(({ luns }) => luns)).toHaveLength(1)
  })
})

describe('after a boot', () => {
  it('what targetctl could not build is built, with the same numbers; what still cannot be is left, with a warning', async () => {
    const { kernel, iscsi, make, warnings, file, cutPower } = setUp()
    await iscsi.create(IQN, { initiators: ['iqn.2024-12.com.client:a'], chap: CHAP })
    for (const zvol of ['tank/a', 'late/b', 'tank/c']) await iscsi.addLun(targetId(IQN), zvol)
    await iscsi.removeLun(targetId(IQN), 0, false)
    const [before, said] = [await iscsi.list(), readFileSync(file, 'utf8')]
    cutPower()
    kernel.missing.add('/dev/zvol/late/b')
    await make().restore()
    expect(kernel.state().targets[0]?.luns.map(({ id }) => id)).toEqual([2])
    expect(warnings).toEqual([expect.stringContaining('/dev/zvol/late/b')])
    kernel.missing.clear()
    await make().restore()
    expect(await iscsi.list()).toEqual(before)
    expect(readFileSync(file, 'utf8')).toBe(said)
    kernel.asked.length = 0
    await make().restore()
    expect(kernel.asked).toEqual([])
  })

  it('a target that cannot be built keeps none of the others from coming back', async () => {
    const { kernel, iscsi, make, warnings, cutPower } = setUp()
    const names = ['a', 'b', 'c'].map((name) => `${IQN}.${name}`)
    for (const iqn of names) await iscsi.create(iqn, {})
    for (const iqn of names) await iscsi.addLun(targetId(iqn), `tank/${iqn.at(-1)}`)
    const before = await iscsi.list()
    cutPower()
    kernel.closed.add(names[0] ?? '')
    await make().restore()
    expect(kernel.state().targets.map(({ iqn, luns }) => [iqn, luns.length])).toEqual([
      [names[1], 1],
      [names[2], 1],
    ])
    expect(warnings).toEqual([expect.stringContaining(names[0] ?? '')])
    kernel.closed.clear()
    await make().restore()
    const byName = (all: typeof before) => [...all].sort((a, b) => (a.iqn < b.iqn ? -1 : 1))
    expect(byName(await iscsi.list())).toEqual(byName(before))
  })

  it('another volume of a LUN’s name is shown to nobody, and what is saved stays', async () => {
    const { kernel, iscsi, make, warnings, file, guids, cutPower } = setUp()
    await iscsi.create(IQN, {})
    for (const zvol of ['tank/a', 'tank/b']) await iscsi.addLun(targetId(IQN), zvol)
    const said = readFileSync(file, 'utf8')
    cutPower()
    guids.set('tank/a', 'another').set('tank/b', undefined)
    await make().restore()
    expect(kernel.state()).toMatchObject({ backstores: [], targets: [{ luns: [] }] })
    expect(warnings).toEqual([expect.stringContaining('tank/a'), expect.stringContaining('tank/b')])
    expect(readFileSync(file, 'utf8')).toBe(said)
    guids.clear()
    await make().restore()
    expect(kernel.state().targets[0]?.luns.map(({ id }) => id)).toEqual([0, 1])
  })

  it('a change that was cut short is put in order without what is not there, or is another volume', async () => {
    const { kernel, iscsi, make, marks, guids, cutPower } = setUp()
    await iscsi.create(IQN, {})
    for (const zvol of ['tank/a', 'tank/b', 'tank/c']) await iscsi.addLun(targetId(IQN), zvol)
    cutPower()
    marks.set(IQN)
    guids.set('tank/a', 'another')
    kernel.missing.add('/dev/zvol/tank/b')
    await make().restore()
    expect(kernel.state().targets[0]?.luns.map(({ id }) => id)).toEqual([2])
    expect(marks.all()).toEqual([])
  })

  it('with nothing saved and nothing half made, nothing is asked', async () => {
    const { kernel, iscsi } = setUp()
    await iscsi.restore()
    expect(kernel.asked).toEqual([])
  })
})

describe('what is saved and not served', () => {
  const id = targetId(IQN)
  const CLIENT = 'iqn.2024-12.com.client:a'
  /** A target with two LUNs, the first of which has no device after a boot. */
  async function setUpLate() {
    const all = setUp()
    await all.iscsi.create(IQN, { initiators: [CLIENT], chap: CHAP })
    for (const zvol of ['late/a', 'tank/b']) await all.iscsi.addLun(id, zvol)
    const before = await all.iscsi.get(id)
    all.cutPower()
    all.guids.set('late/a', undefined)
    const iscsi = all.make()
    await iscsi.restore()
    const served = () => all.kernel.state().targets[0]?.luns.map((lun) => lun.id)
    const savedLuns = () => saidIn(all.file)[0]?.luns.map((lun) => [lun.id, lun.device.replace('/dev/zvol/', '')])
    return { ...all, iscsi, before, served, savedLuns }
  }

  it('is shown, with the reason', async () => {
    const { iscsi, before, served, guids } = await setUpLate()
    expect(served()).toEqual([1])
    expect(await iscsi.get(id)).toEqual({
      ...before,
      luns: [{ id: 0, zvol: 'late/a', backend: 'zvol' }, before.luns[1]],
      note: 'Saved and not served: LUN 0 (late/a): late/a is not there',
      [UNSERVED]: ['LUN 0 (late/a): late/a is not there'],
    })
    guids.clear()
    await iscsi.restore()
    expect(await iscsi.get(id)).toEqual(before)
  })

  it('is lost by no change, and comes with the next one once it is there', async () => {
    const { iscsi, served, savedLuns, guids, file, before } = await setUpLate()
    const said = savedLuns()
    await iscsi.update(id, { initiators: ['iqn.2024-12.com.client:b'] }, false)
    await iscsi.update(id, { chap: null }, false)
    await iscsi.update(id, { enabled: false }, false)
    expect([savedLuns(), served()]).toEqual([said, [1]])
    expect(saidIn(file)[0]).toMatchObject({ enabled: false, chap: undefined, initiators: ['iqn.2024-12.com.client:b'] })
    guids.clear()
    const after = await iscsi.update(id, { initiators: [CLIENT], enabled: true, chap: CHAP }, false)
    expect([after.luns, after.note, served()]).toEqual([before.luns, undefined, [0, 1]])
  })

  it('keeps its number, and its volume is nobody else’s', async () => {
    const { iscsi, served, savedLuns, guids } = await setUpLate()
    expect(await iscsi.addLun(id, 'tank/c')).toMatchObject({ id: 2 })
    guids.clear()
    const other = `${IQN}.other`
    await iscsi.create(other, {})
    await expect(iscsi.addLun(targetId(other), 'late/a')).rejects.toThrow(`LUN 0 of ${IQN}`)
    await expect(iscsi.addLun(id, 'late/a')).rejects.toThrow(`LUN 0 of ${IQN}`)
    expect(savedLuns()).toEqual([
      [0, 'late/a'],
      [1, 'tank/b'],
      [2, 'tank/c'],
    ])
    await iscsi.restore()
    expect(served()).toEqual([0, 1, 2])
  })

  it('can be taken away', async () => {
    const { iscsi, served, savedLuns } = await setUpLate()
    await expect(iscsi.removeLun(id, 7, false)).rejects.toThrow('not found')
    await iscsi.removeLun(id, 0, false)
    expect([savedLuns(), served()]).toEqual([[[1, 'tank/b']], [1]])
    expect((await iscsi.get(id)).note).toBeUndefined()
    expect(await iscsi.addLun(id, 'tank/c')).toMatchObject({ id: 0 })
  })

  it('may be a whole target: it is shown, built by a change once it can be, or removed', async () => {
    const { kernel, iscsi, before, file, cutPower } = await setUpLate()
    cutPower()
    kernel.closed.add(IQN)
    await iscsi.restore()
    const said = readFileSync(file, 'utf8')
    const shown = await iscsi.get(id)
    expect(shown).toMatchObject({ enabled: false, portals: [], sessions: [], initiators: [CLIENT], managed: true })
    expect(shown.luns.map((lun) => [lun.id, lun.zvol])).toEqual([
      [0, 'late/a'],
      [1, 'tank/b'],
    ])
    expect([shown.chap, shown.note]).toEqual([
      { username: 'user' },
      'Saved and not served: the target: The portal [::]:3260 cannot be opened: Invalid argument',
    ])
    await expect(iscsi.create(IQN, {})).rejects.toThrow('A target with this name already exists')
    await expect(iscsi.update(id, { enabled: true }, false)).rejects.toThrow('cannot be opened')
    expect([readFileSync(file, 'utf8'), kernel.state().targets]).toEqual([said, []])
    kernel.closed.clear()
    expect(await iscsi.update(id, { enabled: true }, false)).toMatchObject({
      enabled: true,
      portals: before.portals,
      luns: [{ id: 0 }, { id: 1 }],
    })
    expect(kernel.state().targets[0]?.luns.map((lun) => lun.id)).toEqual([1])
    expect(saidIn(file)[0]?.luns).toHaveLength(2)
    cutPower()
    await iscsi.remove(id, false)
    expect([saidIn(file), await iscsi.list()]).toEqual([[], []])
  })

  it('of a target that is half there is built by a change as well', async () => {
    const { kernel, iscsi, before, guids } = await setUpLate()
    guids.clear()
    // As targetctl leaves it when another program has the port.
    const group = `iscsi/${IQN}/tpgt_1`
    kernel.take([
      ['write', `${group}/enable`, '0'],
      ['rmdir', `${group}/np/[::]:3260`],
    ])
    const shown = await iscsi.get(id)
    expect([shown.enabled, shown.note]).toEqual([false, expect.stringContaining('not served: the target')])
    expect(await iscsi.update(id, {}, false)).toEqual(before)
  })

  it('is tried again by itself, told once in the log, and left alone once it is there', async () => {
    const { make, guids, served, kernel, warnings, iscsi: first } = await setUpLate()
    first.close()
    guids.delete('late/a')
    kernel.missing.add('/dev/zvol/late/a')
    warnings.length = 0
    const iscsi = make(5)
    await iscsi.restore()
    const tries = () =>
      kernel.asked.filter(([operation, path]) => operation === 'device' && path.endsWith('/late/a')).length
    const before = tries()
    await vi.waitUntil(() => tries() > before + 2, { timeout: 90_000 })
    expect(warnings).toEqual([expect.stringContaining('/dev/zvol/late/a could not be brought back')])
    kernel.missing.clear()
    await vi.waitUntil(() => served()?.length === 2, { timeout: 90_000 })
    expect(served()).toEqual([0, 1])
    expect((await iscsi.get(id)).note).toBeUndefined()
    iscsi.close()
  })

  it('is not taken for what somebody else put under its number', async () => {
    const { kernel, iscsi, file, served } = await setUpLate()
    const said = readFileSync(file, 'utf8')
    const path = `iscsi/${IQN}/tpgt_1/lun/lun_0`
    kernel.take([
      ['mkdir', 'core/iblock_9'],
      ['mkdir', 'core/iblock_9/disk'],
      ['write', 'core/iblock_9/disk/enable', '1'],
      ['mkdir', path],
      ['link', `${path}/x`, 'core/iblock_9/disk'],
    ])
    await expect(iscsi.update(id, { enabled: true }, false)).rejects.toThrow('LUN 0 is not the volume')
    expect([readFileSync(file, 'utf8'), served()]).toEqual([said, [0, 1]])
  })
})

describe('what stands in the way of datasets’ end', () => {
  it('are the LUNs among them, no others', async () => {
    const { iscsi } = setUp()
    await iscsi.create(IQN, {})
    for (const zvol of ['tank/a', 'tank/a/b', 'tank/ab']) await iscsi.addLun(targetId(IQN), zvol)
    const reason = (zvol: string, id: number) => ({
      object: `iscsi/targets/${targetId(IQN)}`,
      reason: `${zvol} is LUN ${id} of ${IQN}`,
      claims: zvol,
    })
    const gone = ['tank/a', 'tank/a@snapshot', 'tank/a/b']
    expect(await iscsi.dependents(gone)).toEqual([reason('tank/a', 0), reason('tank/a/b', 1)])
    expect(await iscsi.dependents(['tank', 'tank/x'])).toEqual([])
  })

  it('are those too that are saved and not served', async () => {
    const { iscsi, cutPower } = setUp()
    await iscsi.create(IQN, {})
    await iscsi.addLun(targetId(IQN), 'tank/a')
    cutPower()
    // Nobody has the device: what else claims it has to be told.
    const use = { object: `iscsi/targets/${targetId(IQN)}`, reason: `tank/a is LUN 0 of ${IQN}` }
    expect(await iscsi.dependents(['tank/a', 'tank/b'])).toEqual([use])
  })
})

describe('SEC-02, SEC-03 whatever is sent', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      ';id',
      '$(id)',
      '`id`',
      '-oProxyCommand=x',
      '--',
      '..',
      '\0',
      '\n',
      '\t',
      'NULL',
      `${IQN}\nrmdir\tcore/x`,
    ),
    fc.stringMatching(/^iqn\.20[0-9]{2}-(0[1-9]|1[0-2])\.[a-z]{1,5}\.[a-z-]{1,5}:[a-z0-9.:;$\n\t_-]{1,9}$/),
    fc.stringMatching(/^[!-~]{12,20}$/),
    fc.stringMatching(/^tank\/[A-Za-z0-9_.:\n -]{1,12}$/),
  )
  const bodyOf = ({ body }: { body?: unknown }) => body as { safeParse: (value: unknown) => { success: boolean } }

  it('is refused, or reaches the kernel and the file as the one value that it is', { timeout: 240_000 * FUZZ }, () => {
    let taken = 0
    const check = (body: { iqn: string; initiators?: string[]; chap?: typeof CHAP; mutual_chap?: typeof CHAP }) => {
      if (!bodyOf(createTarget).safeParse(body).success) return
      taken += 1
      const { iqn, initiators = [], chap, mutual_chap: mutual } = body
      const target: Wanted = { iqn, enabled: true, portals: ['[::]:3260'], initiators, chap, mutual, luns: [] }
      const kernel = new Kernel()
      kernel.take(stepsTo(kernel.state(), iqn, target))
      expect(kernel.asked.flat().filter((part) => /[\x00-\x1f]/.test(part ?? ''))).toEqual([])
      expect(kernel.state().targets.map((one) => wantedOf(one, kernel.state()))).toEqual([target])
      const empty = { storage_objects: [], targets: [] }
      expect(savedTargets(JSON.parse(JSON.stringify(withTarget(empty, iqn, target))))).toEqual([target])
    }
    fc.assert(
      fc.property(hostile, (text) => {
        check({ iqn: text })
        check({ iqn: IQN, initiators: [text] })
        check({ iqn: IQN, initiators: [IQN], chap: { username: text, password: CHAP.password } })
        check({ iqn: IQN, initiators: [IQN], chap: { username: 'user', password: text } })
        check({ iqn: IQN, initiators: [IQN], chap: CHAP, mutual_chap: { username: text, password: text } })
      }),
      { numRuns: 10_000 },
    )
    expect(taken).toBeGreaterThan(1000)
  })

  it('names a zvol only when ZFS could', () => {
    fc.assert(
      fc.property(hostile, (zvol) => {
        const ok = bodyOf(addLun).safeParse({ zvol }).success
        if (ok) expect(zvol).toMatch(/^[A-Za-z][A-Za-z0-9_.: -]*(?:\/[A-Za-z0-9_.: -]+)+$/)
        expect(bodyOf(updateTarget).safeParse({ enabled: zvol }).success).toBe(false)
      }),
      { numRuns: 10_000 },
    )
  })
})
