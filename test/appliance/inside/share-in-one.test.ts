// POST /shares by the API alone: its user writes with smbclient at once, the same file is read and written over NFS, and
// another user is refused. Then the permissions of the same filesystem, against getfacl.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makePool, tool } from '../../api/storage-tools.ts'
import { startStorage } from '../../api/storage-world.ts'
import { done, leave, PASSWORD, smb } from './sharing.ts'

const TOP = '/mnt/tank/team'
const MOUNTED = '/mnt/over-nfs'
const PERMISSIONS = '/datasets/tank/team/permissions'
let world: Awaited<ReturnType<typeof startStorage>>
let alice: { uid: number }
let crew: { gid: number }
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
  alice = await done(world, 'POST', '/share-users', { name: 'alice', password: PASSWORD })
  await done(world, 'POST', '/share-users', { name: 'mallory', password: PASSWORD })
  await done(world, 'POST', '/share-users', { name: 'bob doe', password: PASSWORD })
  crew = await done(world, 'POST', '/share-groups', { name: 'crew', members: ['bob doe'] })
})
afterAll(async () => {
  spawnSync('umount', ['-f', MOUNTED])
  await leave(world)
})

const facl = (path = TOP) => tool(world, 'getfacl', '-cnpE', path).trim().split('\n')

it('writes at once over SMB, reads the same over NFS, and refuses another user', async () => {
  const made = await done(world, 'POST', '/shares', {
    ...{ dataset: 'tank/team', create_dataset: true, access: { write: ['alice'], read: ['@crew'] } },
    ...{ smb: { name: 'team' }, nfs: { clients: ['127.0.0.1'] } },
  })
  expect(made.permissions).toMatchObject({ owner: 'alice', acltype: 'posix' })
  writeFileSync('/tmp/sent', 'written by alice\n')
  expect(await smb('team', 'alice', 'put sent from-alice')).toMatchObject({ status: 0 })
  expect(statSync(join(TOP, 'from-alice')).uid).toBe(alice.uid)

  mkdirSync(MOUNTED, { recursive: true })
  tool(world, 'mount', '-t', 'nfs4', `127.0.0.1:${TOP}`, MOUNTED)
  expect(readFileSync(join(MOUNTED, 'from-alice'), 'utf8')).toBe('written by alice\n')
  // Whatever numbers the client sends: root works as the owner of the folder.
  writeFileSync(join(MOUNTED, 'from-nfs'), 'written over NFS\n')
  expect(statSync(join(TOP, 'from-nfs')).uid).toBe(alice.uid)
  expect(await smb('team', 'alice', 'get from-nfs got')).toMatchObject({ status: 0 })
  expect(readFileSync('/tmp/got', 'utf8')).toBe('written over NFS\n')

  expect(await smb('team', 'mallory', 'ls')).toMatchObject({
    status: 1,
    text: expect.stringContaining('NT_STATUS_ACCESS_DENIED'),
  })
  expect(await smb('team', 'bob doe', 'get from-alice got')).toMatchObject({ status: 0 })
  expect((await smb('team', 'bob doe', 'put sent from-bob')).text).toContain('NT_STATUS_ACCESS_DENIED')
})

it('keeps lists as they are asked for: what is shown can be sent again, and getfacl says the same', async () => {
  const list = [{ type: 'group', name: 'crew', permissions: 'rwx' }]
  const wanted = {
    ...{ mode: '2770', acl: { entries: list } },
    default_acl: { owner: 'rwx', group: 'r-x', other: '---', entries: list },
  }
  const set = await world.ask('PUT', PERMISSIONS, { json: wanted })
  expect(set.status).toBe(200)
  const read = await world.ask('GET', PERMISSIONS)
  expect([read.json, read.headers['etag']]).toEqual([set.json, set.headers['etag']])
  const shown = facl()
  expect(shown).toEqual([
    ...['user::rwx', 'group::rwx', `group:${crew.gid}:rwx`, 'mask::rwx', 'other::---'],
    ...['default:user::rwx', 'default:group::r-x', `default:group:${crew.gid}:rwx`, 'default:mask::rwx'],
    'default:other::---',
  ])
  const { owner, group, mode, acl, default_acl } = read.json
  const again = await world.ask('PUT', PERMISSIONS, {
    json: { owner, group, mode, acl, default_acl },
    headers: { 'If-Match': String(read.headers['etag']) },
  })
  expect([again.status, again.headers['etag']]).toEqual([200, read.headers['etag']])
  expect(facl()).toEqual(shown)
  // The crew may write now, and what it makes has its list from the folder.
  expect(await smb('team', 'bob doe', 'put sent newer')).toMatchObject({ status: 0 })
  expect(facl(join(TOP, 'newer'))).toContain(`group:${crew.gid}:rwx`)
})

it('changes everything below by a job that says how far it came when it is killed, and then reaches its end', async () => {
  for (let i = 0; i < 20; i++) {
    mkdirSync(join(TOP, `old-${i}`))
    for (let j = 0; j < 20; j++) writeFileSync(join(TOP, `old-${i}`, `${j}`), '', { mode: 0o600 })
  }
  const change = { owner: 'mallory', mode: '2750', recursive: true }
  const plan = await done(world, 'PUT', `${PERMISSIONS}?dry_run=true`, change)
  expect(plan).toMatchObject({ files: 403, folders: 21, complete: true })
  const start = async () => {
    const { status, json } = await world.ask('PUT', PERMISSIONS, {
      json: change,
      headers: { Prefer: 'respond-async' },
    })
    expect(status).toBe(202)
    return world.job(json.id)
  }
  world.fault('permissions-part=kill')
  const killed = await start()
  expect(killed).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(
      /^Interrupted after \d+ files and folders, the last of them [^ ]+\. They keep what was set; ask again for the rest$/,
    ),
  })
  const [, count] = /after (\d+)/.exec(killed.message) ?? []
  const owned = tool(world, 'find', TOP, '-user', 'mallory').split('\n').filter(Boolean)
  expect(owned).toHaveLength(Number(count))
  world.fault()
  expect(await start()).toMatchObject({ status: 'completed', message: '424 files and folders done' })
  expect((await done(world, 'GET', PERMISSIONS)).owner).toBe('mallory')
  expect(tool(world, 'find', TOP, '-not', '-user', 'mallory')).toBe('')
})
