// A whole update (decrypt, verify, unpack, run an update.sh that does nothing) against openssl and tar doing only the first three.
import { createReadStream, createWriteStream, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Appliance } from './appliance.ts'
import { few, median, report } from './numbers.ts'
import { run } from './processes.ts'
import { makeNoise } from './upload.ts'

/** The package as a vendor makes it, but stored instead of compressed: its content does not compress anyway. */
async function makePackage(folder: string, root: string, megabytes: number): Promise<string> {
  const content = join(folder, 'content')
  mkdirSync(content, { recursive: true })
  writeFileSync(join(content, 'update.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  writeFileSync(join(content, 'version.txt'), '9.0.0\n')
  await makeNoise(join(content, 'image'), megabytes)
  await run(1, ['tar', '-cf', `${folder}/inner.tar`, '-C', content, '.'])
  const data = join(folder, 'software_package.tar.gz')
  await pipeline(createReadStream(`${folder}/inner.tar`), createGzip({ level: 0 }), createWriteStream(data))
  const script = `cd "$0" &&
    openssl dgst -sha256 -sign "$1/state/vendor/updates.priv" -out software_package.tar.gz.sign software_package.tar.gz &&
    tar --format=ustar -cf - software_package.tar.gz software_package.tar.gz.sign |
    openssl enc -aes-256-cbc -md sha256 -pbkdf2 -pass "file:$1/etc/updates.key" -out package.enc`
  await run(1, ['sh', '-c', script, folder, root])
  for (const name of ['content', 'inner.tar', 'software_package.tar.gz'])
    rmSync(join(folder, name), { recursive: true })
  return join(folder, 'package.enc')
}

const timed = async (argv: string[]): Promise<number> => {
  const begun = performance.now()
  await run(0, argv)
  return (performance.now() - begun) / 1000
}

export async function measureUpdate({ root }: Appliance, folder: string, megabytes: number, rounds: number) {
  const file = await makePackage(folder, root, megabytes)
  const size = statSync(file).size / 2 ** 20
  const bare = `mkdir -p "$0/out" "$0/new" &&
    openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass "file:$1/etc/updates.key" -in "$0/package.enc" | tar -x -C "$0/out" &&
    openssl dgst -sha256 -verify "$1/etc/updates.pub" -signature "$0/out/software_package.tar.gz.sign" "$0/out/software_package.tar.gz" &&
    tar -xzf "$0/out/software_package.tar.gz" -C "$0/new" &&
    rm -rf "$0/out" "$0/new"`
  const environment = ['ROOT', 'SYSCONFDIR', 'DATADIR', 'STATEDIR'].map((name, i) =>
    `EDGE_${name}=${join(root, ['', 'sysconf', 'data', 'state'][i] ?? '')}`.replace(/\/$/, ''),
  )
  const script = join(import.meta.dirname, '../../scripts/update.sh')
  const seen: { bare: number; ours: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const task = join(root, 'state/tasks', `bench-${round}`)
    mkdirSync(task, { recursive: true })
    await run(1, ['cp', '--reflink=auto', file, join(root, 'home/sftp/uploads/software_package-zzz.enc')])
    await run(1, ['sync'])
    const alone = await timed(['sh', '-c', bare, folder, root])
    await run(1, ['sync'])
    const whole = await timed(['sh', '-c', `exec env "$@" >"$0/log"`, task, ...environment, 'sh', script, 'run', task])
    seen.push({ bare: alone, ours: whole })
  }
  const ratio = median(seen.map(({ bare, ours }) => bare / ours))
  report(
    `update of ${megabytes} MB ÷ openssl, tar and rm alone`,
    `${few(ratio)}x, ${few(size / median(seen.map(({ ours }) => ours)))} MB/s (${few(size / median(seen.map((one) => one.bare)))})`,
    '>= 0.95x',
    ratio >= 0.95,
  )
}
