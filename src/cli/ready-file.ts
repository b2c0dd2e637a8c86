// Tells whoever started the server that its port is open (`serve --ready-fd`): a line in a file that they opened and wait for. A newcomer's trap: a
// number that nobody opened is one of Node's own pipes, and a line in there would be lost, or worse. Those are never regular files; our own are, so
// it is looked at before we open any.
import { closeSync, fstatSync, writeSync } from 'node:fs'

/** `fd`: undefined where nobody waits. The answer, called once the port is open, throws why nobody was told. */
export function readyFile(fd: number | undefined): () => void {
  if (fd === undefined) return () => {}
  const isFile = isRegular(fd)
  return () => {
    if (!isFile) throw new Error('it is no regular file that whoever started this had opened')
    writeSync(fd, 'ready\n')
    // Once, so that no program of ours inherits it.
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
