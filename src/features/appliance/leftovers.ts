// What killed programs left outside of the tasks' folders: half-written files, half-made archives, unpacked packages, what a restore
// staged. Removed at the start of the server, once every task that died has its end. Nothing of a task that still runs is touched.
import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { etc, type Folders, uploads } from '../../folders.ts'
import { errno } from '../../http/errors.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { PACKAGE } from '../update/update.ts'

/** `.NAME.` and twelve digits: a file on its way into place, of this server or of a command. The script's end in their process's number. */
const HALF_WRITTEN = /^\.[A-Za-z0-9][A-Za-z0-9._-]*\.[0-9a-f]{12}$/
const BY_A_SCRIPT = /^\.[A-Za-z0-9][A-Za-z0-9._-]*\.(\d{1,10})$/

/** `lock`: while it is held the files may be in use. */
interface Leftover {
  lock: string
  folder: string
  isOne: (name: string) => boolean
}

export function removeLeftovers(folders: Folders, tasks: Tasks, warn: (text: string, error?: unknown) => void): void {
  const pki = join(folders.sysconf, 'pki/tls')
  for (const folder of [
    etc(folders, ''),
    folders.state,
    folders.sysconf,
    pki,
    join(pki, 'private'),
    join(pki, 'certs'),
  ])
    remove(folder, (name) => HALF_WRITTEN.test(name) || isAbandoned(name), warn)
  const tmp = join(folders.root, 'tmp')
  const staging = join(folders.data, '.edge-admin-restore')
  const leftovers: Leftover[] = [
    { lock: 'update', folder: tmp, isOne: (name) => name === 'update' || name === 'update.work' },
    { lock: 'update', folder: uploads(folders), isOne: (name) => name === PACKAGE || isHalfOf(name, PACKAGE) },
    { lock: 'logs', folder: tmp, isOne: (name) => name.startsWith('collect-') },
    { lock: 'logs', folder: uploads(folders), isOne: (name) => isHalfOf(name, 'logs.tar.gz', 'debug-bundle.tar') },
    {
      lock: 'backup',
      folder: uploads(folders),
      isOne: (name) => name === '.backup.tar.partial' || isHalfOf(name, 'backup.json', 'backup.tar'),
    },
    // With a plan the old files are in there, and could not be put back.
    { lock: 'backup', folder: staging, isOne: (name) => !existsSync(join(staging, name, 'plan.json')) },
  ]
  for (const { lock, folder, isOne } of leftovers) if (!tasks.isRunning(lock)) remove(folder, isOne, warn)
  for (const name of list(staging)) warn(`a restore could not be put back, and its old files are kept: ${name}`)
  if (isFolder(staging) && list(staging).length === 0) rmdirSync(staging)
}

/** The temporary file of one of these. */
const isHalfOf = (name: string, ...files: string[]) =>
  files.some((file) => name.startsWith(`.${file}.`)) && (HALF_WRITTEN.test(name) || isAbandoned(name))

const isAbandoned = (name: string) => {
  const pid = BY_A_SCRIPT.exec(name)?.[1]
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}

function remove(folder: string, isOne: (name: string) => boolean, warn: (text: string, error?: unknown) => void): void {
  for (const name of list(folder).filter(isOne)) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
      warn(`the remains of a program that was killed: ${name}`)
    } catch (error) {
      // Under sudo some of them are root's: the next script of that kind removes them.
      warn(`the remains of a program that was killed cannot be removed: ${name}`, error)
    }
  }
}

/** Never through a link: what lies behind one is not ours to remove. */
const isFolder = (folder: string) => lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false

function list(folder: string): string[] {
  try {
    return isFolder(folder) ? readdirSync(folder) : []
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'EACCES') return []
    throw error
  }
}
