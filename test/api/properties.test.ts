// Generated requests: whatever is sent, an answer is one that the endpoint declares, and never a fault of ours. Task
// scripts are replaced by nothing here, so that 5xx would be the server's own.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Configuration } from '../../src/config.ts'
import { OPTIONAL_ENDPOINTS } from '../../src/endpoint-names.ts'
import { adminEndpoints as declared } from '../../src/surfaces/admin/endpoints.ts'
import { runs } from '../harness/fuzz.ts'
import { type InProcess, startAppliance, TOKEN, temporaryFolder } from './appliance.ts'
import { call, hashOf, multipart, type Part, PREFIX, until } from './client.ts'

/** What the sample appliance has: two pages are the console's there. */
const sample = Configuration.parse({ endpoints: [...OPTIONAL_ENDPOINTS] })
const adminEndpoints = declared.filter(({ enabled }) => enabled?.(sample) ?? true)

let appliance: InProcess
beforeAll(async () => {
  const scripts = temporaryFolder()
  for (const kind of 'update logs debug reboot settings storage certs license backup restore'.split(' ')) {
    const text = `#!/bin/sh
printf '{"id":"%s","kind":"${kind}","status":"completed","progress":100,"message":"","created_at":"x"}' "\${2##*/}" >"$2/status.json"\n`
    writeFileSync(join(scripts, `${kind}.sh`), text)
    chmodSync(join(scripts, `${kind}.sh`), 0o755)
  }
  appliance = await startAppliance({ scripts, config: { limits: { 'idle-seconds': 1 } } })
})
afterAll(() => appliance?.close())

/** What every endpoint may answer besides what it declares: the surface's own refusals. */
const COMMON = [400, 403, 404, 405, 408, 409, 413, 415, 429]

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '0', 'START', TOKEN),
)
const NAMES =
  'token hash update settings storage public private ca license action archive newtoken wait v __proto__ constructor x'.split(
    ' ',
  )
const name = fc.oneof(fc.constantFrom(...NAMES), text)

/** The token, and what is nearly it. */
const secret = fc.constantFrom(TOKEN, TOKEN, `${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), ` ${TOKEN}`)
const TOKEN_PART = fc.record({
  name: fc.constant('token'),
  value: secret,
  filename: fc.constant<string | undefined>(undefined),
})

/** Whether this names the administrator: a hash that is not empty decides alone; the query's words stand before the form's; and of a
 * form counts what it says before its first file. */
function isKnown(query: Record<string, string>, signed: boolean, form: Part[]): boolean {
  const file = form.findIndex(({ filename }) => filename !== undefined)
  const texts = file < 0 ? form : form.slice(0, file)
  const said = Object.fromEntries(texts.map(({ name, value }) => [name, String(value)]))
  const { token, hash } = { ...said, ...query }
  return signed || (!hash && token === TOKEN)
}

describe('SEC-06 generated requests', () => {
  it('get an answer that is declared, and never a 5xx', async () => {
    const part = fc.record({ name, value: text, filename: fc.option(text, { nil: undefined }) })
    let byToken = 0
    const request = fc.record({
      endpoint: fc.constantFrom(...adminEndpoints),
      method: fc.oneof(
        { weight: 5, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE') },
      ),
      query: fc.oneof(
        { weight: 6, arbitrary: fc.dictionary(name, text, { maxKeys: 3 }) },
        fc.record({ token: secret, hash: text }, { requiredKeys: ['token'] }),
      ),
      signed: fc.boolean(),
      form: fc.option(fc.array(fc.oneof({ weight: 6, arbitrary: part }, TOKEN_PART), { maxLength: 4 }), {
        nil: undefined,
      }),
      suffix: fc.constantFrom('', '', '', '/', '//', '/%2e', 'x'),
    })
    await fc.assert(
      fc.asyncProperty(request, async ({ endpoint, method = endpoint.method, query, signed, form, suffix }) => {
        // The token must stay what it is, and a wrong one costs two seconds here.
        if (endpoint.id === 'setUp' && (!signed || 'token' in query || 'hash' in query)) return
        appliance.app.backOff.succeed('127.0.0.1')
        const parts =
          method === 'GET' ? undefined : form?.filter(({ name }) => !(endpoint.id === 'setUp' && name === 'newtoken'))
        const wellFormed = Object.fromEntries(
          Object.entries(query)
            .filter(([key]) => !(endpoint.id === 'setUp' && key === 'newtoken') && key !== 'wait')
            .map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value).toString()]),
        )
        const answer = await call(appliance.url, method, endpoint.path + suffix, {
          query: wellFormed,
          ...(signed && { sign: TOKEN }),
          ...(parts && { form: parts }),
        })
        const taken = adminEndpoints.find((one) => one.path === endpoint.path && one.method === method)
        const known = isKnown(wellFormed, signed, taken?.form ? (parts ?? []) : [])
        expect([200, 202, ...COMMON, ...(endpoint.errors ?? [])]).toContain(answer.status)
        expect(answer.status).toBeLessThan(500)
        expect(answer.headers['x-content-type-options']).toBe('nosniff')
        if (answer.status >= 400) expect(JSON.parse(answer.body)).toHaveProperty('Status')
        if (known) expect(answer.status).not.toBe(403)
        else if (endpoint.permission !== 'public') expect(answer.status).toBeGreaterThanOrEqual(400)
        if (known && !signed && answer.status < 300 && endpoint.permission !== 'public') byToken += 1
      }),
      { numRuns: runs(1500) },
    )
    expect(byToken).toBeGreaterThan(0)
  })
})

describe('SEC-15 the multipart reader', () => {
  const path = `${PREFIX}/settings`
  const good = multipart([
    {
      name: 'settings',
      filename: 'settings.json',
      value: '{"network":{"interface":"eth0","hostname":"abc"},"app":{}}',
    },
  ])
  const mutation = fc.oneof(
    fc.record({ at: fc.nat(good.body.length - 1), byte: fc.nat(255), cut: fc.constant(0) }),
    fc.record({ at: fc.nat(good.body.length - 1), byte: fc.constant(-1), cut: fc.integer({ min: 1, max: 40 }) }),
  )
  const mutate = (body: Buffer, changes: { at: number; byte: number; cut: number }[]) =>
    changes.reduce((bytes, { at, byte, cut }) => {
      const i = Math.min(at, bytes.length)
      if (byte < 0) return Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + cut)])
      return Buffer.concat([bytes.subarray(0, i), Buffer.from([byte]), bytes.subarray(i + 1)])
    }, body)

  const clean = () => until('nothing is left of an upload', () => appliance.incoming().length === 0)
  const send = (body: Buffer, known: boolean) =>
    call(appliance.url, 'POST', path, {
      body,
      headers: { 'content-type': good.type },
      hash: known ? hashOf(TOKEN, 'POST', path) : 'wrong',
    })

  it('takes the body that is not changed', async () => {
    expect((await send(good.body, true)).status).toBe(202)
  })

  it('answers every mutation with what is declared, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (changes) => {
        const { status } = await send(mutate(good.body, changes), true)
        expect([202, 400, 409, 413]).toContain(status)
        await clean()
      }),
      { numRuns: runs(700) },
    )
  })

  it('answers every body of random bytes with a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, framed) => {
        const body = framed ? Buffer.concat([Buffer.from('--edge-admin-test-boundary\r\n'), bytes]) : Buffer.from(bytes)
        expect((await send(body, true)).status).toBe(400)
        await clean()
      }),
      { numRuns: runs(400) },
    )
  })

  it('stores nothing of anybody who is not known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { maxLength: 4 }), async (changes) => {
        appliance.app.backOff.succeed('127.0.0.1')
        const before = appliance.app.tasks.list().length
        const { status } = await send(mutate(good.body, changes), false)
        expect([400, 403, 413]).toContain(status)
        expect(appliance.incoming()).toEqual([])
        expect(appliance.app.tasks.list().length).toBe(before)
      }),
      { numRuns: runs(400) },
    )
  })
})
