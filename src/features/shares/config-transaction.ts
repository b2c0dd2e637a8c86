// Changes the configuration of a program, one change at a time, each completely or not at all: the previous state stays on disk until the
// change is applied. The trap: after a kill it must be restored before anything is read or changed.
import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseJson, readText, syncFolder, writeAtomic } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'

export interface AllOrNothingOptions<Before> {
  /** Where it is noted what was there before. */
  file: string
  /** Names the steps for fault tests. */
  name: string
  /** Makes it so again. It may have been done already. */
  putBack: (before: Before) => Promise<void>
}

export class AllOrNothing<Before> {
  private readonly turns = new KeyedMutex()
  private readonly options: AllOrNothingOptions<Before>

  constructor(options: AllOrNothingOptions<Before>) {
    this.options = options
  }

  /** Runs `work` when it is its turn, after everything that an earlier one left half done was put back. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.turns.take([''])
    try {
      await this.recover()
      return await work()
    } finally {
      release()
    }
  }

  /** For readers: waits only when something has to be put back. */
  async settled(): Promise<void> {
    if (this.turns.size === 0 && existsSync(this.options.file)) await this.alone(async () => {})
  }

  /** Within `alone`: `steps` all succeed, or `before` is put back. */
  async change(before: Before, steps: () => Promise<void>): Promise<void> {
    const { file, name } = this.options
    ensureFolder(dirname(file))
    writeAtomic(file, JSON.stringify(before), 0o600)
    try {
      checkpoint(`${name}-noted`)
      await steps()
      checkpoint(`${name}-applied`)
    } catch (error) {
      // When this fails as well, it is tried again before the next change.
      await this.recover().catch(() => {})
      throw error
    }
    this.forget()
    checkpoint(`${name}-done`)
  }

  private async recover(): Promise<void> {
    const text = readText(this.options.file)
    if (text === undefined) return
    // Written atomically, and by us alone.
    await this.options.putBack(parseJson(text) as Before)
    this.forget()
  }

  private forget(): void {
    rmSync(this.options.file, { force: true })
    syncFolder(dirname(this.options.file))
  }
}
