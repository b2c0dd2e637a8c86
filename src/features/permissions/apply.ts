// Sets owner, group, lists and mode of open files and folders. `setfacl` is a process of 5 ms, so it gets many files at
// a time; until then their descriptors stay open.
import type { Acl, Lists } from '../../drivers/acl.ts'
import { close, nameForOthers, openAgain, setMode, setOwner, statOf } from '../../drivers/descriptor.ts'
import { errno } from '../../errors.ts'
import { type Kind, kindOf, listsFor, modeFor, type Plan, permissionsOf } from './plan.ts'
import type { Entry } from './walk.ts'

/** Files for each `setfacl`. */
const MANY = 200

interface Waiting {
  descriptor: number
  path: string
}

export interface ApplyOptions {
  acl: Acl
  plan: Plan
  /** Called for what could not be changed. */
  refused: (path: string, reason: string) => void
}

export class Apply {
  private readonly options: ApplyOptions
  private readonly waiting = new Map<Kind, Waiting[]>()
  private count = 0

  constructor(options: ApplyOptions) {
    this.options = options
  }

  /** Changes one; its lists with the next `flush`. */
  add({ descriptor, stats, path }: Pick<Entry, 'descriptor' | 'stats' | 'path'>): void {
    const { uid, gid, rights } = this.options.plan
    const kind = kindOf(stats)
    if (kind === 'device') return
    try {
      if ((uid ?? stats.uid) !== stats.uid || (gid ?? stats.gid) !== stats.gid)
        setOwner(descriptor, uid ?? -1, gid ?? -1)
      if (!rights || kind === 'link') return
      if (!rights.lists) {
        this.setMode(descriptor, kind)
        return
      }
      const all = this.waiting.get(kind) ?? []
      this.waiting.set(kind, all)
      all.push({ descriptor: openAgain(descriptor), path })
      this.count += 1
    } catch (error) {
      this.refuse(path, error)
    }
  }

  get isFull(): boolean {
    return this.count >= MANY
  }

  /** Sets the lists of all that wait for it, and then what a list does not have: the special bits. */
  async flush(): Promise<void> {
    try {
      for (const [kind, all] of this.waiting) await this.write(kind, all)
    } finally {
      for (const all of this.waiting.values()) for (const { descriptor } of all) close(descriptor)
      this.waiting.clear()
      this.count = 0
    }
  }

  private async write(kind: Kind, all: Waiting[]): Promise<void> {
    const { acl, plan, refused } = this.options
    const lists = listsFor(kind, plan.rights as NonNullable<Plan['rights']>) as Lists
    const names = all.map(({ descriptor }) => nameForOthers(descriptor))
    const reasons = await acl.write(names, lists)
    for (const [i, { descriptor, path }] of all.entries()) {
      const reason = reasons.get(names[i] as string)
      if (reason !== undefined) {
        refused(path, reason)
        continue
      }
      try {
        this.setMode(descriptor, kind)
      } catch (error) {
        this.refuse(path, error)
      }
    }
  }

  private setMode(descriptor: number, kind: Kind): void {
    const mode = modeFor(kind, this.options.plan.rights as NonNullable<Plan['rights']>)
    if (permissionsOf(statOf(descriptor)) !== mode) setMode(descriptor, mode)
  }

  private refuse(path: string, error: unknown): void {
    const code = errno(error)
    if (code === undefined) throw error
    this.options.refused(path, REASONS[code] ?? code)
  }
}

const REASONS: Record<string, string> = {
  EPERM: 'it is immutable, or the system does not permit it',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  EDQUOT: 'the quota is used up',
  EIO: 'it cannot be read or written',
  EOPNOTSUPP: 'not supported here',
}
