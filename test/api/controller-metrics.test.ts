// GET /metrics as a Prometheus server reads it. Labels are declared paths; one made of what was asked for would let a
// scanner fill the memory.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run as edgeAdmin } from '../../src/cli/cli.ts'
import { type InProcess, startAppliance } from './appliance.ts'
import { call } from './client.ts'
import { addCaller, ON } from './controller.ts'
import { FAKES_ONLY, REAL, startStorage, type World } from './storage-world.ts'

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
    const started = await appliance.app.tasks.start('logs', { by: { name: 'admin', address: 'local' } })
    await appliance.app.tasks.wait(started!.id)
    await call(appliance.url, 'POST', '/api/v1/users', { headers: { authorization: 'Bearer x' }, body: '{}' })
    const after = await scrape()
    expect(value(after, ended) - (value(before, ended) || 0)).toBe(1)
    expect(value(after, 'audit_entries_total') - value(before, 'audit_entries_total')).toBe(1)
  })

  it('tells how long answers took, by declared path, in buckets that hold all that were quicker', async () => {
    for (let i = 0; i < 3; i++) await call(appliance.url, 'GET', '/healthz')
    const body = await scrape()
    const lines = body.split('\n').filter((line) => line.startsWith('edge_admin_http_request_duration_seconds'))
    const own = lines.filter((line) => line.includes('method="GET",path="/healthz"'))
    const counts = own.filter((line) => line.includes('_bucket')).map((line) => Number(line.split(' ').at(-1)))
    expect(counts).toHaveLength(8)
    expect(counts).toEqual([...counts].sort((one, other) => one - other))
    const total = value(body, 'http_requests_total{method="GET",path="/healthz",status="200"}')
    expect(counts.at(-1)).toBe(total)
    expect(value(body, 'http_request_duration_seconds_count{method="GET",path="/healthz"}')).toBe(total)
    expect(lines.join()).not.toContain('pools-')
  })

  it('has the numbers of the process', async () => {
    const body = await scrape()
    const number = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1])
    expect(number('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(number('process_cpu_seconds_total')).toBeGreaterThan(0.1)
    expect(number('process_open_fds')).toBeGreaterThan(3)
    expect(number('nodejs_eventloop_lag_seconds')).toBeGreaterThan(0)
    expect(Math.abs(number('process_start_time_seconds') - performance.timeOrigin / 1000)).toBeLessThan(1)
  })

  it('is what promtool takes', async (context) => {
    const body = await scrape()
    const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: body,
      encoding: 'utf8',
    })
    if (error) return context.skip('promtool is not installed (Debian: prometheus)')
    expect([status, stdout, stderr]).toEqual([0, '', ''])
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

describe.skipIf(REAL)(`the numbers of the disks ${FAKES_ONLY}`, () => {
  let world: World<InProcess>
  let now = Date.now()
  beforeAll(async () => {
    world = await startStorage({ disks: 3, now: () => now })
    world.fakes?.change(({ disks }) => {
      const smart = (protocol: string, more: object) => ({
        ...{ smartctl: { exit_status: 0 }, device: { protocol }, smart_status: { passed: true } },
        ...{ temperature: { current: 41 }, power_on_time: { hours: 100 } },
        ...more,
      })
      const raw = (id: number, value: number) => ({ id, raw: { value } })
      const ata = { ata_smart_attributes: { table: [raw(5, 4), raw(197, 2), raw(198, 0)] } }
      const nvme = { nvme_smart_health_information_log: { percentage_used: 12, media_errors: 0 } }
      Object.assign(disks['/dev/fake1']!, { links: ['/dev/disk/by-id/fake-A'], smart: smart('ATA', ata) })
      Object.assign(disks['/dev/fake2']!, { links: ['/dev/disk/by-id/fake-B'], smart: smart('NVMe', nvme) })
      Object.assign(disks['/dev/fake3']!, { links: ['/dev/disk/by-id/fake-C'], asleep: true })
    })
  })
  afterAll(() => world?.close())
  const lines = async () => {
    const { body } = await call(world.appliance.url, 'GET', '/metrics', { headers: { authorization: bearer() } })
    return body.split('\n').filter((line) => line.startsWith('edge_admin_disk_'))
  }
  const bearer = () => `Bearer ${world.tokens.viewer}`

  it('are those that were last read, by the name of the disk, and a scrape asks no disk', async () => {
    expect(await lines()).toEqual([])
    await world.ask('GET', '/disks')
    const calls = world.fakes!.calls().filter((line) => JSON.stringify(line).includes('smartctl')).length
    const found = await lines()
    now += 3_600_000
    expect(await lines()).toEqual(found)
    expect(world.fakes!.calls().filter((line) => JSON.stringify(line).includes('smartctl'))).toHaveLength(calls)
    const of = (disk: string) =>
      Object.fromEntries(
        found
          .filter((line) => line.includes(`disk="fake-${disk}"`) && !line.endsWith(' 0'))
          .map((line) => [
            line.replace(/^edge_admin_disk_|disk="fake-."|,|[{}]| .*$/g, ''),
            Number(line.split(' ')[1]),
          ]),
      )
    const common = {
      power_on_seconds: 360_000,
      temperature_celsius: 41,
      checked_timestamp_seconds: (now - 3_600_000) / 1000,
    }
    expect(of('A')).toEqual({ ...common, 'healthstate="warning"': 1, reallocated_sectors: 4, pending_sectors: 2 })
    expect(of('B')).toEqual({ ...common, 'healthstate="good"': 1, wear_ratio: 0.12 })
    expect(of('C')).toEqual({ 'healthstate="standby"': 1 })
    // What falls asleep keeps its counts, and has no temperature.
    world.fakes?.change(({ disks }) => Object.assign(disks['/dev/fake1']!, { asleep: true }))
    await world.ask('GET', '/disks')
    const asleep = (await lines()).filter((line) => line.includes('"fake-A"')).join()
    expect(asleep).toMatch(/health\{disk="fake-A",state="standby"\} 1.*reallocated_sectors\{disk="fake-A"\} 4/)
    expect(asleep).not.toContain('temperature')
    expect(world.fakes?.model().disks['/dev/fake1']?.['asleep']).toBe(true)
  })
})

describe('the dashboard for Grafana', () => {
  interface Panel {
    type: string
    targets?: { expr: string }[]
    gridPos: { x: number; y: number; w: number; h: number }
  }
  const dashboard = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../etc/grafana/edge-admin.json'), 'utf8'),
  ) as {
    uid: string
    schemaVersion: number
    panels: Panel[]
    templating: { list: { name: string; type: string }[] }
  }

  it('asks for nothing that /metrics does not have', async () => {
    const types = new Map(
      [...(await scrape()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]),
    )
    const asked = dashboard.panels
      .flatMap(({ targets = [] }) => targets)
      .flatMap(({ expr }) => expr.match(/\b(?:edge_admin|process|nodejs)_\w+/g) ?? [])
    expect(asked.length).toBeGreaterThan(15)
    const known = (name: string) => types.has(name) || types.get(name.replace(/_bucket$/, '')) === 'histogram'
    expect(asked.filter((name) => !known(name))).toEqual([])
  })

  it('has what Grafana needs to import it', () => {
    expect([dashboard.uid, dashboard.schemaVersion >= 36]).toEqual(['edge-admin', true])
    expect(dashboard.templating.list.find(({ type }) => type === 'datasource')?.name).toBe('datasource')
    for (const { type, targets, gridPos } of dashboard.panels) {
      expect([type, (targets?.length ?? 0) > 0]).toEqual([type, type !== 'row'])
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
    }
  })
})

describe('the token for metrics', () => {
  const root = () => appliance.folders.root
  const run = async (...args: string[]) => {
    let out = ''
    const write = (text: string) => {
      out += text
    }
    const stream = { write } as never
    expect(
      await edgeAdmin(['token', 'metrics', '--root', root(), ...args], { stdout: stream, stderr: stream, env: {} }),
    ).toBe(0)
    return out.trim()
  }
  const status = async (bearer: string, path = '/metrics', method = 'GET') =>
    (await call(appliance.url, method, path, { headers: { authorization: `Bearer ${bearer}` } })).status

  it('reads /metrics and nothing else, until another one is made or it is removed', async () => {
    const first = await run()
    const file = join(root(), 'etc/metrics.token')
    expect([statSync(file).mode & 0o777, readFileSync(file, 'utf8').includes(first)]).toEqual([0o600, false])
    expect([await status(first), await status(`${first.slice(1)}A`)]).toEqual([200, 401])
    for (const path of ['/api/v1/users', '/api/v1/pools', '/api/v1/dashboard', '/api/v1/audit'])
      expect([path, await status(first, path)]).toEqual([path, 401])
    expect(await status(first, '/api/v1/auth/logout', 'POST')).toBe(401)
    // The appliance's own token has not been proven by it.
    expect(appliance.app.known.isKnownTo('token', '127.0.0.1')).toBe(false)
    const second = await run()
    expect([await status(first), await status(second)]).toEqual([401, 200])
    expect(await run('--remove')).toBe('the token for metrics is removed')
    expect(await status(second)).toBe(401)
    const entered = readdirSync(join(root(), 'etc/entries')).map((name) =>
      readFileSync(join(root(), 'etc/entries', name), 'utf8'),
    )
    const text = entered.join() + JSON.stringify(appliance.audit())
    for (const action of ['metrics-token.update', 'metrics-token.remove']) expect(text).toContain(action)
    expect(text).not.toContain(first)
  })
})
