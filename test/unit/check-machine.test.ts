// What a check says of the machine below the appliance: disks, ports, the clock, sudo, the server. No test may depend
// on how full this machine's disks are, or on what else runs here, so what the kernel says of those is given here.
import type { StatsFs } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lookAtClock } from '../../src/features/check/clock.ts'
import type { Place } from '../../src/features/check/place.ts'
import { lookAtPorts } from '../../src/features/check/ports.ts'
import { lookAtServer } from '../../src/features/check/server.ts'
import { lookAtSpace } from '../../src/features/check/space.ts'
import { lookAtSudo, SUDO_SCRIPTS } from '../../src/features/check/sudo.ts'
import { takeState } from '../../src/tasks/server-lock.ts'
import { at, configured, ids, inSysconf, lay, otherwise, place, sampleAppliance, told } from './check-place.ts'

const EXT4 = 0xef53
const machine = vi.hoisted(() => ({
  disk: {} as Partial<StatsFs>,
  files: {} as Record<string, string>,
  hasFlock: true,
}))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  return {
    ...real,
    statfs: async (path: string) => ({ ...(await real.statfs(path)), ...machine.disk }),
    readFile: async (...args: Parameters<typeof real.readFile>) =>
      machine.files[String(args[0])] ?? real.readFile(...args),
  }
})
vi.mock('../../src/store/lock.ts', async (original) => {
  const real = await original<typeof import('../../src/store/lock.ts')>()
  return { ...real, isHeld: (file: string) => (machine.hasFlock ? real.isHeld(file) : undefined) }
})

sampleAppliance()
beforeEach(() => Object.assign(machine, { disk: { type: EXT4 }, files: {}, hasFlock: true }))

describe('the disks', () => {
  const MIB = 1 << 20
  /** Without where the data folder lies, which is told of this machine. */
  const said = async (disk: Partial<StatsFs>, here = place) => {
    machine.disk = { type: EXT4, ...disk }
    return told(await lookAtSpace(here)).filter((line) => !line.includes('data-on-system'))
  }

  it.each([
    [64 * MIB, 'ok space.ok'],
    [64 * MIB - 1, 'warning space.little'],
    [MIB, 'warning space.little'],
    [MIB - 1, 'error space.none'],
    [0, 'error space.none'],
  ])('with %d bytes free, which is told once for each', async (bavail, finding) => {
    expect(await said({ bsize: 1, bavail, bfree: 1 << 30 })).toEqual([`${finding} root/etc`])
  })

  it('that have room and can hold no more files', async () => {
    const room = { bsize: MIB, bavail: 1000 }
    expect(await said({ ...room, files: 10, ffree: 0 })).toEqual([
      'ok space.ok root/etc',
      'error space.no-inodes root/etc',
    ])
    expect(await said({ ...room, files: 10, ffree: 1 })).toEqual(['ok space.ok root/etc'])
    // Of some file systems nobody can say how many there may be.
    expect(await said({ ...room, files: 0, ffree: 0 })).toEqual(['ok space.ok root/etc'])
  })

  it('of a kind that nothing of it can lie on', async () => {
    const folders = ['root/etc', 'root/log', 'root/home/sftp/uploads', 'sysconf', 'data', 'state']
    const wrong = (names: string[]) => names.map((name) => `warning space.wrong-kind ${name}`)
    const fat = await said({ type: 0x4d44 })
    expect(fat.filter((line) => line.startsWith('warning'))).toEqual(wrong(folders))
    const nfs = await said({ type: 0x6969 })
    expect(nfs.filter((line) => line.startsWith('warning'))).toEqual(wrong(folders.filter((name) => name !== 'data')))
  })

  it.each([0x01021994, 0x858458f6])('that are memory (%d), which something may keep', async (type) => {
    const lasting = ['root/etc', 'sysconf', 'data', 'state']
    const memory = async () => (await said({ type })).filter((line) => /memory|persisted/.test(line))
    expect(await memory()).toEqual(lasting.map((name) => `note space.in-memory ${name}`))
    lay(at('system/usr/bin/symlinktool.sh'), '')
    expect(await memory()).toEqual(lasting.map((name) => `ok space.persisted ${name}`))
  })

  it('of the system, which data could fill', async () => {
    expect(told(await lookAtSpace(place))).toContain('note space.data-on-system data')
    expect(ids(await lookAtSpace(await otherwise({ system: '/proc' })))).not.toContain('space.data-on-system')
  })
})

describe('a port', () => {
  let server: Server
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const listening = (host: string) =>
    new Promise<number>((resolve) => {
      server = createServer().listen(0, host, () => {
        const address = server.address()
        resolve(typeof address === 'object' && address ? address.port : 0)
      })
    })
  const asked = async (host: string, port: number, more: Partial<Place> = {}) =>
    ids(await lookAtPorts(await configured({ listen: { host, port } }, more)))

  it('on which another program listens', async () => {
    const port = await listening('127.0.0.1')
    expect(await asked('127.0.0.1', port)).toEqual(['ports.taken', 'ports.loopback'])
    expect(await asked('localhost', port)).toEqual(['ports.taken', 'ports.loopback'])
    expect(await asked('0.0.0.0', port)).toEqual(['ports.taken'])
    expect(await asked('127.0.0.2', port)).toEqual(['ports.loopback'])
    // It is the server's own.
    expect(await asked('127.0.0.1', port, { within: true })).toEqual(['ports.loopback'])
  })

  it('on which another program listens for every address', async () => {
    const port = await listening('0.0.0.0')
    expect(await asked('127.0.0.2', port)).toEqual(['ports.taken', 'ports.loopback'])
  })
})

describe('the clock', () => {
  const said = async (more: Partial<Place> = {}) => {
    const [time, keeper] = await lookAtClock(await otherwise({ path: [at('programs')], ...more }))
    return [time?.id, `${keeper?.level} ${keeper?.id}: ${keeper?.message.split(' ')[0]}`]
  }
  const NOBODY = 'note clock.no-keeper: no'

  it('is kept by chrony with a file of its settings', async () => {
    expect(await said()).toEqual(['clock.ok', NOBODY])
    lay(at('programs/chronyd'), '', 0o755)
    expect(await said()).toEqual(['clock.ok', NOBODY])
    lay(at('system/etc/chrony/chrony.conf'), '')
    expect(await said()).toEqual(['clock.ok', 'ok clock.keeper: chrony'])
  })

  it('is kept by systemd where that is at work and has the unit, and by ntpd', async () => {
    lay(at('system/lib/systemd/system/systemd-timesyncd.service'), '')
    expect(await said()).toEqual(['clock.ok', NOBODY])
    lay(at('system/run/systemd/system/some.service'), '')
    expect(await said()).toEqual(['clock.ok', 'ok clock.keeper: systemd-timesyncd'])
    lay(at('programs/ntpd'), '', 0o755)
    expect(await said({ system: at('none') })).toEqual(['clock.ok', 'ok clock.keeper: ntpd'])
  })

  it('is missed more where the settings name a time server', async () => {
    lay(inSysconf('network.conf'), 'mode=dhcp\nntpserver=""\n')
    expect((await said())[1]).toBe(NOBODY)
    lay(inSysconf('network.conf'), 'mode=dhcp\nntpserver="10.0.0.1"\n')
    expect((await said())[1]).toBe('warning clock.no-keeper: network.conf')
  })
})

describe('sudo', () => {
  const SERVER = { uid: 4711, gid: 4711 }
  /** It answers whoever asks as it should be asked, and nobody else. */
  const sudo = (asked: string, version = 'Sudo version 1.9.13p3') => {
    const scripts = SUDO_SCRIPTS.map((kind) => `${at('scripts', kind)}.sh ^x$`).join(', ')
    lay(
      at('system/usr/bin/sudo'),
      `#!/bin/sh
case $* in
  -V) echo '${version}' ;;
  '${asked}') echo '    (root) NOPASSWD: ${scripts}' ;;
  *) exit 1 ;;
esac
`,
      0o755,
    )
  }
  const said = async (more: Partial<Place>) =>
    told(await lookAtSudo(await configured({ privilege: 'sudo' }, { server: SERVER, me: { uid: 0, gid: 0 }, ...more })))
  const [VERSION, MAY] = ['ok sudo.version system/usr/bin/sudo', 'ok sudo.fragment system/usr/bin/sudo']

  it('is asked by root for the server’s user, and by that user for itself', async () => {
    sudo('-n -l -U admin')
    expect(await said({})).toEqual([VERSION, MAY])
    sudo('-n -l')
    expect(await said({ me: SERVER })).toEqual([VERSION, MAY])
    expect(await said({})).toEqual([VERSION, 'error sudo.fragment-missing system/usr/bin/sudo'])
  })

  it('that does not say its version', async () => {
    sudo('-n -l -U admin', 'doas')
    expect(await said({})).toEqual(['warning sudo.unknown system/usr/bin/sudo', MAY])
  })

  it('is asked for nobody where nobody knows the server’s user', async () => {
    sudo('-n -l -U admin')
    expect(await said({ server: undefined })).toEqual([VERSION, 'note sudo.unseen system/usr/bin/sudo'])
  })

  it('cannot work in a server that may gain no rights', async () => {
    sudo('-n -l -U admin')
    machine.files['/proc/self/status'] = 'Name:\tnode\nNoNewPrivs:\t1\nSeccomp:\t0\n'
    expect(await said({ within: true })).toEqual([VERSION, MAY, 'error sudo.no-new-privileges edge-admin.service'])
    // Of whoever calls the check it says nothing about the server.
    expect(await said({ within: false })).toEqual([VERSION, MAY])
    machine.files['/proc/self/status'] = 'Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t0\n'
    expect(await said({ within: true })).toEqual([VERSION, MAY])
  })
})

describe('the server', () => {
  it('is known by its lock, not by what it wrote', async () => {
    lay(join(place.folders.state, 'server.json'), `{"pid":7,"since":"2020-01-01T00:00:00.000Z"}\n`)
    expect(told(await lookAtServer(place))).toEqual(['note server.stopped state'])
    takeState(place.folders, { host: '127.0.0.1', port: 8443 }, () => {})
    const [runs] = await lookAtServer(place)
    expect([runs?.level, runs?.id]).toEqual(['ok', 'server.runs'])
    expect(runs?.message).toMatch(new RegExp(`^a server runs on it: process ${process.pid}, since 20`))
    // It does not ask itself.
    expect(await lookAtServer(await otherwise({ within: true }))).toEqual([])
  })

  it('is not known where nobody can ask for the lock', async () => {
    machine.hasFlock = false
    expect(told(await lookAtServer(place))).toEqual(['note server.unseen state'])
  })
})
