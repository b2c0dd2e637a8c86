// What killed programs left outside of the tasks' folders: half-written files, half-made archives, unpacked packages, what a restore
// staged. Removed at the start of the server, once every task that died has its end. Nothing of a task that may still run is touched, and
// nothing that only looks like ours: people keep hidden copies of their files under much the same names.
import { existsSync, lstatSync, readdirSync, readFileSync, rmdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errno } from '../../errors.ts'
import { etc, type Folders, uploads } from '../../folders.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { PACKAGE } from '../update/update.ts'
import { makeWay } from '../uploads-folder.ts'

export interface LeftoversOptions {
  folders: Folders
  tasks: Pick<Tasks, 'isFree'>
  /** The original's programs work here as well (`wrapper`): what lies in tmp/ and the uploads may be theirs. */
  wrapped: boolean
  /** When this server started, in milliseconds since 1970. Newer files are kept: another command may still be writing them. */
  began: number
  /** Where the original lays its locks. */
  originals?: string
  warn: (text: string, error?: unknown) => void
}

/** What this server and the scripts write in etc/ and in the state folder, under a hidden name first. */
const IN_ETC = ['api.token', 'api.token.setup', 'metrics.token', 'license.asc'].concat([
  'status_update.txt',
  'status_update.json',
  'status_error_message.txt',
  'status_error_code.txt',
  'status_certs.txt',
])
const IN_STATE = ['users.json', 'admin.password', 'sessions.json', 'known-addresses.json', 'back-off.json'].concat([
  'boots.json',
  'server.json',
  'maintenance.json',
  'https.json',
  'password-rules.json',
  'client-sessions.json',
  'jwt.secret',
  'audit.key',
  'share-accounts.json',
  'disk-tests.json',
  'disk-tests-begun.json',
])
/** What may hold hashes of passwords. */
const IN_SHARE_ACCOUNTS = ['numbers.json', 'before.json', 'import.smbpasswd']

export function removeLeftovers({ folders, tasks, wrapped, began, originals = '/tmp', warn }: LeftoversOptions): void {
  const said = (name: string) => warn(`the remains of a program that was killed: ${name}`)
  const eachOf = (
    folder: string,
    isOne: (name: string) => boolean,
    remove: (path: string, name: string) => boolean,
  ) => {
    for (const name of list(folder).filter(isOne)) {
      try {
        if (remove(join(folder, name), name)) said(name)
      } catch (error) {
        // Under sudo some of them are root's: the next script of that kind removes them.
        warn(`the remains of a program that was killed cannot be removed: ${name}`, error)
      }
    }
  }
  /** Of the uploads: whoever may write there may lay a folder with everything in it. */
  const orAside = (path: string, name: string) => {
    if (!isFolder(path)) return unlinked(path)
    warn(`a folder was in the way of ${name} in the uploads, and is called ${makeWay(folders, name)} now`)
    return false
  }
  const old = (path: string) => (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? began) < began && unlinked(path)
  eachOf(etc(folders, ''), (name) => isHalfOf(name, ...IN_ETC), old)
  eachOf(folders.state, (name) => isHalfOf(name, ...IN_STATE), old)
  eachOf(join(folders.state, 'share-accounts'), (name) => isHalfOf(name, ...IN_SHARE_ACCOUNTS), old)
  const staging = join(folders.data, '.edge-admin-restore')
  const tmp = join(folders.root, 'tmp')
  const sent = uploads(folders)
  if (!wrapped && !isOriginalAtWork(originals)) {
    if (tasks.isFree('update')) {
      eachOf(tmp, (name) => name === 'update' || name === 'update.work', removed)
      eachOf(sent, (name) => name === PACKAGE || isHalfOf(name, PACKAGE), orAside)
    }
    if (tasks.isFree('logs')) {
      eachOf(tmp, (name) => /^collect-\d{8}T\d{9}Z-[0-9a-z]+$/.test(name), removed)
      eachOf(sent, (name) => isHalfOf(name, 'logs.tar.gz', 'debug-bundle.tar'), orAside)
    }
    if (tasks.isFree('backup'))
      eachOf(sent, (name) => name === '.backup.tar.partial' || isHalfOf(name, 'backup.json', 'backup.tar'), orAside)
  }
  // With a plan the old files are in there, and could not be put back.
  if (tasks.isFree('backup')) eachOf(staging, (name) => !existsSync(join(staging, name, 'plan.json')), removed)
  for (const name of list(staging)) warn(`a restore could not be put back, and its old files are kept: ${name}`)
  if (isFolder(staging) && list(staging).length === 0) rmdirSync(staging)
}

/** In folders of ours alone. */
function removed(path: string): boolean {
  rmSync(path, { recursive: true, force: true })
  return true
}

/** A plain file, and nothing else. */
function unlinked(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return false
  unlinkSync(path)
  return true
}

/**
 * The temporary file of one of these: `.NAME.` and what `writeAtomic` adds, or what scripts/lib.sh adds: the number of a process that is gone, with
 * six characters of `mktemp` or (before there were such) without. Twelve digits without a letter are a date by somebody's hand, and so is a number that no process has.
 */
function isHalfOf(name: string, ...files: string[]): boolean {
  const file = files.find((one) => name.startsWith(`.${one}.`))
  if (file === undefined) return false
  const end = name.slice(file.length + 2)
  if (/^[0-9a-f]{12}$/.test(end)) return /[a-f]/.test(end)
  const [, script] = /^([1-9]\d{0,9})(?:\.[0-9A-Za-z]{6})?$/.exec(end) ?? []
  return script !== undefined && Number(script) <= highestPid() && !existsSync(`/proc/${script}`)
}

function highestPid(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/pid_max', 'latin1'))
  } catch {
    return 0
  }
}

/** Its scripts lay `/tmp/update_vm.sh.task` while they work, and take it away at their end. */
const isOriginalAtWork = (folder: string) => list(folder).some((name) => /^update_[a-z]+\.sh\.task$/.test(name))

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
