// SEC-21: what a restored backup brings is data. A backup full of other secrets has to be taken, or the test shows
// nothing; it is the places that do not matter.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tokenKey } from '../../src/auth/token.ts'
import { entry, ZEROS } from '../unit/tar-builder.ts'
import { startServer } from './appliance.ts'
import { call, file } from './client.ts'
import { addCaller, ask, logIn, ON, PASSWORD } from './controller.ts'

const EVIL = 'evil-token'
const secrets: Record<string, string> = {
  'api.token': `sha256 ${tokenKey(EVIL)}\n`,
  'api.token.setup': 'evil-phrase\n',
  'users.json': '{"users":[{"id":"0","username":"evil","role":"administrator","active":true}]}',
  'edge-admin.json': '{"surfaces":{"controller":{"enabled":false}},"reboot":{"get":false}}',
  'updates.pub': 'evil key\n',
}
/** Where a restore could look for them: as they lie below the root, or below the data folder itself. */
const places = ['', 'etc/', 'state/', 'sysconf/', 'root/etc/', 'data/', 'opt/jidoteki/tinyadmin/etc/', 'usr/local/etc/']

it('SEC-21 a restored backup with other secrets changes nobody’s access, also after a restart', async () => {
  let server = await startServer(ON)
  try {
    const { url, folders } = server
    const viewer = await addCaller(folders, 'viewer')
    const watched = [
      join(folders.root, 'etc/api.token'),
      join(folders.root, 'etc/updates.pub'),
      join(folders.sysconf, 'edge-admin.json'),
      join(folders.state, 'users.json'),
    ]
    const before = watched.map((name) => readFileSync(name, 'utf8'))
    const entries = places.flatMap((place) =>
      Object.entries(secrets).map(([name, content]) => entry({ name: `${place}${name}`, content })),
    )
    const archive = Buffer.concat([...entries, ZEROS, ZEROS])

    // A viewer of the controller and a caller without the token may not restore at all.
    const form = [file('archive', archive)]
    expect((await server.call('POST', '/backup/restore', { token: EVIL, form })).status).toBe(403)
    const asViewer = { headers: { authorization: `Bearer ${viewer.token}` }, form }
    expect((await call(url, 'POST', '/api/v1/admin/backup/restore', asViewer)).status).toBe(403)
    expect(existsSync(join(folders.data, 'etc/api.token'))).toBe(false)

    expect((await server.call('POST', '/backup/restore', { form })).status).toBe(200)
    expect(readFileSync(join(folders.data, 'etc/api.token'), 'utf8')).toBe(secrets['api.token'])

    const access = async () => {
      expect((await ask(server.url, 'GET', '/api/v1/jobs', { bearer: viewer.token })).status).toBe(200)
      const more = { bearer: viewer.token, json: { username: 'more', password: PASSWORD } }
      expect((await ask(server.url, 'POST', '/api/v1/users', more)).status).toBe(403)
      expect((await logIn(server.url, 'evil', PASSWORD)).status).toBe(401)
      expect((await server.call('GET', '/version')).status).toBe(200)
      for (const token of [EVIL, 'evil-phrase']) {
        expect((await server.call('GET', '/version', { token })).status).toBe(403)
        const set = { token, form: [{ name: 'newtoken', value: 'mine' }] }
        expect((await server.call('POST', '/setup', set)).status).toBe(403)
      }
      expect(watched.map((name) => readFileSync(name, 'utf8'))).toEqual(before)
    }
    await access()
    await server.kill('SIGKILL')
    server = await server.again()
    await access()
  } finally {
    await server.close()
  }
})
