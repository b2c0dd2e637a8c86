// Where everything lies. The root folder keeps Jidoteki's layout (facts: jidoteki.md 1.2), so an appliance that carries the original
// can switch servers; `state` is ours alone.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The four folders, absolute. */
export interface Folders {
  /** The original's admin folder, `/opt/jidoteki/tinyadmin`: etc, log, tmp, bin, home/sftp/uploads. */
  root: string
  /** The original's `/usr/local/etc`: the configuration, network.conf, storage.conf, build.json, pki. */
  sysconf: string
  /** What is backed up and restored, `/data`. */
  data: string
  /** Ours: tasks, locks, counters of the back-off. */
  state: string
}

export const DEFAULT_FOLDERS: Folders = {
  root: '/opt/jidoteki/tinyadmin',
  sysconf: '/usr/local/etc',
  data: '/data',
  state: '/var/lib/edge-admin',
}

export const etc = (folders: Folders, name: string) => join(folders.root, 'etc', name)
export const log = (folders: Folders, name: string) => join(folders.root, 'log', name)
export const auditFolder = (folders: Pick<Folders, 'state'>) => join(folders.state, 'audit')
/** Where an export to the original's form lies until it is done. */
export const exportStage = (folders: Pick<Folders, 'state'>) => join(folders.state, 'export-original')
export const uploads = (folders: Folders, name = '') => join(folders.root, 'home/sftp/uploads', name)

/** The group that root shares etc/ with: on an image of the original's that of its server. Undefined where root keeps it to itself. */
export const originalGroup = (folders: Folders): number | undefined =>
  statSync(join(folders.root, 'etc'), { throwIfNoEntry: false })?.gid || undefined

/** The folder that holds our own `scripts/` and `etc/`: beside the bundle when installed, the checkout otherwise. */
export function installation(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'scripts/lib.sh'))) {
    if (folder === dirname(folder)) throw new Error('the scripts of edge-admin are not beside it')
    folder = dirname(folder)
  }
  return folder
}

/** Those that install.sh was told, of the file that it wrote: none where nothing was installed. */
export function installedFolders(settings: string | undefined): Partial<Folders> {
  if (settings === undefined || !existsSync(settings)) return {}
  const values = shellValues(readFileSync(settings, 'utf8'))
  const names = { root: 'EDGE_ROOT', sysconf: 'EDGE_SYSCONFDIR', data: 'EDGE_DATADIR', state: 'EDGE_STATEDIR' } as const
  return Object.fromEntries(
    Object.entries(names).flatMap(([folder, name]) => (values.get(name) ? [[folder, values.get(name)]] : [])),
  )
}

/** NAME=VALUE and NAME='VALUE', as install.sh writes them. */
export const shellValues = (text: string) =>
  new Map(
    [...text.matchAll(/^([A-Z_][A-Z0-9_]*)=(?:'([^']*)'|"([^"$`\\]*)"|([^\s'"#]*))\s*$/gm)].map(
      ([, name = '', a, b, c]) => [name, a ?? b ?? c ?? ''],
    ),
  )

/** The built page of the console: beside the bundle when installed, in `dist/` of a checkout. */
export function consolePage(): string {
  const installed = join(installation(), 'console')
  return existsSync(installed) ? installed : join(installation(), 'dist/console')
}

/** Where sbom.json lies, that the build wrote: beside the bundle when installed, in `dist/` of a checkout. */
export function billOfMaterials(): string {
  return existsSync(join(installation(), 'sbom.json')) ? installation() : join(installation(), 'dist')
}

/** Where programs of the system are looked for: the PATH of whatever this server starts. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
