// Every habit that a surface can have, over real sockets: what it changes, and that without it the same request gets the usual answer.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from '../api/appliance.ts'
import { type CallOptions, call } from '../api/client.ts'
import { toy, twins } from './entry.ts'
import { type Answered, HABITS, MORE, type Row, TWELVE } from './habits.ts'

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({
    surfaces: [
      ...Object.entries(HABITS).map(([name, habit]) => toy(name, habit)),
      ...twins('claimed', { claims: true }),
      ...twins('unclaimed', { claims: false }),
    ],
  })
})
afterAll(() => appliance?.close())

/** `asked` below a surface's own path: `GET /vm?limit=1`. What has no body shows what it allows. */
async function ask(surface: string, asked: string, options?: CallOptions): Promise<Answered> {
  const [method = '', path = ''] = asked.split(' ')
  const { status, headers, body } = await call(appliance.url, method, `/toys/${surface}${path}`, options)
  if (body === '') return [status, headers.allow]
  return [status, headers['content-type'] === 'application/json' ? JSON.parse(body) : body]
}

describe.each([
  ['the twelve requests of three dialects', TWELVE],
  ['other habits', MORE],
] as const)('%s', (_name, rows: Row[]) => {
  it.each(rows)('$habit: $asked', async ({ habit, asked, options, answer, usual }) => {
    expect(await ask(habit, asked, options)).toEqual(answer)
    // Switched to its default, the habit is gone: a row that does not show it would pass here.
    const without = await ask('usual', asked, options)
    expect(without).toEqual(usual ?? answer)
    if (habit !== 'usual') expect(without).not.toEqual(answer)
  })
})

it('has a row for each habit', () => {
  const shown = new Set([...TWELVE, ...MORE].map(({ habit }) => habit))
  expect(Object.keys(HABITS).filter((habit) => !shown.has(habit as Row['habit']))).toEqual([])
})

describe('a path of two surfaces', () => {
  const form = { body: 'token=marble', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  const json = { body: '{"user":"a"}', headers: { 'content-type': 'application/json' } }

  it('is answered by the one that claims the request, and otherwise by the one that claims nothing', async () => {
    expect(await ask('claimed', 'POST /login', form)).toEqual([200, { by: 'claimed-form' }])
    expect(await ask('claimed', 'POST /login', json)).toEqual([200, { by: 'claimed-json' }])
    expect(await ask('claimed', 'POST /login')).toMatchObject([415, { fault: { kind: 'unsupported' } }])
  })

  it('is the first one’s where nobody claims anything', async () => {
    expect(await ask('unclaimed', 'POST /login', form)).toMatchObject([415, { fault: { kind: 'unsupported' } }])
    expect(await ask('unclaimed', 'POST /login', json)).toEqual([200, { by: 'unclaimed-json' }])
  })
})

describe('an answer', () => {
  it('has headers that depend on the path, and no type where it has no body', async () => {
    const { headers } = await call(appliance.url, 'GET', '/toys/usual/vm')
    expect([headers['x-toy'], headers['x-frame-options']]).toEqual(['vm', 'deny'])
    const empty = await call(appliance.url, 'DELETE', '/toys/usual/vm/one')
    expect([empty.headers['x-toy'], empty.headers['content-type'], empty.headers['content-length']]).toEqual([
      'vm',
      undefined,
      undefined,
    ])
  })

  it('to what no route took is the surface’s where its paths are, else the first one’s', async () => {
    expect(await ask('slash-refused', 'GET /vm/')).toEqual([404, 'No such toy\n'])
    expect(JSON.parse((await call(appliance.url, 'GET', '/nobody')).body)).toHaveProperty('Status')
  })
})
