// lsblk of versions that are in use: what they call their columns, how they write numbers, and multipath devices, which stand below each path.
import { describe, expect, it } from 'vitest'
import { isClaimed } from '../../src/drivers/block-device.ts'
import { createDevices } from '../../src/drivers/device-links.ts'
import { createLsblk } from '../../src/drivers/lsblk.ts'
import type { Tool } from '../../src/drivers/programs.ts'
import { CommandError } from '../../src/drivers/run.ts'
import { listAvailable } from '../../src/features/pools/available.ts'
import type { Pools } from '../../src/features/pools/pools.ts'
import { isFileIn, readVdevs } from '../../src/features/pools/vdevs.ts'

/** An lsblk that does not know these columns, and shows these devices. */
function lsblkWithout(unknown: string[], devices: object[] = []) {
  const calls: string[][] = []
  const tool: Tool = async (name, args) => {
    if (name !== 'lsblk') return { stdout: '', stderr: '', status: 0 }
    calls.push(args)
    const columns = (args[args.indexOf('-o') + 1] ?? '').split(',')
    const bad = columns.find((column) => unknown.includes(column))
    if (bad) throw new CommandError(['lsblk', ...args], 'status', `lsblk: unknown column: ${bad}\n`, 1)
    return { stdout: JSON.stringify({ blockdevices: devices }), stderr: '', status: 0 }
  }
  return { lsblk: createLsblk(tool), calls }
}

const available = async (devices: object[], unknown: string[] = []) => {
  const { lsblk } = lsblkWithout(unknown, devices)
  const zpool = { importable: async () => [], statuses: async () => [] } as unknown as Pools['zpool']
  const machine = createDevices('/no/such/folder')
  const { disks } = await listAvailable({ lsblk, zpool, devices: machine, files: undefined } as Pools)
  return disks.map(({ device, model, serial, size }) => ({ path: device, model, serial, size }))
}

describe('lsblk', () => {
  it('before util-linux 2.37 is asked again with MOUNTPOINT', async () => {
    const { lsblk, calls } = lsblkWithout(
      ['MOUNTPOINTS'],
      [
        { path: '/dev/sda', type: 'disk', size: '1000', ro: '1', mountpoint: null },
        { path: '/dev/sdb', type: 'disk', size: '2000', ro: '0', mountpoint: '/srv', fstype: 'ext4' },
      ],
    )
    expect((await lsblk.list()).map(({ size, readOnly, mountpoints }) => [size, readOnly, mountpoints])).toEqual([
      [1000, true, []],
      [2000, false, ['/srv']],
    ])
    expect(calls.map((args) => args.at(-1))).toEqual([
      'NAME,KNAME,TYPE,SIZE,RO,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINTS,WWN,REV,TRAN,ROTA,PTTYPE',
      'NAME,KNAME,TYPE,SIZE,RO,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINT,WWN,REV,TRAN,ROTA,PTTYPE',
    ])
  })

  it('before 2.33 has names for paths, and ends with 1 for what is no block device', async () => {
    const { lsblk, calls } = lsblkWithout(['MOUNTPOINTS', 'PATH'], [{ name: '/dev/sda', type: 'disk', size: '5' }])
    expect((await lsblk.list()).map(({ path }) => path)).toEqual(['/dev/sda'])
    expect(calls.at(-1)).toEqual([
      '-Jbp',
      '-o',
      'NAME,KNAME,TYPE,SIZE,RO,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINT,WWN,REV,TRAN,ROTA,PTTYPE',
    ])
    const tool: Tool = async (_name, args) => {
      const words = args.includes('PATH') ? 'lsblk: unknown column: PATH' : 'lsblk: /dev/no: not a block device'
      throw new CommandError(['lsblk', ...args], 'status', `${words}\n`, 1)
    }
    expect(await createLsblk(tool).missing(['/dev/sda', '/dev/no'])).toEqual(['/dev/no'])
  })

  it('is not asked for ever for a column that it will never have', async () => {
    const { lsblk, calls } = lsblkWithout(['MOUNTPOINTS', 'MOUNTPOINT'])
    await expect(lsblk.list()).rejects.toMatchObject({ reason: 'status' })
    expect(calls).toHaveLength(2)
    const { lsblk: other, calls: once } = lsblkWithout(['FSTYPE'])
    await expect(other.list()).rejects.toMatchObject({ reason: 'status' })
    expect(once).toHaveLength(1)
  })
})

describe('block devices', () => {
  /** Every program answers or refuses as `act` does. */
  const driver = (act: (name: string, args: string[]) => string) => {
    const calls: string[][] = []
    const tool: Tool = async (name, args) => {
      calls.push([name, ...args])
      return { stdout: act(name, args), stderr: '', status: 0 }
    }
    return { lsblk: createLsblk(tool), calls }
  }
  const refusing = (status: number, stderr: string) =>
    driver((name, args) => {
      throw new CommandError([name, ...args], 'status', stderr, status)
    }).lsblk

  it('are read with what is known of them', async () => {
    const child = { path: '/dev/sda1', type: 'part', size: 'x', ro: 1, mountpoints: ['/a', null, ' '], fstype: 'ext4' }
    const disk = { path: '/dev/sda', type: 'disk', size: 1000, ro: true, model: ' WDC ', serial: '', children: [child] }
    const { lsblk, calls } = driver(() => JSON.stringify({ blockdevices: [disk] }))
    const nothing = ['model', 'serial', 'wwn', 'firmware', 'transport', 'rotational', 'fstype', 'label', 'table']
    const none = {
      ...Object.fromEntries(nothing.map((name) => [name, undefined])),
      mountpoints: [],
      children: [],
    }
    const part = {
      ...none,
      path: '/dev/sda1',
      kernel: 'sda1',
      type: 'part',
      size: 0,
      readOnly: true,
      fstype: 'ext4',
      mountpoints: ['/a'],
    }
    expect(await lsblk.list()).toEqual([
      {
        ...none,
        path: '/dev/sda',
        kernel: 'sda',
        type: 'disk',
        size: 1000,
        readOnly: true,
        model: 'WDC',
        children: [part],
      },
    ])
    expect(calls).toEqual([
      ['lsblk', '-Jbp', '-o', 'NAME,KNAME,TYPE,SIZE,RO,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINTS,WWN,REV,TRAN,ROTA,PTTYPE'],
    ])
    for (const text of ['', '{}', '{"blockdevices":[{"path":"/dev/sda"}]}', '{"blockdevices":[{"type":"disk"}]}'])
      await expect(driver(() => text).lsblk.list()).rejects.toMatchObject({ reason: 'output' })
  })

  it('that do not exist are all named, in the order in which they were asked for', async () => {
    const words = (path: string) => `lsblk: ${path}: not a block device\n`
    const { lsblk, calls } = driver(() => '')
    expect([await lsblk.missing([]), await lsblk.missing(['-a'])]).toEqual([[], []])
    expect(calls).toEqual([['lsblk', '-dn', '-o', 'PATH', '--', '-a']])
    const paths = ['/dev/a', '/dev/b', '/dev/c']
    for (const status of [1, 32, 64])
      expect(await refusing(status, words('/dev/c') + words('/dev/b')).missing(paths)).toEqual(['/dev/b', '/dev/c'])
    for (const status of [32, 64]) expect(await refusing(status, '').missing(paths)).toEqual(['/dev/a'])
    await expect(refusing(1, 'lsblk: permission denied\n').missing(paths)).rejects.toMatchObject({ status: 1 })
    const broken = driver(() => {
      throw new Error(': not a block device')
    }).lsblk
    await expect(broken.missing(paths)).rejects.toThrow('not a block device')
  })

  it('are waited for where there is udev, and a broken udev is no failure', async () => {
    const { lsblk, calls } = driver(() => '')
    await lsblk.settle()
    expect(calls).toEqual([['udevadm', 'settle', '-t', '10']])
    await refusing(1, '').settle()
    const broken = driver(() => {
      throw new Error('a fault of ours')
    }).lsblk
    await expect(broken.settle()).rejects.toThrow('a fault of ours')
  })

  it('of which nobody has one to himself are free, and so is what is no device', () => {
    expect([isClaimed('/dev/null'), isClaimed('/no/such/device')]).toEqual([false, false])
  })
})

describe('disks for a new pool', () => {
  const path = (name: string, child: object) => ({
    ...{ path: name, type: 'disk', size: 1000, ro: false, model: 'SAS', serial: 'S1', fstype: 'mpath_member' },
    mountpoints: [null],
    children: [child],
  })
  const mpath = (more = {}) => ({
    path: '/dev/mapper/mpatha',
    type: 'mpath',
    size: 1000,
    ro: false,
    mountpoints: [null],
    ...more,
  })

  it('hold a multipath device once, and none of its paths', async () => {
    const alone = { path: '/dev/sdc', type: 'disk', size: 7, ro: false, mountpoints: [null] }
    expect(await available([path('/dev/sda', mpath()), path('/dev/sdb', mpath()), alone])).toEqual([
      { path: '/dev/mapper/mpatha', model: 'SAS', serial: 'S1', size: 1000 },
      { path: '/dev/sdc', model: undefined, serial: undefined, size: 7 },
    ])
  })

  it('hold none that is in use, nor its paths', async () => {
    const part = { path: '/dev/mapper/mpatha-part1', type: 'part', size: 5 }
    for (const more of [{ fstype: 'zfs_member' }, { mountpoints: ['/srv'] }, { children: [part] }, { ro: true }])
      expect(await available([path('/dev/sda', mpath(more)), path('/dev/sdb', mpath(more))])).toEqual([])
    // Without multipathd a path has nothing below it.
    expect(await available([{ ...path('/dev/sda', mpath()), children: undefined }])).toEqual([])
  })
})

describe('SEC-02 the name of a device', () => {
  it.each([
    '/dev/disk/by-id/ata-WDC_WD40EFRX-68N32N0_WD-WCC7K0',
    '/dev/disk/by-id/nvme-eui.0025385b71b1a0b2',
    '/dev/disk/by-id/wwn-0x5000c500a1b2c3d4',
    '/dev/disk/by-id/scsi-SATA_ST4000VN008-2DR1_ZDH1',
    '/dev/disk/by-id/dm-uuid-mpath-36001405abcdef',
    '/dev/disk/by-id/usb-Generic_Flash-Disk_1234-0:0',
    '/dev/disk/by-path/pci-0000:00:1f.2-ata-1',
    '/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.2026-11.com.example:t1-lun-0',
    '/dev/disk/by-path/pci-0000:03:00.0-sas-exp0x50-phy4,lun-0',
    '/dev/disk/by-partlabel/Basic\\x20data\\x20partition',
    '/dev/mapper/mpatha',
    '/dev/mapper/3600508b400105e210000900000490000',
    '/dev/disk/by-id/virtio-a+b=c@d#e~f',
  ])('as udev writes it is taken: %s', (device) =>
    expect(readVdevs([device], isFileIn(undefined))).toEqual({ devices: [device], errors: [] }),
  )

  it.each([
    '/dev/../etc/passwd',
    '/dev/disk/../sda',
    '/dev/./sda',
    '/dev//sda',
    '/dev/',
    '/dev',
    '/dev/sda b',
    '/dev/sda\n',
    '/dev/sda\\',
    '/dev/a\\x2',
    '/dev/a\\n',
    '/dev/$(id)',
    '/dev/a;b',
    "/dev/a'b",
    '-/dev/sda',
  ])('that is none is refused: %j', (device) =>
    expect(readVdevs([device], isFileIn(undefined)).errors.length).toBeGreaterThan(0),
  )
})
