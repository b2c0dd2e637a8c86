// Sudo mode under `fs.protected_regular=2`, which systemd sets and which only a whole machine can have: nobody, root
// neither, opens somebody else's file for creation in a sticky folder that a group may write to. Those are just the
// folders that the server and its scripts share.
import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, file, PREFIX, until } from '../../api/client.ts'
import { Guest } from '../guest.ts'
import { admin, serves } from '../product.ts'

const TOKEN = 'a-token-of-the-rig'
const ROOT = '/opt/jidoteki/tinyadmin'
const CONFIGURATION = {
  endpoints: ['settings', 'certs', 'backup'],
  'first-run': { enabled: true, 'word-length': 4 },
  listen: { host: '0.0.0.0', port: 8443 },
  privilege: 'sudo',
}
const checkout = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS)/.test(name)))

let guest: Guest
const ask = (...args: Parameters<ReturnType<typeof admin>>) => admin(guest, TOKEN)(...args)
const ended = (path: string) =>
  until(`${path} ends`, async () => {
    const { body } = await ask('GET', path, { query: { wait: '10' } })
    return !body.includes('"status":"running"') && body
  })

beforeAll(async () => {
  guest = await Guest.boot()
  const archive = execFileSync('make', ['-s', 'dist'], { cwd: checkout, env, encoding: 'utf8' }).trim()
  copyFileSync(join(checkout, archive), join(guest.rig, 'edge-admin.tar.gz'))
  // The sample's hooks stay: they only write that they were called.
  await guest.run(`
    set -e
    sysctl -w fs.protected_regular=2 fs.protected_fifos=2
    echo 'edge:x:20996:20996::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
    echo 'edge:x:20996:' >>/etc/group
    echo 'edge:!:20000::::::' >>/etc/shadow
    cd /srv && tar -xzf /rig/edge-admin.tar.gz && cd edge-admin-*/
    scripts/edge-admin init --sample --root ${ROOT} --sysconfdir /usr/local/etc --datadir /data --statedir /var/lib/edge-admin
    cat >/usr/local/etc/edge-admin.json <<'CONFIGURATION'
${JSON.stringify(CONFIGURATION)}
CONFIGURATION
    SERVER_USER=edge sh ./install.sh
    systemctl daemon-reload
    systemctl enable --now edge-admin.service 2>&1`)
  await serves(guest)
})
afterAll(async () => {
  await guest?.end()
})

it('runs as its own user on a machine that guards sticky folders', async () => {
  expect(await guest.run('cat /proc/sys/fs/protected_regular')).toBe('2\n')
  expect(await guest.run('ps -o user= -p "$(systemctl show -P MainPID edge-admin)"')).toBe('edge\n')
})

it('is set up', async () => {
  const phrase = (await guest.run(`cat ${ROOT}/etc/api.token.setup`)).trim()
  const setup = { query: { token: phrase }, form: [{ name: 'newtoken', value: TOKEN }] }
  expect(await call(guest.url, 'POST', `${PREFIX}/setup`, setup)).toMatchObject({ status: 200 })
})

// Twice: the second time the files of the first are there, root's and the server's.
it.each([1, 2])('updates, the %d. time', async (round) => {
  const encoded = await guest.run(`
    set -e
    mkdir -p /srv/payload && cd /srv/payload
    echo ${round + 1}.0.0 >version.txt
    printf '#!/bin/sh\\nset -e\\ncp version.txt ${ROOT}/etc/version.txt\\n' >update.sh
    edge-admin package build --key ${ROOT}/etc/updates.key --sign /var/lib/edge-admin/vendor/updates.priv \\
      --version ${round + 1}.0.0 --out /srv/package.enc /srv/payload >&2
    base64 -w 0 /srv/package.enc`)
  const sent = await ask('POST', '/update', { form: [file('update', Buffer.from(encoded, 'base64'))] })
  expect(sent).toMatchObject({ status: 202 })
  expect(await ended('/update')).toContain('"status":"success"')
})

it.each([1, 2])('stores settings, the %d. time', async (round) => {
  const network = { interface: 'eth1', hostname: `box${round}.example` }
  const form = [file('settings', JSON.stringify({ network, app: {} }), 'settings.json')]
  expect(await ask('POST', '/settings', { form })).toMatchObject({ status: 202 })
  await until('they are in force', async () =>
    (await ask('GET', '/settings', { query: { wait: '10' } })).body.includes(network.hostname),
  )
})

it.each([1, 2])('makes a backup and restores it, the %d. time', async () => {
  expect(await ask('POST', '/backup', { form: [{ name: 'action', value: 'START' }] })).toMatchObject({ status: 202 })
  expect(await ended('/backup')).toContain('"status":"success"')
  const { bytes } = await ask('GET', '/backup/download')
  await guest.run('echo overwritten >/data/etc/app.conf')
  expect(await ask('POST', '/backup/restore', { form: [file('archive', bytes)] })).toMatchObject({ status: 200 })
  expect(await guest.run('cat /data/etc/app.conf')).toBe('greeting = hello\n')
})

it.each([1, 2])('takes a certificate, and gathers logs, the %d. time', async () => {
  const [key, certificate] = (
    await guest.run(`
    openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=box -keyout /srv/key -out /srv/certificate 2>/dev/null
    base64 -w 0 /srv/key; echo; base64 -w 0 /srv/certificate`)
  ).split('\n')
  const form = [
    file('public', Buffer.from(certificate ?? '', 'base64')),
    file('private', Buffer.from(key ?? '', 'base64')),
  ]
  expect(await ask('POST', '/certs', { form })).toMatchObject({ status: 202 })
  expect(await ended('/certs')).toContain('"status":"success"')
  expect(await ask('GET', '/logs')).toMatchObject({ status: 200 })
  expect(await ask('GET', '/debug')).toMatchObject({ status: 200 })
})

it('takes a token that root set', async () => {
  const token = (await guest.run(`edge-admin token rotate --root ${ROOT}`)).trim()
  expect(await call(guest.url, 'GET', `${PREFIX}/version`, { sign: token })).toMatchObject({ status: 200 })
})
