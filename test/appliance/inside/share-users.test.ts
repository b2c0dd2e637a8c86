// A share and a user that are made by the API alone: the user writes with smbclient at once, another one is refused, a
// disabled one loses its session, and accounts that the system and Samba have lost are back after a restart.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../api/client.ts'
import { makePool, tool } from '../../api/storage-tools.ts'
import { startStorage, type World } from '../../api/storage-world.ts'
import { done, leave, PASSWORD, smb } from './sharing.ts'

let world: World
const ids: string[] = []
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
  tool(world, 'zfs', 'create', 'tank/data')
})
afterAll(() => leave(world))

const call = (method: string, path: string, json?: object) => done(world, method, path, json)
const zfsSpace = () => spawnSync('zfs', ['userspace', '-Hnp', '-o', 'name,used,quota', '-t', 'posixuser', 'tank/data'])

it('writes at once, and another user is refused', async () => {
  const anna = await call('POST', '/share-users', { name: 'Anna', password: PASSWORD })
  const jo = await call('POST', '/share-users', { name: 'jo doe', password: PASSWORD })
  const zh = await call('POST', '/share-users', { name: 'Ждан', password: PASSWORD })
  ids.push(anna.id, jo.id, zh.id)
  await call('POST', '/share-groups', { name: 'team', members: ['jo doe', 'ждан'] })
  await call('POST', '/shares/smb', { name: 'team', dataset: 'tank/data', valid_users: ['@team'] })
  chownSync('/mnt/tank/data', anna.uid, 0)
  chmodSync('/mnt/tank/data', 0o777)
  writeFileSync('/tmp/sent', 'written by jo\n')
  expect(await smb('team', 'jo doe', 'put sent from-jo')).toMatchObject({ status: 0 })
  expect(readFileSync('/mnt/tank/data/from-jo', 'utf8')).toBe('written by jo\n')
  expect(await smb('team', 'ЖДАН', 'put sent from-zhdan')).toMatchObject({ status: 0 })
  expect(await smb('team', 'anna', 'ls')).toMatchObject({
    status: 1,
    text: expect.stringContaining('NT_STATUS_ACCESS_DENIED'),
  })
  expect(await smb('team', 'jo doe', 'ls', 'wrong-one-1')).toMatchObject({
    status: 1,
    text: expect.stringContaining('NT_STATUS_LOGON_FAILURE'),
  })
  const quota = await call('PUT', '/quotas/tank/data', { users: [{ name: 'jo doe', quota: '1M' }] })
  spawnSync('zpool', ['sync', 'tank'])
  expect(quota.users.find(({ id }: { id: number }) => id === jo.uid)).toMatchObject({ name: 'jo doe', quota: 1 << 20 })
  expect(String(zfsSpace().stdout)).toMatch(new RegExp(`^${jo.uid}\\t\\d+\\t1048576$`, 'm'))
  const plan = await call('DELETE', `/share-users/${jo.id}?dry_run=true`)
  expect(plan.files).toEqual([{ dataset: 'tank/data', used: expect.any(Number) }])
})

it('loses its session when it is disabled, and cannot log in', async () => {
  const [, jo] = ids
  const client = spawn('smbclient', ['//127.0.0.1/team', '-U', 'jo doe', '--password', PASSWORD], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  client.stdin.write('ls\n')
  // What it prints stays in its buffer until it ends.
  await until('the session is open', () => tool(world, 'smbstatus', '--json').includes('"username": "jo doe"'))
  const changed = await call('PUT', `/share-users/${jo}`, { enabled: false })
  expect(changed.ended_sessions).toEqual([{ id: expect.any(String), client: '127.0.0.1', ended: true }])
  expect((await smb('team', 'jo doe', 'ls')).text).toContain('NT_STATUS_ACCOUNT_DISABLED')
  client.kill('SIGKILL')
  await call('PUT', `/share-users/${jo}`, { enabled: true })
  expect(await smb('team', 'jo doe', 'ls')).toMatchObject({ status: 0 })
})

it('is back after the system and Samba have lost it', async () => {
  const { folders } = world.appliance
  const remembered = join('/tmp', 'share-accounts.json')
  writeFileSync(remembered, readFileSync(join(folders.state, 'share-accounts.json')), { mode: 0o600 })
  spawnSync('systemctl', ['stop', 'smbd'])
  rmSync('/var/lib/samba/private/passdb.tdb', { force: true })
  for (const name of ['passwd', 'shadow', 'group', 'gshadow'])
    writeFileSync(
      `/etc/${name}`,
      readFileSync(`/etc/${name}`, 'utf8').replace(/^(?:anna|jo doe|ждан|team|edge-shares):.*\n/gm, ''),
    )
  spawnSync('systemctl', ['start', 'smbd'])
  expect((await smb('team', 'jo doe', 'ls')).status).toBe(1)
  const again = await startStorage({
    prepare: (made) =>
      writeFileSync(join(made.state, 'share-accounts.json'), readFileSync(remembered), { mode: 0o600 }),
  })
  try {
    // As a process does once its port is open; the first request that needs storage then puts back what was lost.
    again.appliance.app.tidy()
    expect((await again.ask('GET', '/share-users')).status).toBe(200)
    await until('the accounts are back', async () => (await smb('team', 'jo doe', 'ls')).status === 0)
    expect(tool(world, 'getent', 'group', 'team')).toMatch(/:jo doe,ждан$/m)
    expect((await smb('team', 'anna', 'ls')).text).toContain('NT_STATUS_ACCESS_DENIED')
  } finally {
    await again.close()
  }
})
