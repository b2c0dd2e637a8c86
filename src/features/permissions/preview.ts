// What a recursive change would do: a look at so many files and for so long, so that it answers soon for any dataset.
import type { Acl } from '../../drivers/acl.ts'
import { close, nameForOthers, openAgain } from '../../drivers/descriptor.ts'
import { Breath } from '../../store/breath.ts'
import { kindOf, listsFor, modeFor, type Plan, permissionsOf } from './plan.ts'
import { readable } from './readable.ts'
import { sameList } from './state.ts'
import { type Entry, walk } from './walk.ts'

/** Milliseconds, and files and folders. */
const LONGEST = 5000
const MOST = 50_000
const EXAMPLES = 10
/** Files for each `getfacl`. */
const MANY = 200

export interface Found {
  files: number
  folders: number
  changes: number
  left_out: number
  complete: boolean
  examples: Example[]
}
export interface Example {
  path: string
  uid: number
  gid: number
  mode: number
  to: { uid: number; gid: number; mode: number }
}

export interface PreviewOptions {
  acl: Acl
  /** Whether access control lists can be read now. A dataset with `acltype=off` has no lists. */
  lists: boolean
  longest?: number
  most?: number
}

export async function preview(
  top: number,
  plan: Plan,
  { acl, lists, longest = LONGEST, most = MOST }: PreviewOptions,
): Promise<Found> {
  const found: Found = { files: 0, folders: 0, changes: 0, left_out: 0, complete: true, examples: [] }
  const waiting: { descriptor: number; entry: Entry }[] = []
  const until = performance.now() + longest
  const breath = new Breath()
  const change = (entry: Entry) => {
    found.changes += 1
    if (found.examples.length < EXAMPLES) found.examples.push(exampleOf(entry, plan))
  }
  const compare = async () => {
    const all = waiting.splice(0)
    try {
      const read = await acl.read(all.map(({ descriptor }) => nameForOthers(descriptor)))
      for (const [i, { entry }] of all.entries()) {
        const wanted = listsFor(kindOf(entry.stats), plan.rights as NonNullable<Plan['rights']>)
        const now = read[i]
        if (!now || !sameList(now.access, wanted.access) || !sameList(now.default, wanted.default)) change(entry)
      }
    } finally {
      for (const { descriptor } of all) close(descriptor)
    }
  }
  const left = () => {
    found.left_out += 1
  }
  try {
    for (const entry of walk(top, { without: plan.without, skipped: left, lost: left })) {
      if (found.files + found.folders >= most || performance.now() > until) {
        found.complete = false
        break
      }
      const kind = kindOf(entry.stats)
      if (kind === 'device') {
        left()
        continue
      }
      if (kind === 'folder') found.folders += 1
      else found.files += 1
      if (differs(entry, plan)) change(entry)
      else if (plan.rights?.lists && kind !== 'link') {
        if (lists) waiting.push({ descriptor: openAgain(entry.descriptor), entry })
        else if (plan.rights.access.named.length > 0 || (kind === 'folder' && plan.rights.default)) change(entry)
      }
      if (waiting.length >= MANY) await compare()
      await breath.take()
    }
    await compare()
  } finally {
    for (const { descriptor } of waiting) close(descriptor)
  }
  return found
}

function differs({ stats }: Entry, { uid = stats.uid, gid = stats.gid, rights }: Plan): boolean {
  if (uid !== stats.uid || gid !== stats.gid) return true
  const kind = kindOf(stats)
  return rights !== undefined && kind !== 'link' && permissionsOf(stats) !== modeFor(kind, rights)
}

function exampleOf({ path, stats }: Entry, { uid = stats.uid, gid = stats.gid, rights }: Plan): Example {
  const kind = kindOf(stats)
  const mode = permissionsOf(stats)
  const changesOwner = uid !== stats.uid || gid !== stats.gid
  // chown(2) takes set-user-id and set-group-id from a file.
  const kept = changesOwner && kind === 'program' ? mode & 0o1777 : mode
  const to = rights && kind !== 'link' ? modeFor(kind, rights) : kept
  return { path: readable(path), uid: stats.uid, gid: stats.gid, mode, to: { uid, gid, mode: to } }
}

export const octal = (mode: number) => mode.toString(8).padStart(4, '0')
