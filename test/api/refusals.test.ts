// What a refused caller of the admin surface is told beside the original's words, and what counts as a guess.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type InProcess, startAppliance, TOKEN } from './appliance.ts'
import { call, hashOf, PREFIX } from './client.ts'

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({ config: { endpoints: [] } })
})
afterAll(() => appliance.close())

const path = `${PREFIX}/version`
const ask = (options: Parameters<typeof call>[3], from: string) =>
  call(appliance.url, 'GET', path, { ...options, from })

it.each([
  ['another method', hashOf(TOKEN, 'POST', path), 'POST, not for GET'],
  ['a slash at the end', hashOf(TOKEN, 'GET', `${path}/`), 'this path with a slash behind it'],
  ['the short path', hashOf(TOKEN, 'GET', '/version'), 'the path without /api/v1/admin in front of it'],
  ['a line end', hashOf(TOKEN, 'GET', `${path}\n`), 'a text with a line end behind the path'],
])('a hash of %s is named, and is no guess', async (_name, hash, rightFor) => {
  for (let i = 0; i < 12; i += 1) {
    const { status, body } = await ask({ hash }, '127.0.0.21')
    expect([status, JSON.parse(body)]).toEqual([
      403,
      {
        Status: '403 Forbidden',
        'Error-Message': 'Authentication error',
        'First-Run': false,
        errors: [{ field: 'hash', message: `This hash is right for ${rightFor}` }],
      },
    ])
  }
})

it('a wrong hash, a wrong token and none are told apart, and are guesses', async () => {
  const said = async (options: Parameters<typeof call>[3], from: string) =>
    JSON.parse((await ask(options, from)).body).errors
  expect(await said({}, '127.0.0.22')).toEqual([{ field: 'hash', message: 'Expected a hash or a token' }])
  expect(await said({ hash: '' }, '127.0.0.22')).toEqual([{ field: 'hash', message: 'Expected a hash or a token' }])
  expect(await said({ token: 'x' }, '127.0.0.22')).toEqual([{ field: 'token', message: 'This is not the token' }])
  for (let i = 0; i < 6; i += 1) await ask({ hash: hashOf('other', 'GET', path) }, '127.0.0.23')
  expect((await ask({ hash: hashOf('other', 'GET', path) }, '127.0.0.23')).status).toBe(429)
})

it('a hash in capitals is the same hash', async () => {
  expect((await ask({ hash: hashOf(TOKEN, 'GET', path).toUpperCase() }, '127.0.0.24')).status).toBe(200)
})

it('the original tells none of it', async () => {
  const original = await startAppliance({ mode: 'original', config: { endpoints: [] } })
  try {
    const { body } = await call(original.url, 'GET', path, { hash: hashOf(TOKEN, 'POST', path) })
    expect(Object.keys(JSON.parse(body))).not.toContain('errors')
  } finally {
    await original.close()
  }
})
