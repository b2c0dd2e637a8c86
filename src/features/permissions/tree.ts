// Sets permissions on a folder and everything below it, and keeps in a file how far that came: a task that is killed can
// say so. Asked again it does the same again, and what has the permissions already is not changed.
import { renameSync, writeFileSync } from 'node:fs'
import type { Acl } from '../../drivers/acl.ts'
import { close, filesUsed, openMounted } from '../../drivers/descriptor.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { Apply } from './apply.ts'
import { kindOf, type Plan } from './plan.ts'
import { readable } from './readable.ts'
import { walk } from './walk.ts'

export interface TreeOptions {
  acl: Acl
  plan: Plan
  /** The dataset that has to be mounted at `folder`; undefined where the storage programs are not the system's. */
  dataset: string | undefined
  folder: string
  /** Where it is kept how many are done, and which was the last: two lines. */
  reached: string
  /** Called now and then with percent and words. */
  progress: (percent: number, words: string) => void
  /** Called for the first of what could not be changed, and what was left out. */
  remark: (words: string) => void
}

export interface Done {
  count: number
  refused: number
  devices: number
  skipped: number
  lost: number
}

/** Milliseconds between two notes of how far it came. */
const NOTE = 500
const MOST_REMARKS = 100

export async function applyToTree(options: TreeOptions): Promise<Done> {
  const { acl, plan, folder, dataset, reached, progress } = options
  const done: Done = { count: 0, refused: 0, devices: 0, skipped: 0, lost: 0 }
  let remarks = 0
  const remark = (what: string, path: string, reason: string) => {
    if (++remarks <= MOST_REMARKS) options.remark(`${what} ${readable(path)}: ${reason}`)
    else if (remarks === MOST_REMARKS + 1) options.remark('and more')
  }
  const refused = (path: string, reason: string) => {
    done.refused += 1
    remark('not changed:', path, reason)
  }
  const top = openMounted(folder, dataset)
  try {
    const all = filesUsed(top)
    const apply = new Apply({ acl, plan, refused })
    let last = ''
    let noted = performance.now()
    const note = async () => {
      await apply.flush()
      noted = performance.now()
      // Without a sync: it is replaced whole, and is not needed when the machine itself has stopped.
      writeFileSync(`${reached}.new`, `${done.count}\n${readable(last)}\n`)
      renameSync(`${reached}.new`, reached)
      const percent = all > 0 ? Math.min(99, Math.floor((done.count / all) * 100)) : 0
      progress(percent, `${counted(done.count)} done, the last of them ${readable(last)}`)
      checkpoint('permissions-part')
    }
    const entries = walk(top, {
      without: plan.without,
      skipped: (path, reason) => {
        done.skipped += 1
        remark('left out:', path, reason)
      },
      lost: (path) => {
        done.lost += 1
        remark('left out:', path, 'it was moved meanwhile')
      },
    })
    for (const entry of entries) {
      if (kindOf(entry.stats) === 'device') {
        done.devices += 1
        remark('left out:', entry.path, 'it is a device')
        continue
      }
      apply.add(entry)
      done.count += 1
      last = entry.path
      if (apply.isFull || performance.now() - noted > NOTE) await note()
    }
    await note()
    return done
  } finally {
    close(top)
  }
}

export const counted = (count: number) => (count === 1 ? '1 file or folder' : `${count} files and folders`)
