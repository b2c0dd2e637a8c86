// Replaces a set of files together, or none: after a kill or a power cut at any moment `swapBack` restores exactly the
// old state. This depends on the order: the plan is on disk before anything changes, and all old files are saved before
// the first new one is put in place.
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import * as z from 'zod'
import { errno } from '../errors.ts'
import { syncFolder, writeAtomic } from './atomic.ts'
import { checkpoint } from './checkpoint.ts'
import { ensureFolder } from './ensure-folder.ts'
import { adopt, copyContent, copyEntry, pieces, syncFile, walk } from './tree.ts'

const Plan = z.object({
  base: z.string(),
  /** Part of the names of temporary files beside the targets, so that they can be found again. */
  mark: z.string(),
  /** Folders that have to be created, parents first. */
  folders: z.array(z.object({ path: z.string(), target: z.string() })),
  /** `path` is below `new`; no part of `target` is a link, since a link may itself be replaced by this swap. */
  entries: z.array(
    z.object({
      path: z.string(),
      target: z.string(),
      existed: z.boolean(),
      /** The new content (`contentOf`), if the swap has to recognize its own files later. */
      placed: z.string().optional(),
    }),
  ),
})
type Plan = z.infer<typeof Plan>

const planFile = (dir: string) => join(dir, 'plan.json')

export interface KeepOptions {
  /**
   * For a link to a regular file, saves that file's content, and restores it as a file: for links whose file another
   * program may overwrite meanwhile, such as the tool of an image that runs from memory. Otherwise a link is restored
   * as a link.
   */
  contents?: boolean
}

export interface SwapOptions extends KeepOptions {
  /** Folders that nothing may be put into, whatever links lead there. */
  closed?: string[]
  /** The new files keep the owners that they were staged with, instead of those of the files that they replace. */
  ownersOfNew?: boolean
  /** Records the new contents in the plan, so that `swapForeign` can tell them from later changes. Reads every file. */
  knowsAgain?: boolean
  /** Called for each file and link before anything changes. */
  tell?: (path: string, change: 'add' | 'replace') => void
}

/**
 * Puts every file and link under `dir/new` at the same place under `base`. If it throws before the plan is written,
 * nothing has changed.
 */
export function swapIn(
  folder: string,
  base: string,
  { closed = [], contents = false, ownersOfNew = false, knowsAgain = false, tell = () => {} }: SwapOptions = {},
): void {
  const dir = resolve(folder)
  if (existsSync(planFile(dir))) throw new Error('this swap is already under way: put it back or drop it first')
  const plan = makePlan(
    dir,
    realpathSync(base),
    closed.filter(existsSync).map((path) => realpathSync(path)),
  )
  for (const { path, existed } of plan.entries) tell(path, existed ? 'replace' : 'add')
  for (const entry of plan.entries) {
    const staged = join(dir, 'new', entry.path)
    syncFile(staged)
    if (knowsAgain) entry.placed = contentOf(staged)
  }
  writeAtomic(planFile(dir), JSON.stringify(plan))
  checkpoint('swap-planned')
  save(dir, plan, contents ? contentOrLink : linkOrCopy)
  place(dir, plan, ownersOfNew)
  checkpoint('swap-all-placed')
}

/**
 * Saves what is at these places, including that nothing is there, while another program may change it: `swapBack`
 * restores it. It saves copies, because that program may write into the very file. Throws, with nothing saved, if there
 * is anything but a file or a link.
 */
export function swapKeep(folder: string, paths: string[], { contents = false }: KeepOptions = {}): void {
  const dir = resolve(folder)
  if (existsSync(planFile(dir))) throw new Error('this swap is already under way: put it back or drop it first')
  const plan: Plan = { base: '/', mark: randomBytes(6).toString('hex'), folders: [], entries: [] }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  for (const given of paths) {
    const target = join(realpathSync(dirname(given)), basename(given))
    const there = lstatSync(target, { throwIfNoEntry: false })
    if (there && !there.isFile() && !there.isSymbolicLink()) throw new Error(`not a regular file: ${given}`)
    plan.entries.push({ path: relative('/', target), target, existed: there !== undefined })
  }
  save(dir, plan, contents ? copyContent : copyEntry)
  // Only now: a partial copy must never be restored.
  writeAtomic(planFile(dir), JSON.stringify(plan))
  checkpoint('swap-kept')
}

/**
 * Restores the old state. Without a plan nothing was changed, and it returns false; it may be killed and called again.
 * What cannot be restored stays in the plan, and is thrown once everything else is restored.
 */
export function swapBack(folder: string): boolean {
  const dir = resolve(folder)
  const plan = readPlan(planFile(dir))
  if (plan === undefined) return false
  const touched = new Set<string>()
  let failures: unknown[] = []
  // Removes new files first, to make space, and each old copy as soon as its file is restored.
  let left = plan.entries.map((entry, index) => ({ entry, index })).sort((a, b) => +a.entry.existed - +b.entry.existed)
  for (let before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length
    failures = []
    left = left.filter(({ entry, index }) => {
      const failed = failures.length
      try {
        if (putBack(dir, entry, temporary(plan, entry.target, index))) touched.add(dirname(entry.target))
      } catch (error) {
        failures.push(error)
      }
      if (index === 0) checkpoint('swap-back')
      return failures.length > failed
    })
  }
  for (const parent of touched) syncFolder(parent)
  if (failures.length > 0) throw failures[0]
  for (const { target } of plan.folders.toReversed()) removeEmpty(target)
  swapDone(dir)
  return true
}

/** From here on nothing is restored any more, even if the rest of the folder stays. */
export function swapDone(folder: string): void {
  const dir = resolve(folder)
  rmSync(planFile(dir), { force: true })
  syncFolder(dir)
}

/**
 * The places whose content somebody else changed since: neither what this swap put there nor what it saved. `swapBack`
 * would destroy that change.
 */
export function swapForeign(folder: string): string[] {
  const dir = resolve(folder)
  const entries = readPlan(planFile(dir))?.entries ?? []
  const isForeign = ({ path, target, existed, placed }: Plan['entries'][number]) => {
    const old = join(dir, 'old', path)
    // Not saved means not replaced yet (or restored already): then `swapBack` leaves the target alone.
    if (existed && !exists(old)) return false
    const now = contentOf(target)
    return now !== placed && now !== contentOf(old)
  }
  return entries.filter(isForeign).map(({ target }) => target)
}

/**
 * Where the swap has saved what was at `target`; undefined if it saved nothing, so the current content is the old one.
 */
export function swapSaved(folder: string, target: string): string | undefined {
  const dir = resolve(folder)
  const entry = readPlan(planFile(dir))?.entries.find((one) => one.target === target)
  const old = entry && join(dir, 'old', entry.path)
  return old !== undefined && exists(old) ? old : undefined
}

/**
 * By its bytes, or by a link's target; undefined if nothing is there. The owner does not count: rights may change
 * without a new file.
 */
function contentOf(path: string): string | undefined {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isSymbolicLink()) return `link ${readlinkSync(path)}`
  if (!there?.isFile()) return there && 'no file'
  // A less trusted user may put a link or a pipe there at this moment.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(fd).isFile()) return 'no file'
    const hash = createHash('sha256')
    for (const piece of pieces(fd)) hash.update(piece)
    return hash.digest('hex')
  } finally {
    closeSync(fd)
  }
}

/** It may be large: a restore has an entry for each file. */
function readPlan(file: string): Plan | undefined {
  if (!existsSync(file)) return undefined
  try {
    return Plan.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new Error('the plan of this swap cannot be read', { cause })
  }
}

function makePlan(dir: string, base: string, closed: string[]): Plan {
  const plan: Plan = { base, mark: randomBytes(6).toString('hex'), folders: [], entries: [] }
  const own = realpathSync(dir)
  const made = new Map<string, string>()
  const taken = new Set<string>()
  for (const { path, kind } of walk(join(dir, 'new'))) {
    if (kind === 'other') throw new Error(`neither a file, a link nor a folder: ${path}`)
    const parent = dirname(path)
    const target = join(made.get(parent) ?? realFolder(base, parent), basename(path))
    const there = lstatSync(target, { throwIfNoEntry: false })
    if (isInside(own, target)) throw new Error(`a swap cannot replace its own files: ${path}`)
    if (closed.some((one) => isInside(one, target))) throw new Error(`the appliance's own, not to be replaced: ${path}`)
    if (kind === 'folder' && there) {
      // A link to a folder is accepted if it leads to somewhere below the base.
      realFolder(base, path)
      continue
    }
    if (taken.has(target)) throw new Error(`two names for one place: ${path}`)
    taken.add(target)
    if (kind === 'folder') {
      plan.folders.push({ path, target })
      made.set(path, target)
    } else {
      if (there?.isDirectory()) throw new Error(`a folder is in the way: ${path}`)
      if (there && !there.isFile() && !there.isSymbolicLink()) throw new Error(`not a regular file: ${path}`)
      plan.entries.push({ path, target, existed: there !== undefined })
    }
  }
  return plan
}

/** The real path of `path`, which has to be below the base. */
function realFolder(base: string, path: string): string {
  let real: string
  try {
    real = realpathSync(join(base, path))
  } catch (error) {
    throw new Error(`no folder: ${path}`, { cause: error })
  }
  if (!lstatSync(real).isDirectory()) throw new Error(`not a folder: ${path}`)
  if (!isInside(base, real)) throw new Error(`leads out of the base: ${path}`)
  return real
}

function isInside(base: string, path: string): boolean {
  const way = relative(base, path)
  return !isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`)
}

function save(dir: string, plan: Plan, keep: (target: string, old: string, half: string) => void): void {
  const folders = new Set<string>([dir])
  let saved = false
  for (const { path, target, existed } of plan.entries) {
    if (!existed) continue
    const old = join(dir, 'old', path)
    ensureFolder(dirname(old), 0o700)
    for (let folder = dirname(old); folder !== dir; folder = dirname(folder)) folders.add(folder)
    keep(target, old, join(dir, 'half'))
    if (!saved) checkpoint('swap-saved')
    saved = true
  }
  if (!saved) checkpoint('swap-saved')
  for (const folder of folders) syncFolder(folder)
}

function linkOrCopy(target: string, old: string, half: string): void {
  try {
    linkSync(target, old)
  } catch (error) {
    // Another device, or a file system or a kernel setting that does not allow this hard link.
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno(error) ?? '')) throw error
    // It gets its name only once it is complete: everything under that name is restored.
    copyEntry(target, half)
    renameSync(half, old)
  }
}

function contentOrLink(target: string, old: string, half: string): void {
  if (lstatSync(target).isSymbolicLink()) {
    copyContent(target, half)
    renameSync(half, old)
  } else {
    linkOrCopy(target, old, half)
  }
}

function place(dir: string, plan: Plan, ownersOfNew: boolean): void {
  const folders = new Set<string>()
  for (const { path, target } of plan.folders) {
    const staged = lstatSync(join(dir, 'new', path))
    mkdirSync(target, { mode: staged.mode & 0o777 })
    adopt(target, lstatSync(dirname(target)), staged.mode & 0o777)
    folders.add(dirname(target)).add(target)
  }
  plan.entries.forEach(({ path, target }, index) => {
    const staged = join(dir, 'new', path)
    const owner = lstatSync(target, { throwIfNoEntry: false }) ?? lstatSync(dirname(target))
    if (!ownersOfNew) adopt(staged, owner, lstatSync(staged).mode & 0o777)
    move(staged, target, temporary(plan, target, index))
    folders.add(dirname(target))
    if (index === 0) checkpoint('swap-placed')
  })
  if (plan.entries.length === 0) checkpoint('swap-placed')
  for (const folder of folders) syncFolder(folder)
}

/** `rename`, or across devices a copy beside the target that is then renamed: the target is never missing. */
function move(from: string, target: string, beside: string): void {
  try {
    renameSync(from, target)
  } catch (error) {
    if (errno(error) !== 'EXDEV') throw error
    copyEntry(from, beside)
    renameSync(beside, target)
  }
}

/** Whether anything was changed. */
function putBack(dir: string, { path, target, existed }: Plan['entries'][number], beside: string): boolean {
  const old = join(dir, 'old', path)
  if (!existed && !existsSync(dirname(target))) return false
  rmSync(beside, { force: true })
  if (!existed) {
    rmSync(target, { force: true })
    return true
  }
  // Not saved means not replaced yet (or restored already): then the target is the old one.
  if (!exists(old)) return false
  // On a full disk this is not a failure.
  const isBack = isSame(old, target)
  if (!isBack) {
    if (isFolder(target)) throw new Error(`a folder is in the way: ${target}`)
    move(old, target, beside)
    syncFolder(dirname(target))
  }
  // Two names of one file: rename(2) then does nothing and keeps both.
  rmSync(old, { force: true })
  return !isBack
}

/** One file under two names, or a copy of it on another device. */
function isSame(old: string, target: string): boolean {
  const [was, now] = [lstatSync(old), lstatSync(target, { throwIfNoEntry: false })]
  if (now === undefined) return false
  if (was.dev === now.dev && was.ino === now.ino) return true
  // A copy keeps its time only to the millisecond.
  const shape = (one: Stats) => `${one.mode} ${one.uid}:${one.gid} ${one.size} ${Math.round(one.mtimeMs)}`
  return shape(was) === shape(now) && contentOf(old) === contentOf(target)
}

const temporary = (plan: Plan, target: string, index: number) => join(dirname(target), `.swap-${plan.mark}-${index}`)
const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined
const isFolder = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
    syncFolder(dirname(folder))
  } catch (error) {
    // It contains other files by now, or was never created.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errno(error) ?? '')) throw error
  }
}
