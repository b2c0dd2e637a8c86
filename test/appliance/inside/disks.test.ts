// Disks through the API on what lsblk, smartctl and ZFS really say: how they are listed, what is wiped, and what is not.
import { spawnSync } from 'node:child_process'
import { basename } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, test } from 'vitest'
import { until } from '../../api/client.ts'
import { tool } from '../../api/storage-tools.ts'
import { emptyDisks } from '../../api/storage-work.ts'
import { startStorage, type World } from '../../api/storage-world.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
type Json = any
const MOUNTED = '/mnt/of-a-test'
let world: World
let disk: string
let id: string
beforeAll(async () => {
  world = await startStorage()
  ;[disk = ''] = world.disks(1)
  id = basename(disk)
  // The partitions of a destroyed pool stay on its disks.
  emptyDisks(world, 6)
})
afterEach(() => {
  spawnSync('umount', [MOUNTED])
  spawnSync('zpool', ['destroy', '-f', 'tank'])
  emptyDisks(world, 2)
})
afterAll(() => world?.close())

const plan = async (): Promise<Json> => (await world.ask('POST', `/disks/${id}/wipe?dry_run=true`)).json
const wipe = async () => world.ask('POST', `/disks/${id}/wipe?confirm=${(await plan()).confirm}`)
const sh = (script: string) => tool(world, 'bash', '-e', '-c', `${script}\nudevadm settle`)

it('lists every disk with its size, its port and what uses it', async () => {
  const { status, json } = await world.ask('GET', '/disks')
  expect(status).toBe(200)
  const found = new Map<string, Json>(json.map((one: Json) => [one.id, one]))
  expect(found.get('virtio-root')).toMatchObject({ free: false, uses: [{ kind: 'boot', active: true, detail: '/' }] })
  for (const path of world.disks(6))
    expect(found.get(basename(path))).toMatchObject({ path, size: 2 ** 31, kind: 'disk', free: true, partitions: [] })
  const removable = found.get(basename(world.disks(6).at(-1)!))
  expect(removable).toMatchObject({
    model: 'QEMU HARDDISK',
    serial: 'removable2',
    port: expect.stringMatching(/^pci-.*-scsi-0:0:1:0$/),
  })
})

test.for([
  ['a pool has it as a member', 'zpool create tank $DISK', 'tank has it as a member'],
  [
    'it is mounted',
    `mkfs.ext4 -q -F $DISK; mkdir -p ${MOUNTED}; mount $DISK ${MOUNTED}`,
    `${MOUNTED} is mounted from this disk`,
  ],
])('does not wipe a disk while %s', async ([, made, words]) => {
  sh(made!.replaceAll('$DISK', disk))
  const before = tool(world, 'wipefs', disk)
  const { status, json } = await wipe()
  expect([status, json.message]).toEqual([409, words])
  expect(tool(world, 'wipefs', disk)).toBe(before)
})

test.for<[string, string, RegExp[]]>([
  [
    'a partition table',
    'sgdisk -n 1:0:+64M -n 2:0:+64M $DISK; udevadm settle; mkfs.ext4 -q -F -L old $DISK-part1',
    [/^\/dev\/vd[a-z]1 \(ext4 old\)$/, /^\/dev\/vd[a-z]2$/],
  ],
  ['a file system', 'mkfs.ext4 -q -F -L old $DISK', [/^ext4 old$/]],
  [
    'the label of an exported pool',
    'zpool create tank $DISK; zpool export tank',
    [
      /^\/dev\/vd[a-z]1 \(zfs_member tank\)$/,
      /^\/dev\/vd[a-z]9$/,
      /^a member of the pool tank \(\d+\), which could be imported$/,
    ],
  ],
])('wipes a disk with %s as the plan says, and a pool takes it', async ([, made, held]) => {
  sh(made.replaceAll('$DISK', disk))
  // udev reads a new partition table again, and for a moment there are no partitions.
  const { destroys, depends } = await until('the plan says what is on it', async () => {
    const now = await plan()
    const [, ...rest] = now.destroys
    return rest.length === held.length && held.every((words, n) => words.test(rest[n])) && now
  })
  expect([destroys[0], depends]).toEqual([id, []])
  const get = async () => (await world.ask('GET', `/disks/${id}`)).json
  expect((await get()).free).toBe(false)
  // A busy machine refused it once, just after the partitions had been made; one that goes on refusing is a fault.
  const { status, json } = await until('the plan holds until the disk is wiped', async () => {
    const answer = await wipe()
    return answer.status !== 409 && answer
  })
  expect([status, json]).toEqual([200, { message: 'disk wiped' }])
  // The kernel and udev hear of it late.
  await until('the disk is free', async () => (await get()).free)
  expect(await get()).toMatchObject({ partitions: [], uses: [] })
  const pool = await world.ask('POST', '/pools', { json: { name: 'tank', vdevs: [disk] } })
  expect([pool.status, pool.json.vdevs]).toMatchObject([201, [{ name: id, state: 'ONLINE' }]])
})
