// The controller surface of the packaged product on a real system: disks that fail, clients that read and write, a
// reboot, power cuts. One guest lives through all of it in this order; everything is set up by the API alone, the
// guest's shell only looks, and plays the client.
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../api/client.ts'
import { Guest } from './guest.ts'
import { Operator, STATE } from './operator.ts'
import { serves } from './product.ts'
import { pathOfDisk } from './qemu.ts'

const DISKS = ['disk1', 'disk2', 'disk3', 'disk4', 'disk5', 'removable1', 'removable2']
const IQN = 'iqn.2026-11.com.example:vol1'
const CLIENT = 'iqn.2026-11.com.example:host1'
const CHAP = { username: 'host1', password: 'a-long-secret-1' }
const PORTAL = '127.0.0.1:3260'

let guest: Guest
let operator: Operator
let target: string

const ask: Operator['ask'] = (...args) => operator.ask(...args)
const done: Operator['done'] = (...args) => operator.done(...args)
const ended: Operator['ended'] = (id) => operator.ended(id)
const clear = async () =>
  expect(await ended((await done('POST', '/pools/tank/clear', {})).job)).toMatchObject({ status: 'completed' })
const vdevs = (...words: string[]) => words.map((word) => (DISKS.includes(word) ? pathOfDisk(word) : word))
/** State of each disk of a pool, by the end of its name. */
async function disksOf(pool: string): Promise<Record<string, string>> {
  const { vdevs: groups } = await done('GET', `/pools/${pool}`)
  const disks = groups.flatMap(({ children }: { children: { name: string; state: string }[] }) => children)
  return Object.fromEntries(
    disks.map(({ name, state }: { name: string; state: string }) => [DISKS.find((disk) => name.includes(disk)), state]),
  )
}

beforeAll(async () => {
  guest = await Guest.boot({ disks: DISKS, memory: 3072 })
  // What the vendor of an image does.
  await guest.run(
    `
    set -e
    modprobe -a zfs target_core_mod target_core_iblock iscsi_target_mod iscsi_tcp
    printf '%s\\n' zfs target_core_mod target_core_iblock iscsi_target_mod iscsi_tcp >/etc/modules-load.d/storage.conf
    echo InitiatorName=${CLIENT} >/etc/iscsi/initiatorname.iscsi
    systemctl enable --now smbd nfs-server 2>&1
    systemctl enable rtslib-fb-targetctl 2>&1
    for name in alice bob; do
      useradd -M "$name"
      printf '%s-secret\\n%s-secret\\n' "$name" "$name" | smbpasswd -s -a "$name"
    done`,
  )
  operator = await Operator.install(guest)
})
afterAll(async () => {
  await guest?.end()
})

describe('pools', () => {
  it('are made of real disks, as a mirror and as raidz', async () => {
    const { disks } = await done('GET', '/pools/available')
    expect(disks).toHaveLength(DISKS.length)
    await done('POST', '/pools', { name: 'tank', vdevs: vdevs('mirror', 'removable1', 'removable2') })
    await done('POST', '/pools', { name: 'bulk', vdevs: vdevs('raidz', 'disk1', 'disk2', 'disk3') })
    expect(await disksOf('tank')).toEqual({ removable1: 'ONLINE', removable2: 'ONLINE' })
    expect((await done('GET', '/pools/bulk')).vdevs).toMatchObject([{ type: 'raidz1', state: 'ONLINE' }])
    expect(await guest.run('findmnt -n -o SOURCE /tank; findmnt -n -o SOURCE /bulk')).toBe('tank\nbulk\n')
  })

  it('show which disk of a mirror was pulled, and that it is back', async () => {
    await done('POST', '/datasets', { name: 'tank/data' })
    await guest.pull('removable2')
    await until(
      'the pool is degraded',
      async () => {
        await guest.run('dd if=/dev/urandom of=/tank/data/load bs=1M count=8 status=none && zpool sync tank')
        return (await done('GET', '/pools/tank')).status === 'DEGRADED'
      },
      120,
    )
    expect(await disksOf('tank')).toEqual({ removable1: 'ONLINE', removable2: expect.not.stringMatching('ONLINE') })
    await guest.plug('removable2')
    const device = pathOfDisk('removable2')
    await until('the disk is back', async () => (await ask('GET', `/disks/${basename(device)}`)).status === 200)
    const { job } = await done('POST', '/pools/tank/online', { device })
    expect(await ended(job)).toMatchObject({ type: 'pool.online', status: 'completed' })
    await clear()
    const { status, scan } = await done('GET', '/pools/tank')
    expect([status, scan]).toMatchObject(['ONLINE', { kind: 'resilver', status: 'finished', errors: 0 }])
    expect(await disksOf('tank')).toEqual({ removable1: 'ONLINE', removable2: 'ONLINE' })
  })
})

describe('a scrub', () => {
  it('finds silent corruption on one side of a mirror and repairs it', async () => {
    const sum = await guest.run(
      `
      set -e
      dd if=/dev/urandom of=/tank/data/file bs=1M count=64 status=none
      zpool sync tank
      sha256sum </tank/data/file
      dd if=/dev/zero of=${pathOfDisk('removable1')}-part1 bs=1M seek=8 count=400 conv=notrunc oflag=direct status=none`,
    )
    const { job, message } = await done('POST', '/pools/tank/scrub')
    // A slow machine is answered before the scrub's own words are there.
    expect(message).toMatch(/started$/)
    expect(await ended(job)).toMatchObject({
      type: 'pool.scrub',
      status: 'completed',
      progress: 100,
      message: expect.stringMatching(/^scrub repaired .* with 0 errors/),
    })
    const scrub = await done('GET', '/pools/tank/scrub')
    expect(scrub).toMatchObject({ status: 'finished', errors: 0 })
    expect(scrub.repaired).toBeGreaterThan(2 ** 20)
    const [{ children }] = (await done('GET', '/pools/tank')).vdevs
    expect(children).toMatchObject([{ checksum_errors: expect.any(Number) }, { checksum_errors: 0 }])
    expect(children[0].checksum_errors).toBeGreaterThan(0)
    // From the disks, not from memory.
    expect(await guest.run('echo 3 >/proc/sys/vm/drop_caches; sha256sum </tank/data/file')).toBe(sum)
    await clear()
    const [after] = (await done('GET', '/pools/tank')).vdevs
    expect(after.children).toMatchObject([{ checksum_errors: 0 }, { checksum_errors: 0 }])
  })

  it('is stopped when its job is cancelled', async () => {
    const hold = (value: number) => guest.run(`echo ${value} >/sys/module/zfs/parameters/zfs_scan_suspend_progress`)
    await hold(1)
    const { job } = await done('POST', '/pools/tank/scrub')
    expect(await done('GET', '/pools/tank/scrub')).toMatchObject({ status: 'running', job })
    await done('POST', `/jobs/${job}/cancel`)
    expect(await ended(job)).toMatchObject({ status: 'cancelled' })
    expect(await done('GET', '/pools/tank/scrub')).toMatchObject({ status: 'cancelled' })
    expect(await guest.run('zpool status tank')).toContain('scrub canceled')
    await hold(0)
  })
})

it('gives a dataset its old content back by a rollback', async () => {
  await done('POST', '/datasets', { name: 'tank/docs', options: { compression: 'lz4' } })
  await guest.run('echo old >/tank/docs/text')
  await done('POST', '/snapshots', { dataset: 'tank/docs', name: 'before' })
  await guest.run('echo new >/tank/docs/text && echo more >/tank/docs/other')
  await done('POST', '/snapshots/tank/docs@before/rollback')
  expect(await guest.run('cat /tank/docs/*')).toBe('old\n')
})

/** What a client does with the share: writes a file, reads it again. */
const smb = (user: string, word: string) =>
  guest.exec(`
    cd /run && echo ${word} >sent && rm -f got
    smbclient -t 30 //127.0.0.1/data -U ${user}%${user}-secret -c 'put sent ${word}; get ${word} got' 2>&1 && cat got`)
const nfs = (word: string) =>
  guest.run(`
    set -e
    mkdir -p /run/nfs && mount -t nfs4 -o vers=4.2,soft,timeo=100 127.0.0.1:/tank/nfs /run/nfs
    echo ${word} >/run/nfs/${word} && sync /run/nfs/${word}
    grep -o vers=4.2 /proc/mounts && umount /run/nfs && cat /tank/nfs/${word}`)
/** Logs in, writes a block through the disk that appears, logs out; what the zvol holds then. */
const iscsi = (word: string, password = CHAP.password) =>
  guest.exec(
    `
    set -e
    systemctl start iscsid
    iscsiadm -m discovery -t st -p ${PORTAL} >&2
    node() { iscsiadm -m node -T ${IQN} -p ${PORTAL} "$@"; }
    node -o update -n node.session.auth.authmethod -v CHAP
    node -o update -n node.session.auth.username -v ${CHAP.username}
    node -o update -n node.session.auth.password -v ${password}
    node -o update -n node.session.initial_login_retry_max -v 1
    node --login >&2
    disk=/dev/disk/by-path/ip-${PORTAL}-iscsi-${IQN}-lun-0
    for _ in $(seq 100); do [ -e "$disk" ] && break; sleep 0.2; done
    echo ${word} | dd of="$disk" bs=512 count=1 conv=sync oflag=direct status=none
    node --logout >&2
    dd if=/dev/zvol/tank/vol1 bs=512 count=1 iflag=direct status=none | tr -d '\\000'`,
  )

describe('clients', () => {
  it('write and read through SMB when the share names them, and are refused when it does not', async () => {
    await done('POST', '/shares/smb', { name: 'data', dataset: 'tank/data', valid_users: ['alice'] })
    await guest.run('chown alice: /tank/data')
    expect(await smb('alice', 'samba')).toMatchObject({ status: 0, stdout: expect.stringMatching(/samba\n$/) })
    expect(await guest.run('cat /tank/data/samba')).toBe('samba\n')
    const refused = await smb('bob', 'intruder')
    expect(refused.status).not.toBe(0)
    expect(refused.stdout).toContain('NT_STATUS_ACCESS_DENIED')
    expect(await guest.run('ls /tank/data')).not.toContain('intruder')
  })

  it('write through an NFS 4.2 mount', async () => {
    await done('POST', '/datasets', { name: 'tank/nfs' })
    await done('POST', '/exports/nfs', { dataset: 'tank/nfs', clients: ['127.0.0.1'], root_squash: false })
    expect(await nfs('mounted')).toBe('vers=4.2\nmounted\n')
  })

  it('reach a volume by iSCSI with the right secret, and not with a wrong one', async () => {
    await done('POST', '/zvols', { name: 'tank/vol1', size: '64M' })
    target = (await done('POST', '/iscsi/targets', { iqn: IQN, initiators: [CLIENT], chap: CHAP })).id
    await done('POST', `/iscsi/targets/${target}/luns`, { zvol: 'tank/vol1' })
    expect(await iscsi('block')).toMatchObject({ status: 0, stdout: 'block\n' })
    const refused = await iscsi('intruder', 'another-secret-1')
    expect(refused.status).not.toBe(0)
    expect(refused.stderr).toContain('authorization failure')
  })
})

/** Everything that was set up so far is in service. */
async function everythingIsThere(word: string): Promise<void> {
  expect(
    (await done('GET', '/pools')).map(({ name, status }: { name: string; status: string }) => [name, status]),
  ).toEqual(
    expect.arrayContaining([
      ['bulk', 'ONLINE'],
      ['tank', 'ONLINE'],
    ]),
  )
  expect(await guest.run('cat /tank/docs/text')).toBe('old\n')
  expect(await smb('alice', word)).toMatchObject({ status: 0, stdout: expect.stringMatching(`${word}\n$`) })
  expect(await nfs(word)).toBe(`vers=4.2\n${word}\n`)
  expect((await done('GET', `/iscsi/targets/${target}`)).luns).toMatchObject([{ id: 0, zvol: 'tank/vol1' }])
  expect(await iscsi(word)).toMatchObject({ status: 0, stdout: `${word}\n` })
}

it('has all of it again after a reboot', async () => {
  const before = await guest.bootId()
  await guest.exec('systemctl reboot').catch(() => {})
  await guest.rebooted(before)
  await serves(guest)
  await everythingIsThere('rebooted')
})

describe('when the power is cut', () => {
  /** The next restart is without it: a boot forgets what is below /run. */
  const faulty = async (fault: string) => {
    await guest.run(`
      set -e
      mkdir -p /run/systemd/system/edge-admin.service.d
      printf '[Service]\\nEnvironment=EDGE_FAULT=${fault}\\n' >/run/systemd/system/edge-admin.service.d/fault.conf
      systemctl daemon-reload
      systemctl restart edge-admin`)
    await serves(guest)
  }
  /** Nobody waits for the answer: there may never be one. */
  const sent = (...args: Parameters<typeof ask>) => void ask(...args).catch(() => {})
  const isPaused = () => until('the job is paused', () => holds(`ls ${STATE}/tasks/*/paused`), 60)
  const holds = async (script: string) => (await guest.exec(script)).status === 0

  /** Cuts, boots, and looks at what has to be so after every cut. */
  async function cut(): Promise<void> {
    await guest.cut()
    await guest.start()
    await serves(guest)
    await until(
      'every job has ended',
      async () => {
        const open = [...(await done('GET', '/jobs?status=running')), ...(await done('GET', '/jobs?status=pending'))]
        return open.length === 0
      },
      120,
    )
    expect(await guest.exec('edge-admin audit verify')).toMatchObject({ status: 0 })
    expect(await guest.exec('testparm -s')).toMatchObject({ status: 0 })
  }
  const lastJob = async (type: string) =>
    (await done('GET', '/jobs')).find((job: { type: string }) => job.type === type)

  const POOL = { name: 'late', vdevs: vdevs('mirror', 'disk4', 'disk5') }
  /** The pool is whole, with its name in the list of the next boot, or there is nothing of it. */
  async function wholeOrAbsent(): Promise<'whole' | 'absent'> {
    const job = await lastJob('pool.create')
    const { status, json } = await ask('GET', `/pools/${POOL.name}`)
    if (status === 404) {
      expect(job).toMatchObject({ status: 'failed', error: expect.stringContaining('interrupted') })
      expect((await done('GET', '/pools/available')).pools).toEqual([])
      return 'absent'
    }
    expect(json).toMatchObject({ status: 'ONLINE', vdevs: [{ type: 'mirror' }] })
    expect(job).toMatchObject({ status: 'completed' })
    expect(await guest.run(`findmnt -n -o SOURCE /${POOL.name}`)).toBe(`${POOL.name}\n`)
    return 'whole'
  }
  const noPool = async () => {
    if ((await ask('GET', `/pools/${POOL.name}`)).status === 200) await done('DELETE', `/pools/${POOL.name}`)
  }

  it.each([
    ['before zpool has begun', 'pool-begun', 'absent'],
    ['when zpool has ended', 'pool-done', 'whole'],
  ])('a pool that is being made is whole or absent: %s', async (_when, step, left) => {
    await noPool()
    await faulty(`${step}=pause`)
    sent('POST', '/pools', POOL)
    await isPaused()
    await cut()
    expect(await wholeOrAbsent()).toBe(left)
  })

  const shareOf = async () => (await done('GET', '/shares/smb')).find(({ name }: { name: string }) => name === 'data')
  it('a share that is being changed is as it was, though Samba had the change already', async () => {
    const before = await shareOf()
    await faulty('smb-applied=hang')
    sent('PUT', `/shares/smb/${before.id}`, { read_only: true, description: 'changed' })
    await until('the change is under way', () => holds("net conf showshare data | grep 'read only = yes'"), 60)
    await cut()
    expect(await shareOf()).toEqual(before)
    expect(await smb('alice', 'unchanged')).toMatchObject({ status: 0 })
  })

  it('an export that is being changed is as it was, though the kernel had the change already', async () => {
    const [before] = await done('GET', '/exports/nfs')
    await faulty('nfs-applied=hang')
    sent('PUT', `/exports/nfs/${before.id}`, { read_only: true, clients: ['127.0.0.1', '10.9.0.0/24'] })
    await until('the change is under way', () => holds("exportfs -s | grep '^/tank/nfs .*10.9.0.0/24(.*[(,]ro,'"))
    await cut()
    expect(await done('GET', '/exports/nfs')).toEqual([before])
    expect(await guest.run('exportfs -s')).not.toContain('10.9.0.0/24')
    expect(await nfs('unchanged')).toBe('vers=4.2\nunchanged\n')
  })

  const LIO = '/sys/kernel/config/target/iscsi'
  it('a target that is being changed is as it was, though the kernel had the change already', async () => {
    const before = await done('GET', `/iscsi/targets/${target}`)
    await faulty('iscsi-applied=hang')
    sent('POST', `/iscsi/targets/${target}/luns/remove`, { lun_id: 0 })
    await until('the change is under way', () => holds(`! test -e ${LIO}/${IQN}/tpgt_1/lun/lun_0`))
    await cut()
    expect(await done('GET', `/iscsi/targets/${target}`)).toEqual(before)
    expect(await iscsi('unchanged')).toMatchObject({ status: 0, stdout: 'unchanged\n' })
  })

  it('a target that was changed stays changed, though nobody was told', async () => {
    const before = await done('GET', `/iscsi/targets/${target}`)
    await faulty('iscsi-saved=hang')
    const initiators = [CLIENT, `${CLIENT}-2`]
    sent('PUT', `/iscsi/targets/${target}`, { initiators })
    await until('the change is saved', () => holds(`grep -F '${CLIENT}-2' /etc/rtslib-fb-target/saveconfig.json`))
    await cut()
    const after = {
      ...before,
      initiators: expect.toSatisfy((all: string[]) => all.toSorted().join() === initiators.join()),
    }
    expect(await done('GET', `/iscsi/targets/${target}`)).toEqual(after)
    expect(await iscsi('changed')).toMatchObject({ status: 0, stdout: 'changed\n' })
  })

  /** How many snapshots of each kind there are. */
  const snapshotsOf = async (dataset: string) => {
    const found: { name: string }[] = await done('GET', `/snapshots?dataset=${encodeURIComponent(dataset)}`)
    return found.map(({ name }) => name.replace(/^.*@(\w+)-\d{8}-\d{6}$/, '$1')).sort()
  }
  it('a run of a policy neither loses nor doubles a snapshot', async () => {
    const dataset = 'tank/kept'
    await done('POST', '/datasets', { name: dataset })
    await faulty('snapshot-created=pause')
    await done('POST', '/snapshot-policies', {
      dataset,
      weekly: 2,
      monthly: 2,
      yearly: 2,
      autosnap: true,
      autoprune: true,
    })
    await isPaused()
    await cut()
    await until('the run has ended', async () => (await snapshotsOf(dataset)).length >= 3, 120)
    expect(await snapshotsOf(dataset)).toEqual(['monthly', 'weekly', 'yearly'])
  })

  // What `zpool create` does one after the other, while a share and a policy are made at the same time.
  const [DISK] = vdevs('disk4')
  it.each([
    ['has begun', "pgrep -f '^zpool create ' >/dev/null"],
    ['has made a partition', `[ -e ${DISK}-part1 ]`],
    ['has a pool in the kernel', `[ -e /proc/spl/kstat/zfs/${POOL.name} ]`],
  ])('nothing is left half done once zpool %s', async (when, condition) => {
    await noPool()
    // Without the partitions of the last time.
    await guest.run(`
      set -e
      for disk in ${vdevs('disk4', 'disk5').join(' ')}; do
        wipefs -q -a "$disk"
        blockdev --rereadpt "$disk"
      done
      udevadm settle
      ! [ -e ${DISK}-part1 ]`)
    const word = when.split(' ').at(-1)
    const dataset = `tank/${word}`
    await done('POST', '/datasets', { name: dataset })
    const before = await shareOf()
    const earlier = await lastJob('pool.create')
    const change = { description: `changed ${word}`, valid_users: ['alice', 'bob'] }
    // In the guest: from here it would be seen when it is over.
    const seen = guest.run(`for _ in $(seq 30000); do ${condition} && exit 0; sleep 0.01; done; exit 1`)
    sent('POST', '/pools', POOL)
    sent('PUT', `/shares/smb/${before.id}`, change)
    sent('POST', '/snapshot-policies', { dataset, monthly: 1, yearly: 1, autosnap: true })
    await seen
    await cut()
    expect((await lastJob('pool.create')).id).not.toBe(earlier?.id)
    await wholeOrAbsent()
    expect(await shareOf()).toBeOneOf([before, { ...before, ...change }])
    const policy = await ask('GET', `/snapshot-policies/${dataset}`)
    if (policy.status === 200) await until('the policy has run', async () => (await snapshotsOf(dataset)).length >= 2)
    expect(await snapshotsOf(dataset)).toEqual(policy.status === 200 ? ['monthly', 'yearly'] : [])
  })

  it('everything that was there before is in service', async () => {
    await everythingIsThere('afterwards')
  })
})
