// What uses a disk, from recorded shapes of lsblk and zpool; and its names, which decide what a request may ask for.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDevices } from '../../src/drivers/device-links.ts'
import { createLsblk } from '../../src/drivers/lsblk.ts'
import type { Tool } from '../../src/drivers/programs.ts'
import { CommandError } from '../../src/drivers/run.ts'
import { parseStatus } from '../../src/drivers/zpool-status.ts'
import { getDisk, listDisks } from '../../src/features/disks/disks.ts'
import { temporaryFolder } from '../api/appliance.ts'

type Row = Record<string, unknown>
const disk = (name: string, more: Row = {}): Row => ({
  ...{ path: `/dev/${name}`, kname: `/dev/${name}`, type: 'disk', size: 1e12, ro: false, rota: true, tran: 'sata' },
  ...{ model: 'WDC WD40', serial: `S-${name}`, mountpoints: [null] },
  ...more,
})
const part = (name: string, more: Row = {}) =>
  disk(name, { type: 'part', model: null, serial: null, tran: null, ...more })

const STATUS = `  pool: tank
 state: DEGRADED
config:

	NAME                      STATE     READ WRITE CKSUM
	tank                      DEGRADED     0     0     0
	  mirror-0                DEGRADED     0     0     0
	    ata-WDC_WD40_1        ONLINE       0     0     0
	    8137481234567890123   UNAVAIL      0     0     0  was /dev/disk/by-id/ata-WDC_WD40_9-part1
	  sdc                     FAULTED      3     0     0  too many errors
	spares
	  ata-WDC_WD40_4          AVAIL

errors: No known data errors
`

/** A machine with these devices, links (`by-id/NAME` → kernel name) and pools. */
function machine(devices: Row[], links: Record<string, string> = {}, status: string | undefined = STATUS) {
  const root = temporaryFolder()
  const link = (path: string, target: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    symlinkSync(target, join(root, path))
  }
  for (const [name, kernel] of Object.entries(links)) link(`dev/disk/${name}`, `../../${kernel}`)
  const tool: Tool = async () => ({ stdout: JSON.stringify({ blockdevices: devices }), stderr: '', status: 0 })
  const statuses = async () => {
    if (status === undefined) throw new CommandError(['zpool'], 'timeout')
    return parseStatus(status) ?? []
  }
  const sources = { lsblk: createLsblk(tool), devices: createDevices(root), zpool: { statuses } }
  return { root, link, sources }
}

const usesOf = async (devices: Row[], links: Record<string, string> = {}) => {
  const { disks } = await listDisks(machine(devices, links).sources)
  return Object.fromEntries(
    disks.map(({ kernel, uses }) => [kernel, uses.map(({ kind, active }) => `${kind}${active ? '' : ' (idle)'}`)]),
  )
}

describe('the use of a disk', () => {
  it('in a pool is found by the link, the partition or the name that zpool prints', async () => {
    const member = { fstype: 'zfs_member', label: 'tank' }
    const { sources } = machine(
      [
        disk('sda', { children: [part('sda1', member), part('sda9')] }),
        disk('sdb', { children: [part('sdb1', member)] }),
        disk('sdc', { children: [part('sdc1', member)] }),
        disk('sdd', { children: [part('sdd1', member)] }),
        disk('sde', member),
      ],
      {
        'by-id/ata-WDC_WD40_1': 'sda',
        'by-id/ata-WDC_WD40_1-part1': 'sda1',
        'by-id/ata-WDC_WD40_9': 'sdb',
        'by-id/ata-WDC_WD40_9-part1': 'sdb1',
        'by-id/ata-WDC_WD40_4': 'sdd',
      },
    )
    const { disks } = await listDisks(sources)
    const pool = (group: string | undefined, vdev: string, kind: string, state: string, device: string) => [
      { kind: 'pool', active: true, device, pool: 'tank', member: { vdev, group, class: kind, state } },
    ]
    expect(Object.fromEntries(disks.map(({ kernel, uses }) => [kernel, uses]))).toEqual({
      sda: pool('mirror-0', 'ata-WDC_WD40_1', 'data', 'ONLINE', '/dev/sda'),
      // ZFS cannot open the member that had this name: whatever is there now is not that member.
      sdb: [{ kind: 'zfs', active: false, device: '/dev/sdb1', pool: 'tank' }],
      sdc: pool(undefined, 'sdc', 'data', 'FAULTED', '/dev/sdc'),
      sdd: pool(undefined, 'ata-WDC_WD40_4', 'spare', 'AVAIL', '/dev/sdd'),
      sde: [{ kind: 'zfs', active: false, device: '/dev/sde', pool: 'tank' }],
    })
  })

  it('by anything else is named, and what only holds data is told from what works', async () => {
    const uses = await usesOf([
      disk('sda', {
        children: [
          part('sda1', { fstype: 'vfat', mountpoints: ['/boot/efi'] }),
          part('sda2', { mountpoints: ['[SWAP]'], fstype: 'swap' }),
        ],
      }),
      disk('sdb', {
        children: [
          part('sdb1', {
            fstype: 'LVM2_member',
            children: [disk('dm-1', { type: 'lvm', fstype: 'ext4', mountpoints: ['/srv/a'] })],
          }),
        ],
      }),
      disk('sdf', { fstype: 'linux_raid_member', children: [disk('md0', { type: 'raid1' })] }),
      disk('sdg', { fstype: 'crypto_LUKS', children: [disk('dm-2', { type: 'crypt' })] }),
      disk('sdh', { fstype: 'crypto_LUKS' }),
      disk('sdi', { fstype: 'ext4', label: 'old' }),
      disk('sdj', { children: [part('sdj1')] }),
      disk('sdk', { ro: true }),
      disk('sdl', { children: [disk('bcache0', { type: 'disk' })] }),
      disk('sdm', { fstype: 'mpath_member' }),
      disk('sdn'),
    ])
    expect(uses).toEqual({
      sda: ['boot', 'swap'],
      sdb: ['mounted', 'lvm'],
      sdf: ['raid'],
      sdg: ['encrypted'],
      sdh: ['encrypted (idle)'],
      sdi: ['filesystem (idle)'],
      sdj: ['partitions (idle)'],
      sdk: ['read-only'],
      sdl: ['mapped'],
      sdm: ['multipath'],
      sdn: [],
    })
  })

  it('by an iSCSI or NVMe target is read from the kernel', async () => {
    const { root, sources } = machine([disk('sdx'), disk('sdy'), disk('sdz')], { 'by-id/ata-X': 'sdx' })
    for (const [file, text] of [
      ['sys/kernel/config/target/core/iblock_0/one/udev_path', '/dev/disk/by-id/ata-X\n'],
      ['sys/kernel/config/nvmet/subsystems/nqn.a/namespaces/1/device_path', '/dev/sdy\n'],
    ] as const) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
    const { disks } = await listDisks(sources)
    expect(disks.map(({ uses }) => uses.map(({ kind, active }) => [kind, active]))).toEqual([
      [['target', true]],
      [['target', true]],
      [],
    ])
  })

  it('is shown as far as it is known when zpool does not answer', async () => {
    const { sources } = machine([disk('sda', { fstype: 'zfs_member', label: 'tank' }), disk('sdb')])
    const broken = { ...sources, zpool: { statuses: () => Promise.reject(new CommandError(['zpool'], 'missing')) } }
    const { disks, poolsUnknown } = await listDisks(broken)
    expect([poolsUnknown, disks.map(({ uses }) => uses.map(({ kind, pool }) => [kind, pool]))]).toEqual([
      true,
      [[['zfs', 'tank']], []],
    ])
  })
})

describe('a disk', () => {
  it('is called by the link that says most, has its slot, and sorts like a person would', async () => {
    const { link, sources } = machine(
      [disk('sdaa'), disk('sdb'), disk('sda', { rota: false }), disk('zd0'), disk('sr0', { type: 'rom' })],
      {
        'by-id/wwn-0x50014ee2': 'sda',
        'by-id/ata-WDC_WD40_1': 'sda',
        'by-path/pci-0000:00:1f.2-ata-3': 'sda',
        'by-id/wwn-0x50014ee3': 'sdb',
      },
    )
    link('sys/block/sda/device/enclosure_device:Slot 03', '../../../../enclosure/6:0:8:0/Slot 03')
    const { disks } = await listDisks(sources)
    expect(
      disks.map(({ id, path, slot, enclosure, port, rotational }) => [id, path, slot, enclosure, port, rotational]),
    ).toEqual([
      ['ata-WDC_WD40_1', '/dev/disk/by-id/ata-WDC_WD40_1', 'Slot 03', '6:0:8:0', 'pci-0000:00:1f.2-ata-3', false],
      ['wwn-0x50014ee3', '/dev/disk/by-id/wwn-0x50014ee3', undefined, undefined, undefined, true],
      // A disk without a serial number has no better name.
      ['sdaa', '/dev/sdaa', undefined, undefined, undefined, true],
    ])
    expect((await getDisk(sources, 'wwn-0x50014ee3')).kernel).toBe('sdb')
    // Only the one name: neither another link of it, nor a path.
    for (const id of ['wwn-0x50014ee2', 'sda', '/dev/sda', '../sda', '__proto__'])
      await expect(getDisk(sources, id)).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('that several paths lead to is there once', async () => {
    const mpath = { path: '/dev/mapper/mpatha', kname: '/dev/dm-0', type: 'mpath', size: 1e12, mountpoints: [null] }
    const { sources } = machine(
      ['sda', 'sdb'].map((name) => disk(name, { serial: 'S1', fstype: 'mpath_member', children: [mpath] })),
      { 'by-id/dm-uuid-mpath-3600': 'dm-0', 'by-id/dm-name-mpatha': 'dm-0' },
    )
    const { disks } = await listDisks(sources)
    expect(disks.map(({ id, kind, paths, serial, uses }) => [id, kind, paths, serial, uses])).toEqual([
      ['dm-uuid-mpath-3600', 'multipath', ['sda', 'sdb'], 'S1', []],
    ])
  })

  it('may say anything about itself: it is bounded, and control characters become blanks', async () => {
    const { sources } = machine([
      disk('sda', {
        model: `\u001b[31m<b>${'x'.repeat(10_000)}`,
        serial: 'A\u202eB\nC',
        label: '\u0000',
        fstype: 'ext4',
      }),
    ])
    const [one] = (await listDisks(sources)).disks
    expect([one?.model, one?.serial]).toEqual([`[31m<b>${'x'.repeat(249)}`, 'A B C'])
    expect(one?.uses).toEqual([{ kind: 'filesystem', active: false, device: '/dev/sda', detail: 'ext4' }])
  })
})
