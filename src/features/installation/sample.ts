// A sample appliance, for `make run` and the demo. It runs on a developer's machine, so its hooks only write a line
// into a log; without them our own scripts would change the network, mount disks and reboot.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { OPTIONAL_ENDPOINTS } from '../../endpoint-names.ts'
import { etc, type Folders } from '../../folders.ts'
import { readText } from '../../store/atomic.ts'
import { makeFile, makeFolder } from './layout.ts'

const configuration = (state: string) => ({
  endpoints: OPTIONAL_ENDPOINTS,
  parameters: ['public', 'private', 'ca', 'license', 'action', 'archive'],
  'first-run': { 'word-length': 4, enabled: true },
  listen: { host: '127.0.0.1', port: 8443 },
  label: 'SYSTEM',
  privilege: 'none',
  surfaces: { controller: { enabled: true } },
  storage: { 'file-vdevs': join(state, 'disks') },
})

const CHANGELOG = `# Changelog

## 1.0.0

  * The sample appliance starts its life
`

const HOOK = `#!/bin/sh
# Sample hook: writes down that it was called, and touches nothing else.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
printf '%s %s\\n' "$(basename -- "$0")" "$*" >>"$root/log/hooks.log"
`

const SERVICE = `#!/bin/sh
# Sample service: always there.
[ "$1" = status ] && echo 'sample-app is running'
`

const VENDOR = `The vendor's half of the sample appliance's keys. They are TEST KEYS, made on this machine: never sign anything real with them.

updates.priv  signs update packages    edge-admin package build --sign updates.priv
license.priv  signs licenses           edge-admin license sign --key license.priv
`

/** Adds what `serve` needs for a full tour, in folders that makeFolders has made. Answers the paths made. */
export function makeSample(folders: Folders): string[] {
  const { root, sysconf, data, state } = folders
  const vendor = join(state, 'vendor')
  const inData = (...parts: string[]) => join(data, ...parts)
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const hook = (name: string) => makeFile(join(root, 'bin', name), HOOK, 0o755)
  return [
    ...makeFile(etc(folders, 'version.txt'), '1.0.0\n', 0o640),
    ...makeFile(etc(folders, 'changelog.txt'), CHANGELOG, 0o640),
    ...makeFile(etc(folders, 'backup.txt'), 'etc home\n', 0o640),
    ...makeFile(etc(folders, 'logs.txt'), `${logPaths(inData('log'))}\n`, 0o640),
    ...makeFile(etc(folders, 'debug.txt'), 'uname -a\ndate\ndf -h\n', 0o640),
    ...makeFile(etc(folders, 'updates.key'), `${randomBytes(32).toString('base64')}\n`, 0o600),
    ...makeFolder(vendor, 0o700),
    ...makeFolder(join(state, 'disks'), 0o700),
    ...makeFile(join(vendor, 'README.txt'), VENDOR, 0o600),
    ...makePair(join(vendor, 'updates.priv'), etc(folders, 'updates.pub'), 'rsa'),
    ...makePair(join(vendor, 'license.priv'), etc(folders, 'license.pub'), 'ed25519'),
    ...hook('network.sh'),
    ...hook('storage.sh'),
    ...hook('reboot.sh'),
    ...hook('certs.sh'),
    ...makeFile(join(sysconf, 'edge-admin.json'), json(configuration(state)), 0o644),
    ...makeFile(join(sysconf, 'build.json'), json({ builddate: `${Math.floor(Date.now() / 1000)}` }), 0o644),
    ...makeFile(
      join(sysconf, 'storage-options.json'),
      json({ options: ['local', 'nfs', 'aoe', 'iscsi', 'nbd'] }),
      0o644,
    ),
    ...makeFile(join(sysconf, 'allservices.txt'), 'sample-app\n', 0o644),
    ...makeFolder(join(sysconf, 'init.d'), 0o755),
    ...makeFile(join(sysconf, 'init.d/sample-app'), SERVICE, 0o755),
    ...makeFolder(inData('etc'), 0o755),
    ...makeFile(inData('etc/app.conf'), 'greeting = hello\n', 0o644),
    ...makeFolder(inData('home'), 0o755),
    ...makeFolder(inData('home/user'), 0o755),
    ...makeFile(inData('home/user/notes.txt'), 'Something worth a backup.\n', 0o644),
    ...makeFolder(inData('log'), 0o755),
    ...makeFile(inData('log/sample-app.log'), 'sample-app started\n', 0o644),
  ]
}

/** logs.txt separates its paths by blanks: a path that holds one cannot be named there. */
const logPaths = (path: string) => (/\s/.test(path) ? '' : path)

/** Both halves, or the public one from a private one that is there. A public key alone is somebody else's: no private one is made up. */
function makePair(privateFile: string, publicFile: string, type: 'rsa' | 'ed25519'): string[] {
  let pem = readText(privateFile)
  const made: string[] = []
  if (pem === undefined) {
    if (readText(publicFile) !== undefined) return []
    const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
    pem = `TEST KEY of a sample appliance\n${pair.privateKey.export({ type: 'pkcs8', format: 'pem' })}`
    made.push(...makeFile(privateFile, pem, 0o600))
  }
  const publicKey = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }) as string
  return [...made, ...makeFile(publicFile, publicKey, 0o644)]
}
