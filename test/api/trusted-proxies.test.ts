// Behind a reverse proxy: each caller waits, is limited and is written down for itself. What one stranger can send must
// not make him somebody else, and must not make somebody else wait.
import { afterEach, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { until } from './client.ts'

let appliance: InProcess
const seen: string[] = []
afterEach(() => appliance.close())
const start = (trusted: string[]) => {
  seen.length = 0
  return startAppliance({
    config: { listen: { 'trusted-proxies': trusted } },
    answered: ({ address }) => void seen.push(address),
  })
}
const ask = (forwarded: string | string[], options: object = {}) =>
  appliance.call('GET', '/version', { headers: { 'x-forwarded-for': forwarded }, ...options })
const guess = (forwarded: string) => ask(forwarded, { token: 'a wrong one' })

it('SEC-10 the wrong guesses of one caller behind a proxy make nobody else wait', async () => {
  appliance = await start(['127.0.0.1', '192.0.2.0/24'])
  for (let i = 0; i < 6; i++) await guess('203.0.113.1')
  expect((await ask('203.0.113.1')).status).toBe(429)
  expect((await ask('8.8.8.8, 203.0.113.1, 192.0.2.9')).status).toBe(429)
  expect((await ask('203.0.113.2')).status).toBe(200)
  expect((await ask('203.0.113.1, 203.0.113.2')).status).toBe(200)
  // A second line of the header goes after the first.
  expect((await ask(['203.0.113.1', '203.0.113.2'])).status).toBe(200)
  expect((await ask(['203.0.113.2', '203.0.113.1'])).status).toBe(429)
  // IPv6 waits by its /64, as it does without a proxy.
  for (let i = 0; i < 6; i++) await guess(`[2001:db8::${i + 1}]:4711`)
  expect((await ask('2001:db8::99')).status).toBe(429)
  expect((await ask('2001:db8:0:1::99')).status).toBe(200)
})

it('the audit log and the access log have the caller, and never a text that is no address', async () => {
  appliance = await start(['127.0.0.1'])
  await guess('203.0.113.7')
  await guess('<script>')
  await appliance.call('GET', '/nothing-there', { headers: { 'x-forwarded-for': '203.0.113.8' } })
  expect(seen).toEqual(['203.0.113.7', '127.0.0.1', '203.0.113.8'])
  const lines = await until('both refusals are entered', () => {
    const all = appliance.audit()
    return all.length >= 2 && all
  })
  expect(lines.filter((line) => line.includes(',203.0.113.7'))).toHaveLength(1)
  expect(lines.filter((line) => line.includes(',127.0.0.1'))).toHaveLength(1)
  expect(lines.join()).not.toContain('script')
})

it('SEC-10 nobody else can say where he comes from', async () => {
  appliance = await start(['127.0.0.1'])
  for (let i = 0; i < 6; i++) await ask(`203.0.113.${i}`, { token: 'a wrong one', from: '127.0.0.9' })
  expect((await ask('203.0.113.77', { from: '127.0.0.9' })).status).toBe(429)
  expect(new Set(seen)).toEqual(new Set(['127.0.0.9']))
  expect((await ask('127.0.0.9')).status).toBe(429)
  expect((await appliance.call('GET', '/version')).status).toBe(200)
})
