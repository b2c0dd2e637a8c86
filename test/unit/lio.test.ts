// LIO's driver on what the real kernel showed, and the fake against the same record: every line of
// test/fixtures/lio-6.12 is done again. Device numbers are the machine's; they alone are not compared.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLio, parseLio } from '../../src/drivers/lio.ts'
import { CommandError, createRun, type Output, type RunOptions } from '../../src/drivers/run.ts'
import { REPOSITORY, temporaryFolder } from '../api/appliance.ts'
import { installFakes } from '../fakes/install.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/lio-6.12')
const SCRIPT = join(REPOSITORY, 'scripts/lio.sh')
const transcript = readFileSync(join(FIXTURES, 'transcript.txt'), 'utf8')
const answers = transcript
  .split(/^> /m)
  .slice(1)
  .map((text) => {
    const end = text.indexOf('\n')
    return { step: text.slice(0, end), answer: text.slice(end + 1) }
  })
const answerTo = (step: string) => answers.find((one) => one.step === step)?.answer ?? ''
const treeAfter = (step: string) => answerTo(step).replace(/^(?:.*\n)*?exit \d+\n/, '')
const IQN = 'iqn.2026-01.test.rec:t'

describe('the tree of a real kernel', () => {
  const state = parseLio(treeAfter(`+write iscsi/${IQN}/tpgt_1/enable 1`))

  it('is read: a backstore with its size and serial, and one that is not enabled', () => {
    expect(state.hbas).toEqual(['iblock_71', 'iblock_72'])
    expect(state.backstores).toEqual([
      {
        path: 'core/iblock_71/edge-v1-00112233',
        name: 'block/edge-v1-00112233',
        device: '/dev/zvol/rec-a/v1',
        enabled: true,
        serial: '00112233-4455-6677-8899-aabbccddeeff',
        bytes: 64 * 1024 ** 2,
      },
      {
        path: 'core/iblock_72/edge-v1-again',
        name: 'block/edge-v1-again',
        device: '',
        enabled: false,
        serial: '',
        bytes: undefined,
      },
    ])
  })

  it('is read: a target with its LUN, its initiator and its secret', () => {
    const lun = { id: 0, link: 'edge-admin' }
    const chap = { username: 'user', password: 'a!"$`\\\'secret' }
    const mutual = { username: 'target', password: 'b!"$`\\\'secret' }
    expect(state.targets).toEqual([
      {
        iqn: IQN,
        tags: [1],
        enabled: true,
        alias: 'edge-admin',
        attributes: { authentication: '1', generate_node_acls: '0', demo_mode_discovery: '0' },
        portals: ['[::]:3270'],
        luns: [{ ...lun, to: 'core/iblock_71/edge-v1-00112233' }],
        acls: [
          {
            initiator: 'iqn.2026-01.test.rec:i',
            luns: [{ ...lun, to: `iscsi/${IQN}/tpgt_1/lun/lun_0` }],
            chap,
            mutual,
            session: undefined,
          },
        ],
        chap,
        mutual,
        dynamic: [],
      },
    ])
  })

  it('has no secret where the kernel was told NULL, though it shows the word', () => {
    const tree = treeAfter(`+write iscsi/${IQN}/tpgt_1/auth/userid NULLify`)
    expect(tree).toContain('auth/password\tNULL\n')
    expect(parseLio(tree).targets[0]?.chap).toBeUndefined()
  })

  it('tells who is logged in', () => {
    const session = readFileSync(join(FIXTURES, 'session.txt'), 'utf8')
    expect(parseLio(session).targets[0]?.acls[0]).toMatchObject({
      initiator: 'iqn.2026-01.test.iscsi:init',
      session: { alias: 'vmrig', state: 'logged_in', addresses: ['127.0.0.1'] },
    })
  })

  it('lets no alias say who is logged in, or from where', () => {
    const session = readFileSync(join(FIXTURES, 'session.txt'), 'utf8')
    const of = (alias: string) => {
      const info = /^.*\/info\t/m.exec(session)?.[0]
      return parseLio(session.replace('vmrig', alias.replaceAll('\n', `\n${info}`))).targets[0]?.acls[0]?.session
    }
    const is = { state: 'logged_in', addresses: ['127.0.0.1'] }
    const lines = ['a', 'Session State: TARG_SESS_STATE_FAILED', '   Address 192.0.2.9 TCP  StatSN: 0x1']
    expect(of(lines.join('\n'))).toEqual({ ...is, alias: 'a' })
    for (const odd of ['\r', '\u2028', '\t', '\x1b', '\u202e'])
      expect([odd, of(`a${odd}b`)]).toEqual([odd, { ...is, alias: 'a\ufffdb' }])
  })

  it('is nothing where nothing is there', () => {
    expect(parseLio('')).toEqual({ hbas: [], backstores: [], targets: [] })
  })
})

describe('a tree that is half made', () => {
  const of = (...lines: string[]) => parseLio(`${lines.join('\n')}\n`)
  const group = 'iscsi/iqn.x:y/tpgt_1'

  it('is read as what it is: a group without links, secrets with a half, a store without a size', () => {
    const state = of(
      'core/fileio_3/f/info\tStatus: DEACTIVATED',
      'core/fileio_3/f/info\t  File: /srv/f  Size: 4096  Mode: Buffered',
      'core/rd_mcp_1/r/enable\t0',
      'core/rd_mcp_1/r/sectors\t0',
      'core/pscsi_0',
      'core/odd_12/s/wwn/vpd_unit_serial\tT10 VPD Unit Serial Number: ab',
      `${group}/enable\t0`,
      `${group}/lun/lun_10/x\tno link`,
      `${group}/lun/lun_2/y\t-> core/rd_mcp_1/r`,
      `${group}/lun/other`,
      `${group}/auth/userid\tme`,
      `${group}/acls/iqn.i/info\tNo active iSCSI Session for Initiator Endpoint: iqn.i`,
      `${group}/acls/iqn.i/auth/password\tsecret`,
      `${group}/acls/iqn.j/auth/userid\tNULL`,
      `${group}/acls/iqn.j/auth/password\tsecret`,
      `${group}/dynamic_sessions\tiqn.d`,
      `${group}/dynamic_sessions\t`,
      'iscsi/iqn.x:y/tpgt_2/enable\t1',
      'iscsi/iqn.x:y/fabric_statistics',
      'iscsi/iqn.empty',
    )
    expect(state.hbas).toEqual(['fileio_3', 'rd_mcp_1', 'pscsi_0', 'odd_12'])
    expect(state.backstores.map(({ name, enabled, bytes, serial }) => [name, enabled, bytes, serial])).toEqual([
      ['fileio/f', false, 4096, ''],
      ['ramdisk/r', false, 0, ''],
      ['odd/s', false, undefined, 'ab'],
    ])
    const empty = { enabled: false, alias: '', attributes: {}, portals: [], chap: undefined }
    expect(state.targets).toEqual([
      {
        ...{ ...empty, iqn: 'iqn.x:y', tags: [1, 2] },
        luns: [
          { id: 2, link: 'y', to: 'core/rd_mcp_1/r' },
          { id: 10, link: undefined, to: undefined },
        ],
        acls: ['iqn.i', 'iqn.j'].map((initiator) => ({ initiator, luns: [], chap: undefined })),
        dynamic: ['iqn.d'],
      },
      { ...empty, iqn: 'iqn.empty', tags: [], luns: [], acls: [], dynamic: [] },
    ])
  })
})

describe('a change of LIO', () => {
  const steps = [
    ['mkdir', 'core/a'],
    ['write', 'core/a/enable', '1'],
  ] as const
  const driver = (refusal?: unknown) => {
    const calls: unknown[] = []
    const lio = createLio(async (name, args, options) => {
      calls.push([name, ...args, options?.input])
      if (refusal) throw refusal
      return { stdout: '', stderr: '', status: 0 }
    })
    return { lio, calls }
  }
  const failed = (stderr: string) => new CommandError(['lio', 'apply'], 'status', stderr, 1)

  it('is sent as lines, and nothing is sent for nothing', async () => {
    const { lio, calls } = driver()
    await lio.apply([])
    expect(calls).toEqual([])
    await lio.apply([...steps])
    expect(calls).toEqual([['lio', 'apply', 'mkdir\tcore/a\nwrite\tcore/a/enable\t1\n']])
    await expect(lio.apply([['mkdir', 'a\x1fb']])).rejects.toThrow('a control character in mkdir')
    await lio.apply([['mkdir', 'a b']])
    expect(calls).toHaveLength(2)
  })

  it('that is refused names the step and the system’s words, where they are known', async () => {
    const refused = (stderr: string) => driver(failed(stderr)).lio.apply([...steps])
    await expect(refused('tee: core/a/enable: Device or resource busy\nafter 1\n')).rejects.toMatchObject({
      ...{ name: 'StepError', step: steps[1], words: 'Device or resource busy' },
    })
    await expect(refused('after 0\n')).rejects.toMatchObject({ step: steps[0], words: 'refused without a word' })
    // Of a step that there is none of nothing is known.
    for (const text of ['after 2\n', 'no such program\n', ''])
      await expect(refused(text)).rejects.toMatchObject({ name: 'CommandError', reason: 'status' })
    await expect(driver(new Error('ours\nafter 1')).lio.apply([...steps])).rejects.toThrow('ours')
  })
})

describe('the fake of LIO', () => {
  it('answers every line of the record as the kernel did', { timeout: 240_000 }, () => {
    const fakes = installFakes(temporaryFolder())
    fakes.change(({ datasets }) => {
      for (const name of ['v1', 'v2'])
        datasets[`rec-a/${name}`] = { type: 'volume', properties: { volsize: String(64 * 1024 ** 2) } }
    })
    const same = (text: string) =>
      text.replace(/zd\d+/g, 'zd0').replace(/Major: 230 Minor: \d+/g, 'Major: 230 Minor: 0')
    const sorted = (text: string) => same(text).split('\n').sort()
    const lio = (action: string, input = '') =>
      spawnSync(join(fakes.programs, 'lio'), [action], { input, encoding: 'utf8' })
    // Steps that succeed go with the next one that is looked at: each start of a program costs.
    let quiet: string[] = []
    for (const { step, answer } of answers) {
      const [operation = '', path = '', value] = step.replace(/^\+/, '').split(/ (.*?)(?: (.*))?$/s)
      const [, words = '', code, tree = ''] = /^((?:.*\n)*?)exit (\d)\n((?:.|\n)*)$/.exec(answer) ?? []
      const lines = [...quiet, [operation, path, value].filter(Boolean).join('\t')]
      quiet = code === '0' && !step.startsWith('+') ? lines : []
      if (quiet.length > 0) continue
      const { stderr, status } = lio('apply', `${lines.join('\n')}\n`)
      const refused = words.replace(/^after 0$/m, `after ${lines.length - 1}`)
      expect([step, status, stderr]).toEqual([step, Number(code), refused])
      if (step.startsWith('+')) expect([step, sorted(lio('read').stdout)]).toEqual([step, sorted(tree)])
    }
    expect(quiet).toEqual([])
    expect(answers.length).toBeGreaterThan(70)
  })
})

for (const shell of ['dash', 'busybox ash']) {
  describe(`lio.sh under ${shell}`, () => {
    const root = temporaryFolder()
    mkdirSync(join(root, 'iscsi'))
    mkdirSync(join(root, 'core/iblock_0/store'), { recursive: true })
    const run = createRun(() => true)
    const lio = createLio((_name, args: string[], options?: RunOptions): Promise<Output> => {
      const [program = '', ...rest] = shell.split(' ')
      const argv = [...rest, SCRIPT, ...args]
      return run(`/usr/bin/${program}`, argv, { ...options, env: { EDGE_CONFIGFS: root } })
    })

    it('makes folders, links and files, and reads them again', async () => {
      const group = 'iscsi/iqn.2026-01.test.x:y/tpgt_1'
      const hostile = '-n $(id) `id` \\n "\' %s ~ * ;&|'
      await lio.apply([
        ['mkdir', 'iscsi/iqn.2026-01.test.x:y'],
        ['mkdir', group],
        ['mkdir', `${group}/auth`],
        ['mkdir', `${group}/np`],
        ['mkdir', `${group}/np/[::]:3260`],
        ['mkdir', `${group}/lun`],
        ['mkdir', `${group}/lun/lun_3`],
        ['link', `${group}/lun/lun_3/edge-admin`, 'core/iblock_0/store'],
        ['write', `${group}/auth/userid`, 'me'],
        ['write', `${group}/auth/password`, hostile],
        ['write', `${group}/enable`, '1'],
      ])
      expect((await lio.read()).targets).toMatchObject([
        {
          iqn: 'iqn.2026-01.test.x:y',
          enabled: true,
          portals: ['[::]:3260'],
          luns: [{ id: 3, link: 'edge-admin', to: 'core/iblock_0/store' }],
          chap: { username: 'me', password: hostile },
        },
      ])
      await lio.apply([
        ['unlink', `${group}/lun/lun_3/edge-admin`],
        ['rmdir', `${group}/lun/lun_3`],
      ])
      expect((await lio.read()).targets[0]?.luns).toEqual([])
    })

    it('stops at the first step that is refused, and says which and why', async () => {
      const steps = [
        ['mkdir', 'core/iblock_5'],
        ['mkdir', 'core/iblock_5'],
        ['mkdir', 'core/iblock_6'],
      ] as const
      await expect(lio.apply([...steps])).rejects.toMatchObject({ step: steps[1], words: 'File exists' })
      expect((await lio.read()).hbas).toEqual(['iblock_0', 'iblock_5'])
    })

    it('touches nothing outside of LIO’s folder', async () => {
      symlinkSync('/', join(root, 'iscsi/away'))
      for (const step of [
        ['mkdir', '/tmp/x'],
        ['write', 'core/../outside', '1'],
        ['write', 'dbroot', '/'],
        ['unlink', '../x'],
        ['mkdir', 'core/iblock_0/..'],
        ['device', '/dev/zvol/../null'],
        ['sh', 'core/x'],
      ] as unknown as Parameters<typeof lio.apply>[0][number][])
        await expect(lio.apply([step])).rejects.toMatchObject({ step })
      await expect(lio.apply([['write', 'core/x', 'a\nrmdir\tcore/y']])).rejects.toThrow('control character')
    })

    it('takes a name with two dots in it, which leads nowhere else', async () => {
      await lio.apply([['mkdir', 'core/iblock_0/vm..1']])
      expect(existsSync(join(root, 'core/iblock_0/vm..1'))).toBe(true)
    })

    it('keeps what was to be written out of every log', async () => {
      const error = await lio.apply([['write', 'core/none/auth/password', 'canary-secret']]).catch((thrown) => thrown)
      expect(JSON.stringify({ ...error, text: `${error.stack}`, argv: error.cause.argv })).not.toContain('canary')
    })

    it('fails with "No such device" if the block device does not appear', { timeout: 180_000 }, async () => {
      await expect(lio.apply([['device', '/dev/zvol/no/such']])).rejects.toMatchObject({ words: 'No such device' })
    })

    it('knows two actions', async () => {
      await expect(run(`/usr/bin/${shell.split(' ')[0]}`, [...shell.split(' ').slice(1), SCRIPT, 'x'])).rejects.toThrow(
        CommandError,
      )
    })
  })
}
