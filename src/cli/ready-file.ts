// `serve --ready-fd N`: writes a line to file descriptor N once the port is open; the init script waits for that line.
// Only a regular file is accepted: a number that the caller did not open may be one of Node's internal pipes. It is
// checked before the server opens files of its own.
import { closeSync, fstatSync, writeSync } from 'node:fs'

/**
 * Checks `fd` (undefined: no caller waits). Call the returned function once the port is open; it throws when the line
 * cannot be written.
 */
export function readyFile(fd: number | undefined): () => void {
  if (fd === undefined) return () => {}
  const isFile = isRegular(fd)
  return () => {
    if (!isFile) throw new Error('not a regular file that the caller had opened')
    writeSync(fd, 'ready\n')
    // Programs that the server starts must not inherit the descriptor.
    closeSync(fd)
  }
}

function isRegular(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}
