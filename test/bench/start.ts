// From the start of the process to its first answer, and what it then occupies: the bundle, a bare server, and node alone.
import { type Appliance, firstAnswer, type Served } from './appliance.ts'
import { configured } from './controller.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, memory, run, start, stop } from './processes.ts'

interface Begun {
  cpu: number
  wall: number
  resident: number
}

async function look({ child, pid, started }: Served): Promise<Begun> {
  const cpu = cpuTime(pid) / 1000
  await new Promise((resolve) => setTimeout(resolve, 300))
  const resident = memory(pid, 'VmRSS')
  await stop(child)
  return { cpu, wall: started, resident }
}

/** node that does nothing, seen when its script begins. */
async function nothing(): Promise<Begun> {
  const begun = performance.now()
  const child = start(0, [process.execPath, '-e', 'process.stdout.write("x"); setInterval(() => {}, 1e6)'])
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  return look({ child, pid: child.pid ?? 0, url: '', started: performance.now() - begun })
}

/** Milliseconds of processor time of a whole `node -e 0`, its end included: of eight, since `times` counts in ticks. */
async function wholeLife(): Promise<number> {
  const loop = 'i=0; while [ $i -lt 8 ]; do "$0" -e 0; i=$((i + 1)); done; times'
  const children = (await run(0, ['sh', '-c', loop, process.execPath])).trim().split('\n').at(-1) ?? ''
  const times = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
  return (times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0) * 1000) / 8
}

export async function measureStart(appliance: Appliance, bare: (port: number) => string[], rounds: number) {
  // The sample has the controller surface on. The very first start makes the first account.
  const off = configured(appliance, { surfaces: { controller: { enabled: false } } })
  await stop((await appliance.serve(false)).child)
  const kinds = {
    node: nothing,
    bare: async () => look(await firstAnswer(bare)),
    ours: async () => look(await appliance.serve(false)),
    off: async () => look(await appliance.serve(false, off)),
  }
  const seen: Record<keyof typeof kinds, Begun[]> = { node: [], bare: [], ours: [], off: [] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['node', 'bare', 'ours', 'off'] as const) seen[kind].push(await kinds[kind]())
  }
  const middle = (kind: keyof typeof kinds, field: keyof Begun) => median(seen[kind].map((one) => one[field]))
  const all = (field: keyof Begun) =>
    `${few(middle('ours', field))} (bare server ${few(middle('bare', field))}, node alone ${few(middle('node', field))})`
  const life = await wholeLife()
  const ratio = middle('ours', 'cpu') / life
  report(
    'start to first answer, CPU ÷ a whole `node -e 0`',
    `${few(ratio)}x (${few(life)} ms)`,
    '<= 2.4x, <= 140 ms',
    ratio <= 2.4 && middle('ours', 'cpu') <= 140,
  )
  report('  CPU ms until it answers or runs', all('cpu'))
  report('  wall ms', all('wall'))
  const more = middle('ours', 'resident') - middle('bare', 'resident')
  report('  idle RSS, MB', all('resident'), '<= bare + 22', more <= 22)
  const admin = (['cpu', 'resident'] as const).map((field) => few(middle('off', field))).join(' ms, ')
  report('  without the controller surface: CPU; idle RSS', `${admin} MB`)
}
