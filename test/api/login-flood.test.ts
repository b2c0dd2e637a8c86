// SEC-10: guesses from many addresses on a running server. Some of them still wait for their turn when the test ends,
// and are audited then.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { addCaller, ask, logIn, ON, PASSWORD } from './controller.ts'

const USERS = '/api/v1/users'
let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance(ON)
  await addCaller(appliance.folders, 'administrator', 'chief')
})
afterAll(() => appliance?.close())

describe('SEC-10 failed logins', () => {
  it('from many addresses make neither the owner wait where he was before, nor keep him out where he was not', async () => {
    const owner = await addCaller(appliance.folders, 'viewer', 'popular')
    const from = '127.0.6.1'
    expect((await ask(appliance.url, 'GET', USERS, { bearer: owner.token, from })).status).toBe(200)
    const guesses = Array.from({ length: 40 }, (_, i) =>
      // Some are still waiting when the server stops.
      logIn(appliance.url, 'popular', 'wrong-1-word', { from: `127.4.0.${i + 1}` }).catch(
        () => new Promise<never>(() => {}),
      ),
    )
    // Some of those that arrived together get no turn, and the first of them hear of it at once.
    const first = await Promise.race(
      guesses.map(async (guess) => ((await guess).status === 429 ? guess : new Promise<never>(() => {}))),
    )
    expect([first.headers['retry-after'], first.json.message]).toEqual([
      expect.stringMatching(/^[1-4]$/),
      expect.stringMatching(/^Too many failed logins\. Try again in (?:1 second|[234] seconds)$/),
    ])
    expect((await logIn(appliance.url, 'POPULAR', PASSWORD, { from })).status).toBe(200)
    expect((await logIn(appliance.url, 'chief', PASSWORD, { from: '127.4.0.99' })).status).toBe(200)
    const { status, headers } = await logIn(appliance.url, 'popular', PASSWORD, { from: '127.0.6.2' })
    expect([status, headers['retry-after']]).toEqual([200, undefined])
  })
})
