// Ten thousand snapshots through the API against the bare `zfs list`: with EDGE_REAL=1 (in the virtual machine) the
// real one, on a pool of our own; else one that prints prepared lines. That one is many times faster than any real one,
// so next to it a ratio says nothing and is not judged.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Appliance } from './appliance.ts'
import { read, serveController } from './controller.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, forgetPeak, memory, run, stop } from './processes.ts'
import { prepare } from './stand-ins.ts'

const COUNT = 10_000
const DATASETS = 50
const REAL = process.env['EDGE_REAL'] === '1'
// Emulated, one list takes two minutes.
const ROUNDS = REAL ? 3 : 21
const LIST = ['list', '-Hp', '-t', 'snapshot', '-o', 'name,used,creation']

export async function measureSnapshots(appliance: Appliance, parent: string): Promise<void> {
  const folder = join(parent, 'snapshots')
  mkdirSync(folder)
  if (!REAL) {
    const lines = Array.from(
      { length: COUNT },
      (_, i) => `tank/projects/p${i % DATASETS}@auto-${i}\t${i * 512}\t${1767225600 + i}\n`,
    )
    return measure(appliance, prepare(folder, { 'zfs list': lines.join(''), 'zpool list': '' }).programs)
  }
  const pool = `edgebench${process.pid}`
  await run(1, ['truncate', '-s', '512M', join(folder, 'disk')])
  await run(1, ['zpool', 'create', '-m', 'none', pool, join(folder, 'disk')])
  try {
    const datasets = Array.from({ length: DATASETS }, (_, i) => `${pool}/p${i}`)
    for (const dataset of datasets) await run(1, ['zfs', 'create', dataset])
    // One of each in a call: it takes no two of the same.
    for (let i = 0; i < COUNT / DATASETS; i++)
      await run(1, ['zfs', 'snapshot', ...datasets.map((dataset) => `${dataset}@auto-${i}`)])
    await measure(appliance)
  } finally {
    await run(1, ['zpool', 'destroy', pool])
  }
}

async function measure(appliance: Appliance, programs?: string): Promise<void> {
  const server = await serveController(appliance, { programs })
  const bare = [programs ? join(programs, 'zfs') : 'zfs', ...LIST]
  const timed = async (act: () => Promise<string>) => {
    const begun = performance.now()
    const text = await act()
    return { ms: performance.now() - begun, text }
  }
  const idle = memory(server.pid, 'VmRSS')
  forgetPeak(server.pid)
  await read(server, '/snapshots')
  const grown = memory(server.pid, 'VmHWM') - idle
  const rounds: { bare: number; ours: number; cpu: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await timed(() => run(0, bare))
    const cpu = cpuTime(server.pid)
    const listed = await timed(() => read(server, '/snapshots'))
    rounds.push({ bare: alone.ms, ours: listed.ms, cpu: (cpuTime(server.pid) - cpu) / 1000 })
    const [there, told] = [alone.text.split('\n').length - 1, JSON.parse(listed.text).length]
    if (there !== told || told < COUNT) throw new Error(`${told} snapshots of ${there} were listed`)
  }
  const peak = memory(server.pid, 'VmHWM')
  await stop(server.child)
  const ratio = median(rounds.map(({ bare, ours }) => ours / bare))
  const all = `${few(ratio)}x, ${few(median(rounds.map(({ ours }) => ours)))} ms (${few(median(rounds.map((one) => one.bare)))} ms)`
  if (REAL) report(`GET /snapshots, ${COUNT} of them ÷ \`zfs list\``, all, '<= 1.3x', ratio <= 1.3)
  else report(`GET /snapshots, ${COUNT} of them ÷ \`cat\` of the same`, all)
  report('  server CPU ms', few(median(rounds.map(({ cpu }) => cpu))))
  report('  peak RSS of the first list over idle', `${few(grown)} MB (idle ${few(idle)})`, '<= 20 MB', grown <= 20)
  report(`  and of ${ROUNDS} more in a row, with their garbage`, `${few(peak - idle)} MB`)
}
