// What another process did (`edge-admin user reset`), for the server to enter: the log has one writer, and it may not even run. It lies on
// the disk before the command answers, and is taken away once it is entered.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { errno } from '../../http/errors.ts'
import { parseJson, readForeign, syncFolder, writeAtomic } from '../atomic.ts'

const Left = z.strictObject({
  at: z.iso.datetime(),
  action: z.string().max(64),
  resource: z.string().max(512),
  /** The command, and on whose behalf it ran. */
  by: z.string().max(256),
})
export type Left = z.infer<typeof Left>

/** In the folder that the command changes something in. */
export const inboxOf = (parent: string) => join(parent, 'entries')

const DONE = '.json'
const BEGUN = '.begun'
/** Milliseconds after which a command that has not said that it is done was killed. */
const PATIENCE = 60_000
/** Files that are looked at in one go. */
const MOST = 1000

/** Runs `act`, and leaves its entry in `parent`: before it the intent, after it that it is done. What `act` throws leaves nothing. */
export function recorded<T>(parent: string, entry: Omit<Left, 'at' | 'by'> & { by: string }, act: () => T): T {
  const folder = inboxOf(parent)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = new Date().toISOString()
  const file = join(folder, `${at.replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`)
  writeAtomic(`${file}${BEGUN}`, `${JSON.stringify({ at, ...entry })}\n`, 0o600)
  syncFolder(parent)
  let result: T
  try {
    result = act()
  } catch (error) {
    rmSync(`${file}${BEGUN}`, { force: true })
    throw error
  }
  renameSync(`${file}${BEGUN}`, `${file}${DONE}`)
  syncFolder(folder)
  return result
}

interface Collect {
  /** `unsure`: the command was killed, and nobody knows whether it did what it was about to. */
  enter: (entry: Left, unsure: boolean) => void
  /** Resolves when all that was entered is on the disk. */
  saved: () => Promise<void>
  warn: (text: string, error?: unknown) => void
}

export class Inbox {
  private readonly folders: string[]
  private readonly collect: Collect
  /** Entered, and not yet taken away. */
  private readonly taken = new Set<string>()
  /** Folders that could not be looked into: said once. */
  private readonly closed = new Set<string>()

  constructor(parents: string[], collect: Collect) {
    this.folders = parents.map(inboxOf)
    this.collect = collect
  }

  /** Enters what lies there. Never throws: a folder that cannot be read must not end the server. */
  look(): void {
    for (const folder of this.folders)
      for (const name of this.namesIn(folder)) {
        const file = join(folder, name)
        if (this.taken.has(file)) continue
        try {
          this.take(file)
        } catch (error) {
          this.collect.warn('an entry that a command left for the audit log cannot be read', error)
        }
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
      rmSync(file, { force: true })
      return
    }
    this.taken.add(file)
    enter(entry, unsure)
    saved()
      .then(() => rmSync(file, { force: true }))
      .catch((error) => warn('an entry that a command left is entered again at the next start', error))
      .finally(() => this.taken.delete(file))
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
