// The packaged product on a real system: set-up, update, network, remote storage, reboot. One guest lives through all
// of it in this order, as an appliance would.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, file, PREFIX, until } from '../api/client.ts'
import { Guest } from './guest.ts'
import { admin, install, serves } from './product.ts'

const TOKEN = 'a-token-of-the-rig'
const ROOT = '/opt/jidoteki/tinyadmin'
const CONFIGURATION = {
  endpoints: ['settings', 'storage'],
  'first-run': { enabled: true, 'word-length': 4 },
  listen: { host: '0.0.0.0', port: 8443 },
}

let guest: Guest
const ask = (...args: Parameters<ReturnType<typeof admin>>) => admin(guest, TOKEN)(...args)
const document = (value: object) => ({ form: [file('settings', JSON.stringify(value), 'settings.json')] })
/** Sends it, and waits until it is applied. */
async function put(path: '/settings' | '/storage', value: object): Promise<void> {
  expect(await ask('POST', path, document(value))).toMatchObject({ status: 202 })
  expect(await ask('GET', path, { query: { wait: '300' } })).toMatchObject({ status: 200 })
}
async function reboot(): Promise<void> {
  const before = await guest.bootId()
  expect((await ask('POST', '/reboot')).status).toBeLessThan(300)
  await guest.rebooted(before)
  await serves(guest)
}

beforeAll(async () => {
  guest = await Guest.boot()
  await install(guest, CONFIGURATION)
})
afterAll(async () => {
  await guest?.end()
})

it('is set up with the one-time phrase', async () => {
  const phrase = (await guest.run(`cat ${ROOT}/etc/api.token.setup`)).trim()
  const setup = { query: { token: phrase }, form: [{ name: 'newtoken', value: TOKEN }] }
  expect(await call(guest.url, 'POST', `${PREFIX}/setup`, setup)).toMatchObject({
    status: 200,
    body: '{"Status":"200 OK"}',
  })
  expect(await call(guest.url, 'GET', `${PREFIX}/version`, { sign: 'another-token' })).toMatchObject({ status: 403 })
})

it('says how the machine is', async () => {
  const health = await ask('GET', '/health')
  expect(health.status).toBe(200)
  expect(health.body).toContain('"cpu5min":')
})

it('runs as a unit of systemd that nothing has restarted', async () => {
  expect(await guest.run('systemctl show -P NRestarts -P ActiveState edge-admin')).toBe('0\nactive\n')
})

// The unit keeps its tasks out of /root.
it('takes a package that its own command line built, and runs its script', async () => {
  const encoded = await guest.run(`
    set -e
    mkdir -p /root/payload && cd /root/payload
    echo 2.0.0 >version.txt
    printf '#!/bin/sh\\nset -e\\ncp version.txt ${ROOT}/etc/version.txt\\nuname -r >/var/lib/updated\\n' >update.sh
    edge-admin package build --key ${ROOT}/etc/updates.key --sign /var/lib/edge-admin/vendor/updates.priv \\
      --version 2.0.0 --out /root/package.enc /root/payload >&2
    base64 -w 0 /root/package.enc`)
  const sent = await ask('POST', '/update', { form: [file('update', Buffer.from(encoded, 'base64'))] })
  expect(sent).toMatchObject({ status: 202 })
  const status = await until(
    'the update has ended',
    async () => {
      const { status } = JSON.parse((await ask('GET', '/update', { query: { wait: '10' } })).body)
      return status !== 'running' && status
    },
    120,
  )
  expect(status).toBe('success')
  expect((await ask('GET', '/version')).body).toBe('{"version":"2.0.0"}')
  expect(await guest.run('cat /var/lib/updated')).toBe(await guest.run('uname -r'))
})

describe('the network settings', () => {
  const addresses = () => guest.run('ip -4 -o addr show dev eth1')
  const names = { interface: 'eth1', hostname: 'box.example' }

  it('put a fixed address on the interface through systemd-networkd', async () => {
    const fixed = { ip_address: '10.9.0.20', netmask: '255.255.255.0', gateway: '10.9.0.2' }
    await put('/settings', { network: { ...names, ...fixed }, app: {} })
    await until('the address is there', async () => (await addresses()).includes('10.9.0.20/24'))
    expect(await guest.run('networkctl status eth1')).toContain('10-edge-admin.network')
    expect(await guest.run('cat /etc/hostname')).toBe('box.example\n')
  })

  it('get an address by DHCP, and give the fixed one up', async () => {
    await put('/settings', { network: names, app: {} })
    await until('there is a lease', async () => (await addresses()).includes('10.9.0.50/24'), 60)
    expect(await addresses()).not.toContain('10.9.0.20/24')
  })

  it('survive a reboot', async () => {
    await reboot()
    await until('there is a lease', async () => (await addresses()).includes('10.9.0.50/24'), 60)
    expect(await guest.run('hostname')).toBe('box.example\n')
    expect((await ask('GET', '/version')).body).toBe('{"version":"2.0.0"}')
  })
})

describe('remote storage', () => {
  /** Server and client are one machine here: when it goes down, the mount has to go first. */
  const startsBehind = (unit: string, server: string) =>
    guest.run(`
      mkdir -p /etc/systemd/system/${unit}.d
      printf '[Unit]\\nAfter=${server}\\n' >/etc/systemd/system/${unit}.d/same-machine.conf`)
  const source = () => guest.exec('findmnt -n -o SOURCE,FSTYPE /data').then(({ stdout }) => stdout.trim())

  it('by NFS is mounted at the next boot', async () => {
    await guest.run(`
      set -e
      mkdir -p /srv/export && echo remote >/srv/export/where
      printf '/srv/export 127.0.0.1(rw,no_root_squash,no_subtree_check,fsid=7)\\n' >/etc/exports.d/test.exports
      systemctl enable --now nfs-server.service 2>&1`)
    const nfs = { type: 'nfs', ip: '127.0.0.1', share: '/srv/export', mount_options: 'rw,vers=4.2' }
    await startsBehind('data.mount', 'nfs-server.service')
    await put('/storage', { storage: nfs })
    expect(await source()).toBe('')
    await reboot()
    await until('it is mounted', async () => (await source()) !== '', 120)
    expect(await source()).toMatch(/^127\.0\.0\.1:\/srv\/export +nfs4$/)
    expect(await guest.run('cat /data/where && echo written >/data/back && cat /srv/export/back')).toBe(
      'remote\nwritten\n',
    )
  })

  it('by iSCSI with CHAP is mounted at the next boot', async () => {
    const target = 'iqn.2026-01.test.edge-admin:data'
    await guest.run(
      `
      set -e
      modprobe -a target_core_mod target_core_file iscsi_target_mod iscsi_tcp
      initiator=$(sed -n 's/^InitiatorName=//p' /etc/iscsi/initiatorname.iscsi)
      [ -n "$initiator" ] || { initiator=iqn.2026-01.test.edge-admin:box; echo "InitiatorName=$initiator" >/etc/iscsi/initiatorname.iscsi; }
      truncate -s 64M /srv/lun && mkfs.ext4 -q -F /srv/lun
      printf '%s\\n' "/backstores/fileio create name=data file_or_dev=/srv/lun" "/iscsi create ${target}" \\
        "/iscsi/${target}/tpg1/luns create /backstores/fileio/data" "/iscsi/${target}/tpg1 set attribute authentication=1" \\
        "/iscsi/${target}/tpg1/acls create $initiator" \\
        "/iscsi/${target}/tpg1/acls/$initiator set auth userid=box password=secret-word-12" saveconfig exit | targetcli
      systemctl enable rtslib-fb-targetctl.service iscsid.service 2>&1`,
    )
    const iscsi = { type: 'iscsi', ip: '127.0.0.1', target, username: 'box', password: 'secret-word-12' }
    await startsBehind('edge-admin-storage.service', 'rtslib-fb-targetctl.service')
    await put('/storage', { storage: iscsi })
    await reboot()
    await until('it is mounted', async () => (await source()).includes('ext4'), 120)
    expect(await guest.run('iscsiadm -m session')).toContain(target)
    await guest.run('echo block >/data/block && sync /data/block')
    expect((await ask('GET', '/storage')).body).not.toContain('secret-word-12')
  })

  it('goes back to the local disk', async () => {
    await put('/storage', { storage: { type: 'local' } })
    await reboot()
    expect(await source()).toBe('')
    expect(await guest.run('ls /etc/systemd/system/remote-fs.target.wants 2>/dev/null || :')).not.toContain(
      'data.mount',
    )
  })
})

it('keeps what it said when the power is cut', async () => {
  await guest.cut()
  await guest.start()
  await serves(guest)
  expect((await ask('GET', '/version')).body).toBe('{"version":"2.0.0"}')
  expect((await guest.run('systemctl is-system-running --wait || systemctl --failed --no-legend')).trim()).toBe(
    'running',
  )
})
