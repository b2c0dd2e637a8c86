// The guest is what the tests inside it take for granted: real programs, empty disks. With a program missing, a test on
// a fake's answer would still be green elsewhere.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'

const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' })
const disks = (process.env['EDGE_DISKS'] ?? '').split(' ').filter(Boolean)

it('has the programs at the paths that the drivers name', () => {
  const programs =
    '/usr/sbin/zpool /usr/sbin/zfs /usr/bin/net /usr/bin/testparm /usr/sbin/exportfs /usr/bin/targetcli /usr/sbin/iscsiadm /usr/bin/smbclient'
  expect(programs.split(' ').filter((program) => !existsSync(program))).toEqual([])
})

it('speaks to the ZFS of its own kernel', () => {
  const [tool, module] = run('/usr/sbin/zfs', 'version').trim().split('\n')
  expect(tool).toMatch(/^zfs-2\.3\./)
  expect(module).toBe(tool?.replace('zfs-', 'zfs-kmod-'))
})

it('makes a pool of the disks it was given, and leaves them empty', () => {
  expect(process.env['EDGE_REAL']).toBe('1')
  expect(disks.length).toBeGreaterThanOrEqual(4)
  for (let tries = 20; ; tries--) {
    // udev may still look at the disks.
    run('/usr/bin/udevadm', 'settle')
    const { status, stderr } = spawnSync('/usr/sbin/zpool', ['create', 'rig', 'mirror', ...disks.slice(0, 2)], {
      encoding: 'utf8',
    })
    if (status === 0) break
    if (tries === 1) throw new Error(stderr)
    run('/usr/bin/sleep', '1')
  }
  expect(run('/usr/sbin/zpool', 'list', '-H', '-o', 'health', 'rig')).toBe('ONLINE\n')
  run('/usr/sbin/zpool', 'destroy', 'rig')
  expect(run('/usr/sbin/zpool', 'list', '-H')).toBe('')
})
