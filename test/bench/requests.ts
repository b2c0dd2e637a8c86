// Requests a second, latency and processor time of `GET /version`: ours, and two references, in rounds that take turns.
import { type Served, sign } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, run } from './processes.ts'

export interface Window {
  /** Microseconds of the server's processor time for each request. */
  cpu: number
  rate: number
  p50: number
  p99: number
}

export interface Loader {
  wrk: boolean
  /** Our own client, bundled. */
  client: string
}

/** Lets `connections` clients ask for `seconds`, and counts what that cost the server. */
export async function load(
  { wrk, client }: Loader,
  server: Served,
  path: string,
  connections: number,
  seconds = 1,
): Promise<Window> {
  const url = `${server.url}${path}`
  const before = cpuTime(server.pid)
  const argv = wrk
    ? ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]
    : [process.execPath, client, url, String(connections), String(seconds)]
  const text = await run(1, argv)
  const cost = cpuTime(server.pid) - before
  const { requests, failures, ms, p50, p99 } = wrk ? readWrk(text) : JSON.parse(text)
  if (failures > 0) throw new Error(`${url}: ${failures} answers were not 200`)
  return { cpu: cost / requests, rate: (requests / ms) * 1000, p50, p99 }
}

function readWrk(text: string) {
  const number = (pattern: RegExp) => pattern.exec(text)?.[1] ?? '0'
  const time = (pattern: RegExp) => {
    const [, value, unit] = pattern.exec(text) ?? []
    return Number(value) * (unit === 'us' ? 0.001 : unit === 's' ? 1000 : 1)
  }
  return {
    requests: Number(number(/(\d+) requests in/)),
    failures: Number(number(/Non-2xx or 3xx responses: (\d+)/)),
    ms: time(/requests in ([\d.]+)(ms|s)/),
    p50: time(/50%\s+([\d.]+)(us|ms|s)/),
    p99: time(/99%\s+([\d.]+)(us|ms|s)/),
  }
}

/** Requests after which V8 has compiled what a request runs through; on a busy machine that takes more than seconds. */
const WARM = 40_000

async function warm(loader: Loader, server: Served, path: string): Promise<void> {
  for (let asked = 0; asked < WARM; ) asked += (await load(loader, server, path, 64, 2)).rate * 2
}

export async function measureRequests(
  loader: Loader,
  servers: Record<'ours' | 'json' | 'hmac', Served>,
  rounds: number,
) {
  const names = ['json', 'hmac', 'ours'] as const
  const path = sign('GET', '/version')
  for (const name of names) await warm(loader, servers[name], path)
  for (const connections of [1, 16, 64]) {
    const windows: Record<(typeof names)[number], Window[]> = { json: [], hmac: [], ours: [] }
    for (let round = 0; round < rounds; round++)
      for (const name of names) windows[name].push(await load(loader, servers[name], path, connections))
    const middle = (name: (typeof names)[number], field: keyof Window) => median(windows[name].map((one) => one[field]))
    // Each round's own ratio: what the neighbors do in it, they do to both.
    const ratio = (name: 'json' | 'hmac') =>
      median(windows.ours.map(({ cpu }, i) => cpu / (windows[name][i]?.cpu ?? 1)))
    const all = (field: keyof Window) => `${few(middle('ours', field))} (${few(middle('json', field))})`
    const last = connections === 64
    report(
      `GET /version @${connections}: CPU ÷ bare JSON`,
      `${few(ratio('json'))}x, ${few(middle('ours', 'cpu'))} us (${few(middle('json', 'cpu'))} us)`,
      last ? '<= 2.0x, <= 35 us' : '',
      last ? ratio('json') <= 2 && middle('ours', 'cpu') <= 35 : undefined,
    )
    report(
      '  CPU ÷ bare HMAC; req/s, p50, p99 ms (bare JSON)',
      `${few(ratio('hmac'))}x; ${all('rate')}, ${all('p50')}, ${all('p99')}`,
      last ? '>= 25000 req/s' : '',
      last ? middle('ours', 'rate') >= 25_000 : undefined,
    )
  }
}
