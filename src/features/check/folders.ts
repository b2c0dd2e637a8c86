// Checks the appliance's folders: existence, owner, and write access for those who need it.
import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '../../errors.ts'
import { uploads } from '../../folders.ts'
import { error, type Finding, ok, unseen, warning } from './finding.ts'
import { type Place, scriptsUser, type User, userName } from './place.ts'
import { hinders } from './read.ts'

interface Folder {
  path: string
  /** Who writes there: the server, its scripts (root in sudo mode), or nobody while it is running. */
  writer: 'server' | 'scripts' | undefined
}

const foldersOf = ({ folders }: Place): Folder[] => {
  const { root, sysconf, data, state } = folders
  return [
    { path: root, writer: undefined },
    { path: join(root, 'etc'), writer: 'server' },
    { path: join(root, 'log'), writer: 'server' },
    { path: join(root, 'tmp'), writer: 'scripts' },
    { path: join(root, 'bin'), writer: undefined },
    { path: uploads(folders), writer: 'server' },
    { path: sysconf, writer: 'scripts' },
    { path: data, writer: 'scripts' },
    { path: state, writer: 'server' },
  ]
}

export async function lookAtFolders(place: Place): Promise<Finding[]> {
  const found = (await Promise.all(foldersOf(place).map((folder) => lookAt(place, folder)))).flat()
  // If a folder is missing, everything below it is, too.
  const missing = found.filter(({ id }) => id === 'folders.missing').map(({ subject }) => `${subject}/`)
  return found.filter(
    ({ id, subject }) => id !== 'folders.missing' || !missing.some((path) => subject.startsWith(path)),
  )
}

const made = ({ folders, scripts, configured }: Place) => {
  const { root, sysconf, data, state } = folders
  const init = `edge-admin init --root ${root} --sysconfdir ${sysconf} --datadir ${data} --statedir ${state}`
  return configured.settings.privilege === 'sudo' ? `${init} && ${join(scripts, 'owners.sh')} USER` : init
}

async function lookAt(place: Place, { path, writer }: Folder): Promise<Finding[]> {
  let info: Stats
  try {
    info = await stat(path)
  } catch (cause) {
    if (errno(cause) === 'EACCES') return [unseen('folders', path)]
    if (await lstat(path).catch(() => undefined))
      return [error('folders.dangling', path, 'it is a link to nowhere', 'Mount or make what it leads to.')]
    return [error('folders.missing', path, 'there is no such folder', made(place))]
  }
  if (!info.isDirectory())
    return [error('folders.not-a-folder', path, 'it is no folder', `Move it away, then: ${made(place)}`)]
  const found = [...(await owned(place, path, info)), ...(await usable(place, path, writer))]
  return found.length > 0 ? found : [ok('folders.ok', path, 'it is there and can be used')]
}

async function usable(place: Place, path: string, writer: Folder['writer']): Promise<Finding[]> {
  const reader = place.server ?? place.me
  if (await hinders(place, path, reader, 1))
    return [
      error(
        'folders.closed',
        path,
        `${await userName(place, reader.uid)} cannot look into it`,
        `chmod or chown ${path}`,
      ),
    ]
  const user: User | undefined = writer === 'scripts' ? scriptsUser(place) : writer && reader
  const code = user && (await hinders(place, path, user, 2))
  if (!user || !code) return []
  if (code === 'EROFS') {
    const mend =
      'Mount it writable, or move the folder to a disk that is (--root, --sysconfdir, --datadir, --statedir).'
    return [error('folders.read-only', path, 'its file system is read-only', mend)]
  }
  const name = await userName(place, user.uid)
  return [error('folders.not-writable', path, `${name} cannot write there`, `chown ${name} ${path}`)]
}

async function owned(place: Place, path: string, info: Stats): Promise<Finding[]> {
  const { folders, server } = place
  if ((info.mode & 0o1002) === 0o002)
    return [error('folders.open', path, 'everybody may change what is in it', `chmod o-w ${path}`)]
  const found: Finding[] = []
  if (path === folders.state && (info.mode & 0o005) !== 0)
    found.push(
      warning('folders.state-open', path, 'everybody can read it; it holds accounts and tasks', `chmod o-rwx ${path}`),
    )
  // What runs as root has to belong to root: the owner of this folder could put another hook there.
  const decides = path === folders.root || path === join(folders.root, 'bin')
  if (decides && info.uid !== 0 && server?.uid === 0) {
    const name = await userName(place, info.uid)
    found.push(
      warning('folders.owner', path, `it belongs to ${name}, who could replace what root runs`, `chown root ${path}`),
    )
  }
  return found
}
