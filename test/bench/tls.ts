// What TLS costs on connections that stay, and how long a new certificate takes to be served.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { type Appliance, type Served, sign } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { run, stop } from './processes.ts'
import { type Loader, load } from './requests.ts'

export async function measureTls(appliance: Appliance, loader: Loader, plain: Served, rounds: number): Promise<void> {
  const served = await appliance.serve(true)
  const path = sign('GET', '/version')
  const ratios: number[] = []
  await load(loader, served, path, 16, 2)
  for (let round = 0; round < rounds; round++) {
    const clear = await load(loader, plain, path, 16)
    ratios.push((await load(loader, served, path, 16)).cpu / clear.cpu)
  }
  report('TLS @16, connections that stay: CPU ÷ plain', `${few(median(ratios))}x`, '<= 1.4x', median(ratios) <= 1.4)
  const { times, dropped } = await swapCertificates(appliance, served, rounds)
  report(
    'certificate swap: SIGHUP to served, ms; open connections lost',
    `${few(median(times))}; ${dropped}`,
    '0 lost',
    dropped === 0,
  )
  await stop(served.child)
}

const handshake = (port: number): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => resolve(socket))
    socket.once('error', reject)
  })

async function swapCertificates({ root }: Appliance, { pid, url }: Served, rounds: number) {
  const port = Number(new URL(url).port)
  const files = ['pki/tls/private/enterprise.key', 'pki/tls/certs/enterprise.crt'].map((name) =>
    join(root, 'sysconf', name),
  )
  const open = await handshake(port)
  let lost = false
  open.once('close', () => {
    lost = true
  })
  const times: number[] = []
  let dropped = 0
  for (let round = 0; round < rounds; round++) {
    const [key = '', cert = ''] = ['key', 'crt'].map((name) => join(root, `new.${name}`))
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '9']
    await run(1, [
      'sh',
      '-c',
      'exec "$@" 2>/dev/null',
      'sh',
      'openssl',
      'req',
      '-x509',
      ...kind,
      '-subj',
      `/CN=bench-${round}`,
      '-keyout',
      key,
      '-out',
      cert,
    ])
    for (const [i, made] of [key, cert].entries()) writeFileSync(files[i] ?? '', readFileSync(made))
    const begun = performance.now()
    process.kill(pid, 'SIGHUP')
    for (let name = ''; name !== `bench-${round}`; ) {
      const socket = await handshake(port)
      name = String(socket.getPeerCertificate().subject.CN)
      socket.destroy()
      if (performance.now() - begun > 5000) throw new Error('the new certificate is not served')
    }
    times.push(performance.now() - begun)
  }
  if (lost) dropped += 1
  open.destroy()
  return { times, dropped }
}
