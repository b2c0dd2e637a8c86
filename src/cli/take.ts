// `edge-admin take UID GID FROM TO`: copies a task's inputs into a folder of root. For scripts under sudo, not for
// people: no --help. FROM belongs to the caller, who may create links there at any time. So it is opened with the
// caller's rights, never with root's.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { errno } from '../errors.ts'
import { withRightsOf } from '../store/rights.ts'
import type { Io } from './command.ts'

const MOST_FILES = 16
const PIECE = 1 << 20

/** Exit status: 0 done, 1 not done (with one line on standard error), 64 wrong use. */
export async function take(args: string[], { stderr }: Io): Promise<number> {
  const [uid, gid] = args.slice(0, 2).map(Number)
  const [, , from, to] = args
  if (args.length !== 4 || !Number.isSafeInteger(uid) || !Number.isSafeInteger(gid) || !from || !to) {
    stderr.write('usage: edge-admin take UID GID FROM TO\n')
    return 64
  }
  try {
    mkdirSync(to, { mode: 0o700 })
    const caller = { uid: uid!, gid: gid! }
    for (const name of withRightsOf(caller, () => names(from))) {
      copy(caller, join(from, name), join(to, name))
      // It may be a private key: no copy may stay behind.
      withRightsOf(caller, () => rmSync(join(from, name)))
    }
    return 0
  } catch (error) {
    stderr.write(`edge-admin take: ${String(error instanceof Error ? error.message : error).split('\n', 1)[0]}\n`)
    return 1
  }
}

interface Caller {
  uid: number
  gid: number
}

function names(folder: string): string[] {
  let found: string[]
  try {
    found = readdirSync(folder)
  } catch (error) {
    if (errno(error) === 'ENOENT') return []
    throw error
  }
  const strange = found.find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
  if (strange !== undefined || found.length > MOST_FILES) throw new Error('not the inputs of a task')
  return found
}

function copy(caller: Caller, from: string, to: string): void {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const source = withRightsOf(caller, () => openSync(from, flags))
  try {
    if (!fstatSync(source).isFile()) throw new Error('an input is not a regular file')
    const target = openSync(to, 'wx', 0o600)
    try {
      const piece = Buffer.allocUnsafe(PIECE)
      for (let length = readSync(source, piece); length > 0; length = readSync(source, piece)) {
        for (let done = 0; done < length; ) done += writeSync(target, piece, done, length - done)
      }
      fsyncSync(target)
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}
