// What an adversary tried on the controller surface and got. Each of these once went through; none may come back.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installation, type Server, startServer } from './appliance.ts'
import { addCaller, ask, type Caller, logIn, ON } from './controller.ts'

const USERS = '/api/v1/users'
let server: Server
let admin: Caller
beforeAll(async () => {
  server = await startServer(ON)
  admin = await addCaller(server.folders, 'administrator', 'chief')
})
afterAll(() => server?.close())

const as = (method: string, path: string, json?: unknown) =>
  ask(server.url, method, path, { bearer: admin.token, ...(json !== undefined && { json }) })

describe('a path of this surface that is refused before it is routed', () => {
  it.each(['tank%2F..%2Fx', '..', '%2e%2e', 'a;b', '%00', 'a%252Fb', '%C0%AF', '%2F', '/x'])(
    'is answered in this surface’s words: %s',
    async (name) => {
      for (const collection of ['/api/v1/datasets', USERS]) {
        const { status, json } = await as('GET', `${collection}/${name}`)
        expect([status, json.code]).toEqual([400, 'BAD_REQUEST'])
      }
    },
  )

  it('is somebody’s with a line separator in it: refused like any other name', async () => {
    for (const name of ['%E2%80%A8', 'a%E2%80%A9b']) {
      expect((await ask(server.url, 'GET', `${USERS}/${name}`)).status).toBe(401)
      expect((await as('GET', `${USERS}/${name}`)).json.code).toBe('VALIDATION_ERROR')
    }
  })
})

describe('the audit log', () => {
  it('takes no 15 KB of a stranger’s path', async () => {
    await ask(server.url, 'GET', `${USERS}/${'A'.repeat(15_000)}`)
    const line = server.audit().at(-1) ?? ''
    expect(line).toContain('auth.unauthorized')
    expect(line.length).toBeLessThan(600)
  })
})

describe('edge-admin user reset beside the server', () => {
  const reset = (name: string) =>
    new Promise<string>((resolve) => {
      const args = [join(installation(), 'edge-admin.js'), 'user', 'reset', name, '--statedir', server.folders.state]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      let out = ''
      child.stdout.on('data', (chunk) => {
        out += chunk
      })
      child.once('close', () => resolve(out.trim()))
    })

  it('loses no change of either: every password that it told is in force, and every answer of the API stays true', async () => {
    const names = ['one', 'two', 'three', 'four']
    for (const name of names) await addCaller(server.folders, 'viewer', `lost-${name}`)
    const { user } = await addCaller(server.folders, 'viewer', 'changed')
    const passwords = Promise.all([...names, ...names].map((name) => reset(`lost-${name}`)))
    let done = false
    passwords.finally(() => {
      done = true
    })
    const lost: string[] = []
    for (let i = 0; !done; i++) {
      const email = `n${i}@example.org`
      expect((await as('PUT', `${USERS}/${user.id}`, { email })).status).toBe(200)
      if ((await as('GET', `${USERS}/${user.id}`)).json.email !== email) lost.push(email)
    }
    expect(lost).toEqual([])
    const told = await passwords
    for (const [i, name] of names.entries()) {
      // Of two resets of one account the later one counts.
      const answers = await Promise.all(
        [told[i], told[i + names.length]].map((one) =>
          logIn(server.url, `lost-${name}`, String(one), { from: `127.0.0.${9 + i}` }),
        ),
      )
      expect([name, answers.map(({ status }) => status).sort()]).toEqual([name, [200, 401]])
    }
  }, 120_000)
})
