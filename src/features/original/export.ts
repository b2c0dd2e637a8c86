// Writes token and files back in the original's form, all or none. A killed export leaves a plan on disk, and the next
// one first undoes it before it compares anything. A plan must not outlive its export: it is removed before the rest of
// the stage, our server does not start while there is one, and changes that were made since are never undone.
import {
  closeSync,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { formsOf } from '../../auth/opaque-string.ts'
import { firstLineOf, STORED, tokenKey } from '../../auth/token.ts'
import { etc, exportStage, type Folders } from '../../folders.ts'
import { syncFolder } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { swapBack, swapDone, swapForeign, swapIn, swapSaved } from '../../store/file-transaction.ts'
import { isHeld } from '../../store/lock.ts'
import { type Change, type Plan, readPlain, readThrough } from './form.ts'

/** A task that is still running although the server is not: its script continues without it. */
export function runningTask(folders: Folders): string | undefined {
  const locks = join(folders.state, 'locks')
  let names: string[] = []
  try {
    names = readdirSync(locks).filter((name) => name.endsWith('.lock'))
  } catch {
    // There has never been a server here.
  }
  return names.find((name) => isHeld(join(locks, name)))?.replace(/\.lock$/, '')
}

/**
 * The token `given` in the form that the appliance has once an interrupted export is undone; undefined if it is another
 * token. Throws if none is set.
 */
export function tokenInForce(folders: Folders, given: string): Buffer | undefined {
  const there = readThrough(tokenBefore(folders))
  const line = there && firstLineOf(there)
  if (!line || line.length === 0) throw new Error('no token is set: give a new one with --new-token')
  const key = STORED.exec(line.toString('latin1'))?.[1] ?? tokenKey(line)
  const form = formsOf(given).find((one) => tokenKey(one) === key)
  return form === undefined ? undefined : Buffer.from(form)
}

function tokenBefore(folders: Folders): string {
  const place = join(realpathSync(etc(folders, '')), 'api.token')
  const saved = swapSaved(exportStage(folders), place) ?? place
  // The link leads to the same target as from its own folder.
  return isLink(saved) ? resolve(dirname(place), readlinkSync(saved)) : saved
}

/** Throws if the changes of a killed export must not be undone. Returns whether it has left anything. */
export function judgeHalf(folders: Folders): boolean {
  const stage = exportStage(folders)
  const there = lstatSync(stage, { throwIfNoEntry: false })
  if (!there) return false
  // Under sudo a less trusted user can create files beside it.
  if (!there.isDirectory() || there.uid !== 0) throw new Error(`not a folder of root's: ${stage}`)
  const foreign = swapForeign(stage)
  if (foreign.length === 0) return true
  throw new Error(
    `an export-original was interrupted, and what it did cannot be put back, because it was changed since: ${foreign.join(', ')}; nothing was changed. To keep every file as it is now, remove ${stage}`,
  )
}

/** Undoes a killed export. Returns whether there was one. */
export function putBackHalf(folders: Folders): boolean {
  if (!judgeHalf(folders)) return false
  const stage = exportStage(folders)
  const isBack = swapBack(stage)
  removeStage(stage)
  return isBack
}

function removeStage(stage: string): void {
  rmSync(stage, { recursive: true, force: true })
  syncFolder(dirname(stage))
}

/** Makes all changes in one step. */
export function exportOriginal(folders: Folders, { changes, link }: Plan): void {
  if (changes.length === 0 && !link) return
  const stage = exportStage(folders)
  mkdirSync(dirname(stage), { recursive: true, mode: 0o750 })
  mkdirSync(stage, { mode: 0o700 })
  syncFolder(dirname(stage))
  try {
    for (const change of changes) stageFile(join(stage, 'new', change.path), change)
    if (link) {
      mkdirSync(dirname(join(stage, 'new', link.path)), { recursive: true, mode: 0o700 })
      symlinkSync(link.to, join(stage, 'new', link.path))
    }
    checkpoint('export-staged')
    swapIn(stage, '/', { ownersOfNew: true, knowsAgain: true })
  } catch (error) {
    swapBack(stage)
    removeStage(stage)
    throw error
  }
  checkpoint('export-placed')
  swapDone(stage)
  checkpoint('export-done')
  removeStage(stage)
}

function stageFile(path: string, { uid, gid, mode, content }: Change): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(fd, content)
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode)
  } finally {
    closeSync(fd)
  }
}

const FORMER = /^([0-9]+) ([0-9]+) ([0-7]{1,4}) (\/.*)$/

/**
 * Restores the owners of folders that `scripts/owners.sh` changed for `"privilege": "sudo"`. Returns what was changed,
 * in words.
 */
export function giveFoldersBack(folders: Folders): string[] {
  const record = readPlain(join(folders.state, 'owners-before'))
  if (record?.uid !== 0) return []
  const said: string[] = []
  for (const line of record.content.toString().split('\n')) {
    const [, uid, gid, mode, path] = FORMER.exec(line) ?? []
    if (path === undefined) continue
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (!there?.isDirectory()) continue
    const wanted = { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode ?? '', 8) }
    if (there.uid === wanted.uid && there.gid === wanted.gid && (there.mode & 0o7777) === wanted.mode) continue
    const fd = openSync(path, 'r')
    try {
      fchownSync(fd, wanted.uid, wanted.gid)
      fchmodSync(fd, wanted.mode)
    } finally {
      closeSync(fd)
    }
    said.push(`${path}: as it was before, ${octal(wanted.mode)} ${uid}:${gid}`)
  }
  return said
}

/** Lets the original's server reach its certificate. Returns what was changed, in words. */
export function openWay({ sysconf }: Folders, group: number): string[] {
  const said: string[] = []
  for (const path of [join(sysconf, 'pki'), join(sysconf, 'pki/tls')]) {
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (!there?.isDirectory() || (there.mode & (there.gid === group ? 0o011 : 0o001)) !== 0) continue
    const fd = openSync(path, 'r')
    try {
      fchmodSync(fd, (there.mode & 0o7777) | 0o011)
    } finally {
      closeSync(fd)
    }
    said.push(`${path}: can be passed through now`)
  }
  return said
}

const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
export const octal = (mode: number) => mode.toString(8).padStart(4, '0')
