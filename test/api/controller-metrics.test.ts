// GET /metrics as a Prometheus server reads it. The trap: labels are declared paths; one made of what was asked for would let a scanner fill
// the memory.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { call } from './client.ts'
import { addCaller, ON } from './controller.ts'

let appliance: InProcess
let token: string
beforeAll(async () => {
  appliance = await startAppliance(ON)
  token = (await addCaller(appliance.folders, 'viewer')).token
})
afterAll(() => appliance?.close())

const scrape = async () => {
  const answer = await call(appliance.url, 'GET', '/metrics', { headers: { authorization: `Bearer ${token}` } })
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  return answer.body
}
const value = (body: string, name: string) =>
  Number(
    body
      .split('\n')
      .find((line) => line.startsWith(`edge_admin_${name} `))
      ?.split(' ')
      .at(-1),
  )

describe('GET /metrics', () => {
  it('counts answers by declared path, method and status', async () => {
    const label = 'http_requests_total{method="GET",path="/healthz",status="200"}'
    const before = value(await scrape(), label) || 0
    for (let i = 0; i < 3; i++) expect((await call(appliance.url, 'GET', '/healthz')).status).toBe(200)
    expect(value(await scrape(), label)).toBe(before + 3)
  })

  it('has one label for all that is not there, whatever was asked for', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => call(appliance.url, 'GET', `/api/v1/pools-${i}`)))
    const lines = (await scrape()).split('\n').filter((line) => line.includes('path=""'))
    expect(lines.filter((line) => line.startsWith('edge_admin_http_requests_total'))).toHaveLength(1)
    expect(lines.join()).not.toContain('pools-')
  })

  it('counts tasks by kind and end, and audit entries', async () => {
    const ended = 'tasks_ended_total{kind="logs",status="completed"}'
    const before = await scrape()
    const started = appliance.app.tasks.start('logs', { by: { name: 'admin', address: 'local' } })
    await appliance.app.tasks.wait(started!.id)
    await call(appliance.url, 'POST', '/api/v1/users', { headers: { authorization: 'Bearer x' }, body: '{}' })
    const after = await scrape()
    expect(value(after, ended) - (value(before, ended) || 0)).toBe(1)
    expect(value(after, 'audit_entries_total') - value(before, 'audit_entries_total')).toBe(1)
  })

  it('is there for anyone only where the configuration says so', async () => {
    expect((await call(appliance.url, 'GET', '/metrics')).status).toBe(401)
    const open = await startAppliance({ config: { surfaces: { controller: { enabled: true, metrics: 'public' } } } })
    try {
      expect((await call(open.url, 'GET', '/metrics')).status).toBe(200)
    } finally {
      await open.close()
    }
  })
})
