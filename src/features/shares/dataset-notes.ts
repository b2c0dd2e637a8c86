// Changes of datasets that are all or nothing, each noted in a file of its own: one that cannot be undone now, because
// its pool is not there, does not hold up the others.
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Zfs } from '../../drivers/zfs.ts'
import { noDataset } from '../datasets/errors.ts'
import { poolOf } from '../zfs/names.ts'
import { AllOrNothing } from './config-transaction.ts'

export interface NotesOptions<Before> {
  folder: string
  /** The beginning of the files' names, and the name of the steps for fault tests. */
  name: string
  putBack: (before: Before) => Promise<void>
  warn: (text: string, error?: unknown) => void
}

export class DatasetNotes<Before> {
  private readonly options: NotesOptions<Before>
  private readonly known = new Map<string, AllOrNothing<Before>>()

  constructor(options: NotesOptions<Before>) {
    this.options = options
  }

  /** The changes of one dataset. A name may be longer than a file name. */
  of(dataset: string): AllOrNothing<Before> {
    return this.byDigest(createHash('sha256').update(dataset).digest('hex').slice(0, 32))
  }

  /** Undoes what a killed server had begun. What cannot be undone now is undone before the dataset's next change. */
  async recover(): Promise<void> {
    const { folder, name, warn } = this.options
    for (const file of filesIn(folder)) {
      const digest = file.startsWith(`${name}-before-`) ? /-([0-9a-f]{32})\.json$/.exec(file)?.[1] : undefined
      if (digest === undefined) continue
      try {
        await this.byDigest(digest).settled()
      } catch (error) {
        warn(`${name}: what a killed server had begun could not be undone`, error)
      }
    }
  }

  private byDigest(digest: string): AllOrNothing<Before> {
    const { folder, name, putBack } = this.options
    const found =
      this.known.get(digest) ?? new AllOrNothing({ name, file: join(folder, `${name}-before-${digest}.json`), putBack })
    this.known.set(digest, found)
    return found
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Keeps a note while its pool is not imported: what is not to be found then is not gone. */
export async function assertPoolThere(zfs: Pick<Zfs, 'get'>, dataset: string): Promise<void> {
  if (!(await zfs.get(poolOf(dataset)))) throw noDataset(dataset)
}
