// kill -9 and errors at each persisted step of the accounts, on the real program. The fault is there from the server's
// start, so what is not to be hit has to exist before; where the first start itself is cut, its files are carried to
// the next appliance.
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSecret } from '../../src/auth/jwt.ts'
import { UserStore } from '../../src/auth/users.ts'
import type { Folders } from '../../src/folders.ts'
import { readJson } from '../../src/store/atomic.ts'
import { type Server, startServer } from './appliance.ts'
import { ask, logIn, ON, oneTimePassword, PASSWORD } from './controller.ts'

const USERS = '/api/v1/users'
const begun = (folders: Folders) => {
  new UserStore(folders).prepare()
  readSecret(folders)
}
const passwordFile = ({ folders }: Server) => join(folders.state, 'admin.password')
const tokenOf = async ({ url }: Server, password: string) => (await logIn(url, 'admin', password)).json.token as string

describe('a first start that is cut short', () => {
  const steps = ['accounts-password-written', 'accounts-changing', 'accounts-stored']
  test.for(steps)('at %s goes on with one administrator and the password in the file', async (step) => {
    let state = ''
    const environment = { EDGE_FAULT: `${step}=kill` }
    const prepare = (folders: Folders) => {
      state = folders.state
    }
    await expect(startServer({ ...ON, environment, prepare })).rejects.toThrow('the server ended')
    const left = oneTimePassword({ state } as Folders)
    expect(existsSync(join(state, 'users.json'))).toBe(step === 'accounts-stored')
    const server = await startServer({ ...ON, prepare: (folders) => cpSync(state, folders.state, { recursive: true }) })
    try {
      expect(oneTimePassword(server.folders)).toBe(left)
      const { json } = await ask(server.url, 'GET', USERS, { bearer: await tokenOf(server, left) })
      expect(json.map(({ username }: { username: string }) => username)).toEqual(['admin'])
    } finally {
      await server.close()
    }
  })
})

describe('a change that is cut short', () => {
  /** A server that fails at this step of `act`, and the same one afterwards. */
  async function cut(fault: string, act: (server: Server, token: string, id: string) => Promise<unknown>) {
    const environment: Record<string, string> = { EDGE_FAULT: fault }
    const server = await startServer({ ...ON, environment, prepare: begun })
    const first = oneTimePassword(server.folders)
    const token = await tokenOf(server, first)
    const answer = await act(server, token, new UserStore(server.folders).all()[0]!.id).catch(() => 'no answer')
    await server.kill('SIGKILL')
    delete environment['EDGE_FAULT']
    return { server: await server.again(), first, token, answer }
  }
  const change = (server: Server, token: string, id: string) =>
    ask(server.url, 'PUT', `${USERS}/${id}`, { bearer: token, json: { password: PASSWORD } })

  test.for(['kill', 'error'])('by %s before it is stored leaves the old password, and its file', async (fault) => {
    const { server, first, token, answer } = await cut(`accounts-changing=${fault}`, change)
    try {
      if (fault === 'error') {
        expect(answer).toMatchObject({ status: 500, json: { code: 'INTERNAL_ERROR' } })
        expect(JSON.stringify(answer)).not.toMatch(/fault at|users\.json/)
      } else expect(answer).toBe('no answer')
      expect((await ask(server.url, 'GET', USERS, { bearer: token })).status).toBe(200)
      expect((await logIn(server.url, 'admin', PASSWORD)).status).toBe(401)
      expect((await logIn(server.url, 'admin', first)).status).toBe(200)
      expect(existsSync(passwordFile(server))).toBe(true)
    } finally {
      await server.close()
    }
  })

  test('by kill after it is stored leaves the new password, and no file of the old one', async () => {
    const { server, first, token } = await cut('accounts-stored=kill', change)
    try {
      expect((await ask(server.url, 'GET', USERS, { bearer: token })).status).toBe(401)
      expect((await logIn(server.url, 'admin', first)).status).toBe(401)
      expect((await logIn(server.url, 'admin', PASSWORD)).status).toBe(200)
      expect(existsSync(passwordFile(server))).toBe(false)
    } finally {
      await server.close()
    }
  })

  test('that was answered is there after kill -9: the account, the logout, the count of failures', async () => {
    const { server, first, token } = await cut('none=kill', async (server, token) => {
      const json = { username: 'worker', password: PASSWORD, role: 'operator' }
      expect((await ask(server.url, 'POST', USERS, { bearer: token, json })).status).toBe(201)
      expect((await ask(server.url, 'POST', '/api/v1/auth/logout', { bearer: token })).status).toBe(200)
      for (let i = 0; i < 9; i++) await logIn(server.url, 'worker', 'wrong', { from: '127.0.0.7' })
      // The counters are written a tenth of a second behind.
      const file = join(server.folders.state, 'login-addresses.json')
      // Six guesses counted; the seventh to ninth were refused unheard.
      await expect.poll(() => readJson(file), { timeout: 90_000 }).toEqual([['127.0.0.7', 6, expect.any(Number)]])
    })
    try {
      // The next failure is the seventh, not the first: after it the address waits again.
      const guess = async () => (await logIn(server.url, 'worker', 'wrong', { from: '127.0.0.7' })).status
      await expect.poll(guess, { timeout: 90_000 }).toBe(401)
      expect(await guess()).toBe(429)
      expect((await ask(server.url, 'GET', USERS, { bearer: token })).status).toBe(401)
      expect((await logIn(server.url, 'worker', PASSWORD)).json.user.role).toBe('operator')
      expect((await logIn(server.url, 'admin', first)).status).toBe(200)
      expect(server.output()).not.toContain(token)
      expect(server.output()).not.toContain(first)
    } finally {
      await server.close()
    }
  })
})
