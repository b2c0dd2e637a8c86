// Checks the task scripts beside the program: complete, executable where needed, and of this version.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { error, type Finding, note, ok, unseen } from './finding.ts'
import { type Place, scriptsUser } from './place.ts'
import { hinders, readSmall } from './read.ts'

/** Started as programs. */
export const STARTED = [
  ...[
    'backup.sh',
    'boot.sh',
    'certs.sh',
    'dataset-destroy.sh',
    'dataset-permissions.sh',
    'debug.sh',
    'disk-wipe.sh',
    'edge-admin',
    'license.sh',
    'lio.sh',
    'logs.sh',
  ],
  ...[
    'owners.sh',
    'persist.sh',
    'pool-create.sh',
    'pool-destroy.sh',
    'pool-export.sh',
    'pool-import.sh',
    'pool-scrub.sh',
    'pool-replace.sh',
    'pool-attach.sh',
    'pool-detach.sh',
    'pool-online.sh',
    'pool-offline.sh',
    'pool-add.sh',
    'pool-remove.sh',
    'pool-clear.sh',
    'pool-trim.sh',
    'pool-upgrade.sh',
    'pool-set.sh',
    'reboot.sh',
  ],
  ...['restore.sh', 'services.sh', 'settings.sh', 'snapshot-create.sh', 'snapshot-prune.sh', 'snapshot-rollback.sh'],
  ...['storage.sh', 'update.sh', 'wrapper.sh'],
]
/** Read by those. */
export const SOURCED = [
  ...['clock.sh', 'collect.sh', 'conf.sh', 'hook.sh', 'lib.sh', 'license-verdict.sh', 'memory-image.sh'],
  ...[
    'network-apply.sh',
    'package.sh',
    'pool.sh',
    'processes.sh',
    'redact.awk',
    'secrets.sh',
    'storage-units.sh',
    'vdev.sh',
    'vdev-work.sh',
    'zfs.sh',
    'zpool.sh',
  ],
]

const AGAIN = 'Install this version again (install.sh): its program and its scripts belong together.'

/** SHA-256 of each script at build time; undefined without a build (tests, a checkout). */
declare const EDGE_SCRIPTS: string | undefined
const built = (): Readonly<Record<string, string>> =>
  typeof EDGE_SCRIPTS === 'undefined' ? {} : JSON.parse(EDGE_SCRIPTS)

export async function lookAtScripts(
  place: Place,
  sums: Readonly<Record<string, string>> = built(),
): Promise<Finding[]> {
  const found = (await Promise.all([...STARTED, ...SOURCED].map((name) => lookAt(place, name, sums[name])))).flat()
  return found.length > 0 ? found : [ok('scripts.ok', place.scripts, 'all of them are there and can be started')]
}

async function lookAt(place: Place, name: string, sum: string | undefined): Promise<Finding[]> {
  const file = join(place.scripts, name)
  const read = await readSmall(file)
  if (read.state === 'missing') return [error('scripts.missing', file, 'it is not there', AGAIN)]
  if (read.state === 'unseen') return [unseen('scripts', file)]
  if (read.state === 'wrong') return [error('scripts.broken', file, read.fault, AGAIN)]
  if (read.bytes.includes('\r\n'))
    return [
      error(
        'scripts.line-ends',
        file,
        'it has the line ends of Windows, and no shell runs it',
        `sed -i 's/\\r$//' ${file}`,
      ),
    ]
  const user = scriptsUser(place) ?? place.me
  if (STARTED.includes(name) && (await hinders(place, file, user, 1)))
    return [
      error(
        'scripts.not-executable',
        file,
        'it cannot be started',
        `chmod 755 ${file}; and no "noexec" on its file system`,
      ),
    ]
  if (sum !== undefined && createHash('sha256').update(read.bytes).digest('hex') !== sum)
    return [
      note(
        'scripts.other',
        file,
        'it is not the one that came with this version',
        `Where it is no script of your own: ${AGAIN}`,
      ),
    ]
  return []
}
