// A big upload against a server that only pipes to a file. Ours is on the disk's surface when it answers, so the
// reference is measured both with and without an fsync. The garbage we send fails as an update, and the next round
// waits for that failure.
import { get, type Served, sign } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { cpuTime, forgetPeak, memory, run } from './processes.ts'
import { type Loader, load } from './requests.ts'

interface Options {
  folder: string
  megabytes: number
  loader: Loader
  ours: Served
  bare: Served
  rounds: number
}

interface Sent {
  seconds: number
  cpu: number
}

async function send(server: Served, argv: string[]): Promise<Sent> {
  const before = cpuTime(server.pid)
  const out = await run(1, ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', ...argv])
  const [status, seconds] = out.split(' ')
  if (!status?.startsWith('20')) throw new Error(`${argv.at(-1)} answered ${status}`)
  return { seconds: Number(seconds), cpu: (cpuTime(server.pid) - before) / 1e6 }
}

export const sendUpdate = (server: Served, file: string): Promise<Sent> =>
  send(server, ['-F', `update=@${file}`, `${server.url}${sign('POST', '/update')}`])

export async function updateEnded(server: Served): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const { body } = await get(`${server.url}${sign('GET', '/update')}`)
    if (!body.includes('"running"') && body.includes('E1005')) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the update of the last round does not end')
}

export async function measureUploads({ folder, megabytes, loader, ours, bare, rounds }: Options): Promise<void> {
  const file = `${folder}/upload`
  await makeNoise(file, megabytes)
  const kinds = {
    plain: () => send(bare, ['-T', file, `${bare.url}/`]),
    synced: () => send(bare, ['-T', file, `${bare.url}/fsync`]),
    ours: async () => {
      const sent = await sendUpdate(ours, file)
      await updateEnded(ours)
      return sent
    },
  }
  const idle = memory(ours.pid, 'VmRSS')
  forgetPeak(ours.pid)
  const seen: Record<keyof typeof kinds, Sent[]> = { plain: [], synced: [], ours: [] }
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['plain', 'synced', 'ours'] as const) {
      seen[kind].push(await kinds[kind]())
      await run(1, ['sync'])
    }
  }
  const peak = memory(ours.pid, 'VmHWM')
  const middle = (kind: keyof typeof kinds, field: keyof Sent) => median(seen[kind].map((one) => one[field]))
  const speed = (kind: keyof typeof kinds) => median(seen[kind].map(({ seconds }) => megabytes / seconds))
  const ratio = (kind: 'plain' | 'synced') =>
    median(seen.ours.map(({ seconds }, i) => (seen[kind][i]?.seconds ?? 0) / seconds))
  report(
    `upload of ${megabytes} MB ÷ bare pipeline + fsync`,
    `${few(ratio('synced'))}x, ${few(speed('ours'))} MB/s (${few(speed('synced'))})`,
    '>= 0.8x',
    ratio('synced') >= 0.8,
  )
  report(
    '  ÷ bare pipeline, nothing synced; server CPU s',
    `${few(ratio('plain'))}x (${few(speed('plain'))} MB/s); ${few(middle('ours', 'cpu'))} (${few(middle('plain', 'cpu'))})`,
  )
  report('  peak RSS over the one before', `${few(peak - idle)} MB (${few(peak)} MB)`, '<= 40 MB', peak - idle <= 40)
  const version = sign('GET', '/version')
  const calm = await load(loader, ours, version, 1)
  // Seen from outside, while the same upload runs.
  const sending = kinds.ours()
  const during = await load(loader, ours, version, 1)
  await sending
  report(
    '  other GET meanwhile: p50 ms (idle)',
    `${few(during.p50)} (${few(calm.p50)}) = ${few(during.p50 / calm.p50)}x`,
    '<= 2x',
    during.p50 <= 2 * calm.p50,
  )
}

/** Bytes that do not compress, faster than /dev/urandom gives them. */
const NOISE = 'openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 00 -in /dev/zero 2>/dev/null'

export const makeNoise = (file: string, megabytes: number): Promise<string> =>
  run(1, ['sh', '-c', `${NOISE} | head -c ${megabytes}M >"$0"`, file])
