// The first run in the browser: token and password in one step. Whoever merely came first must not take what the owner
// has already.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type InProcess, type Options, type Server, startAppliance, startServer, TOKEN } from './appliance.ts'
import { browser, cookieOf, signIn } from './console.ts'
import { ask, logIn, ON, oneTimePassword } from './controller.ts'

const PASSWORD = 'my-own-1-word'
const PHRASED = { ...ON, token: null }
const open = (controller: boolean): Options => ({
  token: null,
  config: { 'first-run': { enabled: false }, surfaces: { controller: { enabled: controller } } },
})

let appliance: InProcess | Server | undefined
afterEach(async () => {
  await appliance?.close()
  appliance = undefined
})
const start = async (options: Options) => {
  const started = await startAppliance(options)
  appliance = started
  return started
}
const phraseOf = ({ folders }: Pick<InProcess, 'folders'>) =>
  readFileSync(join(folders.root, 'etc/api.token.setup'), 'utf8').trim()
const state = async ({ url }: Pick<InProcess, 'url'>) => (await ask(url, 'GET', '/console/session')).json.first_run
const run = ({ url }: Pick<InProcess, 'url'>, json: unknown, from?: string) =>
  ask(url, 'POST', '/console/first-run', { json, ...(from && { from }) })

describe('the first run with a phrase', () => {
  it('sets token and password, ends the one-time ones, and signs in', async () => {
    const one = await start(PHRASED)
    expect(await state(one)).toEqual({ phrase: true, password: true })
    const once = oneTimePassword(one.folders)
    const answer = await run(one, { phrase: ` ${phraseOf(one)}\n`, token: TOKEN, password: PASSWORD })
    expect([answer.status, answer.json.first_run, answer.json.session]).toMatchObject([
      201,
      null,
      { name: 'admin', role: 'administrator', via: 'account', one_time: false },
    ])
    const me = browser(one.url, cookieOf(answer), answer.json.session.csrf)
    expect((await me.ask('GET', '/api/v1/users')).status).toBe(200)
    expect((await one.call('GET', '/version')).status).toBe(200)
    expect((await logIn(one.url, 'admin', once)).status).toBe(401)
    expect((await logIn(one.url, 'admin', PASSWORD)).status).toBe(200)
    expect([await state(one), one.read(join(one.folders.state, 'admin.password'))]).toEqual([null, ''])
    const again = await run(one, { phrase: 'a-b-c-d', token: 'another', password: PASSWORD })
    expect([again.status, again.json]).toEqual([409, { code: 'CONFLICT', message: 'Set-up has been done already' }])
    expect(one.audit().filter((line) => line.includes('console/first-run'))).toHaveLength(1)
  })

  it('takes no other, and makes who guesses wait', async () => {
    const one = await start(PHRASED)
    const wrong = { phrase: 'not-the-right-one', token: TOKEN, password: PASSWORD }
    const began = performance.now()
    const { status, json } = await run(one, wrong, '127.0.0.9')
    expect([status, json.message, performance.now() - began > 1900]).toEqual([403, 'This is not the phrase', true])
    one.app.backOff.save()
    expect(one.read(join(one.folders.state, 'back-off.json'))).toContain('["127.0.0.9",1,')
    for (let i = 0; i < 12; i++) one.app.backOff.fail('127.0.0.9')
    const right = { ...wrong, phrase: phraseOf(one) }
    const waiting = await run(one, right, '127.0.0.9')
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([429, expect.stringMatching(/^[1-9]/)])
    expect((await run(one, { token: TOKEN, password: PASSWORD })).status).toBe(403)
    expect((await run(one, right)).status).toBe(201)
  })

  it('changes nothing when anything of it is wrong', async () => {
    const one = await start(PHRASED)
    const phrase = phraseOf(one)
    const users = one.read(join(one.folders.state, 'users.json'))
    const cases: [object, string | undefined][] = [
      [{ phrase, token: '', password: PASSWORD }, undefined],
      [{ phrase, token: 'with a blank', password: PASSWORD }, undefined],
      [{ phrase, token: phrase, password: PASSWORD }, 'token'],
      [{ phrase, token: TOKEN, password: 'short' }, 'password'],
      [{ phrase, token: TOKEN }, 'password'],
      [{ phrase, token: TOKEN, password: PASSWORD, role: 'administrator' }, 'role'],
    ]
    for (const [json, details] of cases) {
      const answer = await run(one, json)
      expect([json, answer.status, answer.json.details]).toEqual([json, 400, details])
    }
    expect([one.read(join(one.folders.state, 'users.json')), phraseOf(one)]).toEqual([users, phrase])
    expect(await state(one)).toEqual({ phrase: true, password: true })
  })

  it('SEC-12 is won by exactly one', async () => {
    const one = await start(PHRASED)
    const phrase = phraseOf(one)
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => run(one, { phrase, token: `token-${i}`, password: `password-${i}` })),
    )
    const won = answers.findIndex(({ status }) => status === 201)
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)])
    expect((await logIn(one.url, 'admin', `password-${won}`)).status).toBe(200)
    expect((await one.call('GET', '/version', { token: `token-${won}` })).status).toBe(200)
  })

  it('gives nobody in by the phrase alone', async () => {
    const one = await start(PHRASED)
    const answer = await ask(one.url, 'POST', '/console/session', { json: { token: phraseOf(one) } })
    expect([answer.status, answer.json.message]).toEqual([409, 'Set-up comes first'])
  })

  it('is done again after a crash between the password and the token', async () => {
    const first = await startServer({ ...PHRASED, environment: { EDGE_FAULT: 'first-run-password-set=kill' } })
    const secrets = { phrase: phraseOf(first), token: TOKEN, password: PASSWORD }
    await expect(run(first, secrets)).rejects.toThrow()
    await first.kill('SIGKILL')
    const second = await first.again({ environment: {} })
    appliance = second
    expect(await state(second)).toEqual({ phrase: true, password: true })
    expect((await run(second, { ...secrets, password: 'another-1-word' })).status).toBe(201)
    expect((await logIn(second.url, 'admin', PASSWORD)).status).toBe(401)
    expect((await logIn(second.url, 'admin', 'another-1-word')).status).toBe(200)
  })
})

describe('the first run of an appliance that is open', () => {
  it('sets the password as long as it is the one-time one', async () => {
    const one = await start(open(true))
    expect(await state(one)).toEqual({ phrase: false, password: true })
    const answer = await run(one, { token: TOKEN, password: PASSWORD })
    expect([answer.status, answer.json.session.via]).toEqual([201, 'account'])
    expect((await logIn(one.url, 'admin', PASSWORD)).status).toBe(200)
  })

  it('gives nobody the account of whoever has a password already', async () => {
    const one = await start(open(true))
    const { json } = await logIn(one.url, 'admin', oneTimePassword(one.folders))
    const bearer = json.token
    const change = { current: oneTimePassword(one.folders), password: PASSWORD }
    expect((await ask(one.url, 'PUT', '/api/v1/auth/password', { bearer, json: change })).status).toBe(200)
    expect(await state(one)).toEqual({ phrase: false, password: false })
    const taken = await run(one, { token: TOKEN, password: 'not-yours-1' })
    expect([taken.status, taken.json.details]).toEqual([400, 'password'])
    const answer = await run(one, { token: TOKEN })
    expect([answer.status, answer.json.session]).toMatchObject([201, { via: 'token', name: 'admin' }])
    const me = browser(one.url, cookieOf(answer), answer.json.session.csrf)
    expect((await me.ask('GET', '/api/v1/users')).status).toBe(401)
    expect((await logIn(one.url, 'admin', PASSWORD)).status).toBe(200)
  })

  it('takes the token alone where there are no accounts', async () => {
    const one = await start(open(false))
    expect(await state(one)).toEqual({ phrase: false, password: false })
    expect((await run(one, { token: TOKEN })).status).toBe(201)
    await signIn(one.url, { token: TOKEN })
    const accounts = await ask(one.url, 'POST', '/console/session', { json: { username: 'admin', password: 'x' } })
    expect(accounts.status).toBe(400)
  })
})
