// GET /dashboard with one pool and with a hundred, against the `zpool list` and the `zfs list` that it needs: how many
// programs it starts, and what it takes. It also asks Samba, NFS and LIO, so next to programs that cost nothing its
// time is mostly that of starting five.
import { join } from 'node:path'
import type { Appliance } from './appliance.ts'
import { read, serveController } from './controller.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, run, stop } from './processes.ts'
import { prepare } from './stand-ins.ts'

const ROUNDS = 25
const DATASETS = 10
const POOLS = [1, 100]

export async function measureDashboard(appliance: Appliance, folder: string): Promise<void> {
  const seen: Awaited<ReturnType<typeof measure>>[] = []
  for (const pools of POOLS) seen.push(await measure(appliance, join(folder, `dashboard-${pools}`), pools))
  const all = (tell: (one: (typeof seen)[number]) => string) => seen.map(tell).join('; ')
  report(
    `GET /dashboard, ${POOLS.join(' and ')} pools: programs of ZFS that it starts`,
    all(({ started }) => started.join(', ')),
    'zfs list, zpool list',
    seen.every(({ started }) => started.join() === 'zfs list,zpool list'),
  )
  report(
    '  ÷ bare `zpool list` and `zfs list`; ms (bare)',
    all(({ ours, bare, ratio }) => `${few(ratio)}x, ${few(ours)} (${few(bare)})`),
  )
  report(
    '  server CPU ms',
    all(({ cpu }) => few(cpu)),
  )
}

async function measure(appliance: Appliance, folder: string, pools: number) {
  const names = Array.from({ length: pools }, (_, i) => `pool${i}`)
  const made = 1767225600
  const { programs, calls } = prepare(folder, {
    'zpool list': names.map((name, i) => `${name}\t1099511627776\t${i * 4096}\t1\tONLINE\t${i + 1}\n`).join(''),
    'zfs list': names
      .flatMap((name) =>
        Array.from({ length: DATASETS }, (_, i) => `${name}${i ? `/d${i}` : ''}\tfilesystem\t${made}\t4096\t1048576\n`),
      )
      .join(''),
    'testparm -s': '[global]\n\tregistry shares = Yes\n',
    'smbcontrol --timeout=5': 'PONG from pid 1\n',
    'exportfs -s': '',
    'lio read': '',
  })
  const server = await serveController(appliance, { programs })
  const bare = async () => {
    await Promise.all(['zpool', 'zfs'].map((name) => run(0, [join(programs, name), 'list'])))
  }
  const timed = async (act: () => Promise<unknown>) => {
    const begun = performance.now()
    await act()
    return performance.now() - begun
  }
  const dashboard = () => read(server, '/dashboard')
  const told = JSON.parse(await dashboard())
  if (told.storage.dataset_count !== pools * DATASETS || told.problems.length > 0)
    throw new Error(`the dashboard tells ${JSON.stringify(told)}`)
  const before = calls().length
  await dashboard()
  const started = calls()
    .slice(before)
    .map((line) => line.split(' ').slice(0, 2).join(' '))
    .filter((call) => /^z/.test(call))
    .sort()
  const rounds: { bare: number; ours: number; cpu: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const alone = await timed(bare)
    const cpu = cpuTime(server.pid)
    const ours = await timed(dashboard)
    rounds.push({ bare: alone, ours, cpu: (cpuTime(server.pid) - cpu) / 1000 })
  }
  await stop(server.child)
  const middle = (field: 'bare' | 'ours' | 'cpu') => median(rounds.map((one) => one[field]))
  const ratio = median(rounds.map(({ bare, ours }) => ours / bare))
  return { started, ratio, ours: middle('ours'), bare: middle('bare'), cpu: middle('cpu') }
}
