// `edge-admin plain FILE ENTRIES BYTES`: checks a backup archive and writes it to standard output in the one format
// that every tar program reads alike. For restore.sh, which unpacks it, not for people: no --help.
import { createReadStream } from 'node:fs'
import { ApiError } from '../errors.ts'
import { DEPTH, plainArchive } from '../features/backup/archive.ts'
import type { Io } from './command.ts'

/** Exit status: 0 complete, 1 not complete (with the reason on standard error), 64 wrong use. */
export async function plain([file, ...limits]: string[], { stderr }: Io): Promise<number> {
  const [entries, bytes] = limits.map(Number)
  if (!file || limits.length !== 2 || !Number.isSafeInteger(entries) || !Number.isSafeInteger(bytes)) {
    stderr.write('usage: edge-admin plain FILE ENTRIES BYTES\n')
    return 64
  }
  try {
    await plainArchive(createReadStream(file), { entries: entries!, bytes: bytes!, depth: DEPTH }, process.stdout)
    return 0
  } catch (error) {
    stderr.write(`${error instanceof ApiError ? error.details?.['reason'] : 'the archive cannot be read'}\n`)
    return 1
  }
}
