// `edge-admin screen FILE ENTRIES BYTES`: checks whether a restore would accept this archive, before backup.sh reports
// a backup. The answer goes into a log that people read, so it is one line, and names the obstacle. For scripts: no
// --help.
import { createReadStream } from 'node:fs'
import { ApiError } from '../errors.ts'
import { DEPTH, screenArchive } from '../features/backup/archive.ts'
import type { Io } from './command.ts'

/** Exit status: 0 yes, 1 no (with the reason on standard error), 64 wrong use. */
export async function screen([file, ...limits]: string[], { stderr }: Io): Promise<number> {
  const [entries, bytes] = limits.map(Number)
  if (!file || limits.length !== 2 || !Number.isSafeInteger(entries) || !Number.isSafeInteger(bytes)) {
    stderr.write('usage: edge-admin screen FILE ENTRIES BYTES\n')
    return 64
  }
  let last = ''
  try {
    await screenArchive(createReadStream(file), { entries: entries!, bytes: bytes!, depth: DEPTH }, ({ name }) => {
      last = name
    })
    return 0
  } catch (error) {
    const reason = error instanceof ApiError ? error.details?.['reason'] : 'the archive cannot be read'
    const where = last === '' ? '' : ` (at or after ${JSON.stringify(last)})`
    stderr.write(`${String(reason)}${where}\n`)
    return 1
  }
}
