// `edge-admin archive FOLDER ENTRIES BYTES [FILE]`: writes the archive of a backup, from the names on standard input,
// one per line; without FILE it only prints the archive's size in bytes. Omitted names are printed on standard output,
// one per line. For backup.sh, not for people: no --help.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { isFull } from '../errors.ts'
import { DEPTH } from '../features/backup/archive.ts'
import { hopeless, packTree, shownName } from '../features/backup/pack.ts'
import type { Io } from './command.ts'

/** Exit status: 0 done, 1 not done (with one line on standard error), 3 no room on the disk, 64 wrong use. */
export async function archive([folder, ...rest]: string[], { stdout, stderr }: Io): Promise<number> {
  const [entries, bytes] = rest.slice(0, 2).map(Number)
  const [, , file] = rest
  if (
    !folder ||
    !isAbsolute(folder) ||
    rest.length < 2 ||
    !Number.isSafeInteger(entries) ||
    !Number.isSafeInteger(bytes)
  ) {
    stderr.write('usage: edge-admin archive FOLDER ENTRIES BYTES [FILE] <NAMES\n')
    return 64
  }
  const names = readFileSync(0).toString('latin1').split('\n').filter(Boolean)
  let fd: number | undefined
  try {
    // Never through a link that somebody with access to the uploads placed there.
    if (file) fd = openSync(file, 'wx', 0o640)
    const out = fd
    const { entries: packed, size } = packTree(names, {
      folder,
      limits: { entries: entries!, bytes: bytes!, depth: DEPTH },
      note: (name, what) => out !== undefined && stdout.write(`${shownName(name)}: ${what}\n`),
      write: out === undefined ? undefined : (piece) => writeAll(out, piece),
    })
    if (packed === 0) throw new Error('there is nothing that a restore would take')
    if (out === undefined) stdout.write(`${size}\n`)
    else fsyncSync(out)
    return 0
  } catch (error) {
    stderr.write(`${hopeless(error) ?? (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]}\n`)
    return isFull(error) ? 3 : 1
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}
