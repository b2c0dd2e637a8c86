// What a server has grown to after a hundred thousand requests and an upload of a gigabyte, over what it took when it
// had just started. The peak of a process never goes down again, so this needs a server of its own.
import { ALLOCATOR, type Appliance, sign } from './appliance.ts'
import { few, report } from './numbers.ts'
import { memory, run, stop } from './processes.ts'
import { type Loader, load } from './requests.ts'
import { makeNoise, sendUpdate, updateEnded } from './upload.ts'

const REQUESTS = 100_000
const MEGABYTES = 1024

export async function measurePeak(appliance: Appliance, loader: Loader, folder: string): Promise<void> {
  const file = `${folder}/gigabyte`
  await makeNoise(file, MEGABYTES)
  const server = await appliance.serve(false, [], [], ALLOCATOR)
  await new Promise((resolve) => setTimeout(resolve, 300))
  const idle = memory(server.pid, 'VmRSS')
  let asked = 0
  while (asked < REQUESTS) asked += (await load(loader, server, sign('GET', '/version'), 64, 2)).rate * 2
  const busy = memory(server.pid, 'VmHWM')
  await sendUpdate(server, file)
  const peak = memory(server.pid, 'VmHWM')
  await updateEnded(server)
  await stop(server.child)
  await run(1, ['rm', file])
  report(
    'peak RSS after 100k requests and 1 GB, over idle',
    `${few(peak - idle)} MB (idle ${few(idle)}, after the requests ${few(busy)}, peak ${few(peak)})`,
    '<= 30 MB',
    peak - idle <= 30,
  )
}
