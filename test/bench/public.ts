// What a stranger's request costs the server's one thread: every page that needs no credentials, after its first answer; and how long everybody
// else waits while an archive of 200 000 entries is screened.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { DEPTH, screenArchive } from '../../src/features/backup/archive.ts'
import { END, header } from '../unit/tar-builder.ts'
import type { Served } from './appliance.ts'
import { few, report } from './numbers.ts'
import { type Loader, load } from './requests.ts'

const PAGES = ['/', '/docs', '/docs/API.html', '/docs/ui.css', '/console/app.js', '/api/v1/admin/openapi.json']
const ENTRIES = 200_000

export async function measurePublic(loader: Loader, ours: Served): Promise<void> {
  const costs: { path: string; cpu: number }[] = []
  for (const path of PAGES) {
    await load(loader, ours, path, 4, 1)
    costs.push({ path, cpu: (await load(loader, ours, path, 16)).cpu })
  }
  const [dearest = { path: '', cpu: 0 }] = costs.sort((a, b) => b.cpu - a.cpu)
  report(
    'public GETs: CPU of the dearest',
    `${few(dearest.cpu)} us, ${dearest.path}`,
    '<= 1000 us',
    dearest.cpu <= 1000,
  )
}

export async function measureScreening(): Promise<void> {
  function* archive() {
    for (let i = 0; i < ENTRIES; i += 128)
      yield Buffer.concat(
        Array.from({ length: Math.min(128, ENTRIES - i) }, (_, j) => header({ name: `data/${i + j}` })),
      )
    yield END
  }
  const chunks = [...archive()]
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const begun = performance.now()
  delay.enable()
  await screenArchive(Readable.from(chunks), { entries: ENTRIES * 2, bytes: 1, depth: DEPTH })
  delay.disable()
  const longest = delay.max / 1e6
  report(
    `screening ${ENTRIES} entries: longest wait of others`,
    `${few(longest)} ms (${few((performance.now() - begun) / 1000)} s in all)`,
    '<= 100 ms',
    longest <= 100,
  )
}
