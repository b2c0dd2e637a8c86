// Update packages for an appliance of the tests. A slow one waits for a file, not for time, so a test decides when it
// goes on.
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildPackage } from '../../src/features/package/build.ts'
import type { Folders } from '../../src/folders.ts'
import { type Appliance, temporaryFolder } from './appliance.ts'
import { file, until } from './client.ts'

/** A good package; its script runs `lines` and then writes the version. */
export async function goodPackage({ root, state }: Folders, version = '2.0.0', lines = ''): Promise<Buffer> {
  const folder = join(temporaryFolder(), 'payload')
  mkdirSync(folder)
  writeFileSync(join(folder, 'version.txt'), `${version}\n`)
  writeFileSync(
    join(folder, 'update.sh'),
    `#!/bin/sh\n${lines}\nprintf '%s\\n' '${version}' >"$EDGE_ROOT/etc/version.txt"\n`,
  )
  const out = join(folder, '../package.enc')
  await buildPackage({
    folder,
    passphrase: Buffer.from(readFileSync(join(root, 'etc/updates.key'), 'utf8').trim()),
    signingKey: createPrivateKey(readFileSync(join(state, 'vendor/updates.priv'))),
    out,
    time: 1_700_000_000,
  })
  return readFileSync(out)
}

/** A package whose script stays at 70 percent until `go` was called. */
export const slowPackage = (folders: Folders, version = '2.0.0') =>
  goodPackage(folders, version, 'while [ ! -f "$EDGE_ROOT/tmp/go" ]; do sleep 0.1; done')
export const go = ({ root }: Folders) => writeFileSync(join(root, 'tmp/go'), '')

export const send = (appliance: Appliance, bytes: Buffer) =>
  appliance.call('POST', '/update', { form: [file('update', bytes)] })

export interface Status {
  status: string | null
  percentage?: number
  log: string | null
  'error-code'?: string
  'error-message'?: string
}
export const updateStatus = async (appliance: Appliance): Promise<Status> =>
  JSON.parse((await appliance.call('GET', '/update')).body)

/** Until the update has this percentage, or any final state. */
export const reached = (appliance: Appliance, percentage: number) =>
  until(`the update is at ${percentage} percent`, async () => {
    const status = await updateStatus(appliance)
    return status.percentage === percentage && status
  })
export const ended = (appliance: Appliance) =>
  until('the update has ended', async () => {
    const status = await updateStatus(appliance)
    return status.status !== 'running' && status
  })
