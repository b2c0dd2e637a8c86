// What Samba's modules and its status make of a share's options: previous versions of a file, a recycle bin, and a
// session that is listed and closed.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../../api/client.ts'
import { makePool, tool } from '../../api/storage-tools.ts'
import { startStorage, type World } from '../../api/storage-world.ts'
import { done, leave, PASSWORD, smb } from './sharing.ts'

let world: World
beforeAll(async () => {
  world = await startStorage()
  makePool(world)
  for (const name of ['alice', 'bob']) await done(world, 'POST', '/share-users', { name, password: PASSWORD })
  const made = await done(world, 'POST', '/shares', {
    ...{ dataset: 'tank/team', create_dataset: true, access: { write: ['alice', 'bob'] } },
    smb: { name: 'team' },
  })
  await done(world, 'PUT', `/shares/smb/${made.smb.id}`, { previous_versions: true, recycle_bin: true })
})
afterAll(() => leave(world))

it('shows a file as it was in a snapshot as its previous version', async () => {
  writeFileSync('/tmp/sent', 'the first words\n')
  expect(await smb('team', 'alice', 'put sent report')).toMatchObject({ status: 0 })
  // As the scheduler names them.
  await done(world, 'POST', '/snapshots', { dataset: 'tank/team', name: 'daily-20261128-000000' })
  writeFileSync('/tmp/sent', 'other words\n')
  expect(await smb('team', 'alice', 'put sent report')).toMatchObject({ status: 0 })
  await done(world, 'POST', '/snapshots', { dataset: 'tank/team', name: 'by-hand' })
  const { text } = await smb('team', 'alice', 'allinfo report')
  expect(text.match(/@GMT-[\d.-]+/g)).toEqual(['@GMT-2026.11.28-00.00.00'])
  expect(await smb('team', 'alice', 'get @GMT-2026.11.28-00.00.00\\report got')).toMatchObject({ status: 0 })
  expect(readFileSync('/tmp/got', 'utf8')).toBe('the first words\n')
})

it('keeps what two users delete, each for himself', async () => {
  writeFileSync('/tmp/sent', 'to be deleted\n')
  for (const user of ['alice', 'bob']) {
    expect(await smb('team', user, `mkdir ${user}; put sent ${user}\\kept; del ${user}\\kept`)).toMatchObject({
      status: 0,
    })
    expect((await smb('team', user, `get ${user}\\kept got`)).text).toContain('NT_STATUS_OBJECT_NAME_NOT_FOUND')
    expect(await smb('team', user, `get .recycle\\${user}\\${user}\\kept got`)).toMatchObject({ status: 0 })
    expect(readFileSync('/tmp/got', 'utf8')).toBe('to be deleted\n')
  }
  expect((await smb('team', 'bob', 'ls .recycle\\alice\\*')).text).toContain('NT_STATUS_ACCESS_DENIED')
  expect(tool(world, 'stat', '-c', '%U %a', '/mnt/tank/team/.recycle/bob')).toMatch(/^bob /)
})

it('lists a session, and closes it', async () => {
  const client = spawn('smbclient', ['//127.0.0.1/team', '-U', 'bob', '--password', PASSWORD], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  try {
    client.stdin.write('ls\n')
    const sessions = () => done(world, 'GET', '/shares/smb/sessions')
    const session = await until('the session is listed', async () =>
      (await sessions()).find(
        ({ username, shares }: { username: string; shares: string[] }) => username === 'bob' && shares.includes('team'),
      ),
    )
    expect(session).toMatchObject({ client: '127.0.0.1', dialect: 'SMB3_11' })
    await done(world, 'DELETE', `/shares/smb/sessions/${session.id}`)
    expect((await sessions()).map(({ id }: { id: string }) => id)).not.toContain(session.id)
    expect((await world.ask('DELETE', `/shares/smb/sessions/${session.id}`)).status).toBe(404)
  } finally {
    client.kill('SIGKILL')
  }
})
