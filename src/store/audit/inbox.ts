// Takes entries from other processes (`edge-admin user reset`) into the log, which has a single writer, the server,
// that may not even be running. An entry is on disk before the command responds, and is removed once it is in the log.
import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { errno } from '../../errors.ts'
import { parseJson, readForeign, syncFolder, writeAtomic } from '../atomic.ts'
import { ensureFolder } from '../ensure-folder.ts'
import { EntryDropped } from './chain.ts'

const Left = z.strictObject({
  at: z.iso.datetime(),
  action: z.string().max(64),
  resource: z.string().max(512),
  /** The command, and on whose behalf it ran. */
  by: z.string().max(256),
})
export type Left = z.infer<typeof Left>

/** In the folder where the command makes its change. */
export const inboxOf = (parent: string) => join(parent, 'entries')

const DONE = '.json'
const BEGUN = '.begun'
/** Milliseconds after which a command that has not confirmed its change counts as killed. */
const PATIENCE = 60_000
/** Files that are processed in one go. */
const MOST = 1000

/**
 * Runs `act`, and leaves its entry in `parent`: the intent before it, and the confirmation after it. If `act` throws,
 * the intent is removed if none of `files`, which it changes, has been replaced by then; otherwise it stays, since a
 * part may have been done.
 */
export function recorded<T>(parent: string, entry: Omit<Left, 'at'>, act: () => T, files: string[] = []): T {
  const folder = inboxOf(parent)
  ensureFolder(folder, 0o700)
  const at = new Date().toISOString()
  const file = join(folder, `${at.replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`)
  writeAtomic(`${file}${BEGUN}`, `${JSON.stringify({ at, ...entry })}\n`, 0o600)
  syncFolder(parent)
  const before = printOf(files)
  let result: T
  try {
    result = act()
  } catch (error) {
    if (printOf(files) === before) rmSync(`${file}${BEGUN}`, { force: true })
    throw error
  }
  renameSync(`${file}${BEGUN}`, `${file}${DONE}`)
  syncFolder(folder)
  return result
}

/** A replaced file counts as changed, whatever its content. */
const printOf = (files: string[]) =>
  files
    .map((file) => statSync(file, { throwIfNoEntry: false }))
    .map((info) => `${info?.ino} ${info?.mtimeMs}`)
    .join()

interface Collect {
  /** `unsure`: the command was killed, and nobody knows whether it made its change. */
  enter: (entry: Left, unsure: boolean) => void
  /** Resolves when all recorded entries are on disk. */
  saved: () => Promise<void>
  warn: (text: string, error?: unknown) => void
}

export class Inbox {
  private readonly folders: string[]
  private readonly collect: Collect
  /**
   * The state of each file in the folder: it is being recorded; it is recorded and only has to be removed; it is left
   * alone until the next start; or the log had no space, and it is retried at this value of `performance.now`.
   */
  private readonly known = new Map<string, 'busy' | 'entered' | 'left' | number>()
  /** Folders that could not be read: each is reported once. */
  private readonly closed = new Set<string>()

  private readonly patience: number

  /** `patience`: milliseconds until an entry is retried that the log had no space for. */
  constructor(parents: string[], collect: Collect, patience = PATIENCE) {
    this.patience = patience
    this.folders = parents.map(inboxOf)
    this.collect = collect
  }

  /** Records the entries in the folder. Never throws: an unreadable folder must not end the server. */
  look(): void {
    for (const folder of this.folders)
      for (const name of this.namesIn(folder)) {
        const file = join(folder, name)
        const state = this.known.get(file)
        if (state === 'entered') this.remove(file)
        else if (state === undefined || (typeof state === 'number' && performance.now() >= state)) this.tryToTake(file)
      }
  }

  private tryToTake(file: string): void {
    try {
      this.take(file)
    } catch (error) {
      this.known.set(file, 'left')
      this.collect.warn('an entry that a command left for the audit log cannot be read', error)
    }
  }

  private take(file: string): void {
    const { enter, saved, warn } = this.collect
    const unsure = file.endsWith(BEGUN)
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (unsure && age >= 0 && age < PATIENCE) return
    const entry = Left.safeParse(parseJson(readForeign(file))).data
    if (!entry) {
      warn('an entry that a command left for the audit log is damaged')
      this.remove(file)
      return
    }
    const again = this.known.has(file)
    this.known.set(file, 'busy')
    enter(entry, unsure)
    saved().then(
      () => this.remove(file),
      (error) => {
        const dropped = error instanceof EntryDropped
        // It is in the log, but may not be on disk: recording it again while this server is running would duplicate it.
        this.known.set(file, dropped ? performance.now() + this.patience : 'left')
        if (!again)
          warn(`an entry that a command left is entered again ${dropped ? 'later' : 'at the next start'}`, error)
      },
    )
  }

  /** Forgets it only once its file is gone: if the file cannot be removed, the entry must not be recorded again. */
  private remove(file: string): void {
    const before = this.known.get(file)
    try {
      rmSync(file, { force: true })
      this.known.delete(file)
    } catch (error) {
      this.known.set(file, 'entered')
      if (before !== 'entered') this.collect.warn('an entry that a command left cannot be taken away', error)
    }
  }

  private namesIn(folder: string): string[] {
    try {
      const names = namesIn(folder)
      this.closed.delete(folder)
      return names
    } catch (error) {
      if (!this.closed.has(folder)) this.collect.warn('what commands left for the audit log cannot be read', error)
      this.closed.add(folder)
      return []
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[0-9]{8}T[0-9]{9}Z-[0-9a-f]{8}\.(?:json|begun)$/.test(name))
      .sort()
      .slice(0, MOST)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errno(error) ?? '')) return []
    throw error
  }
}
