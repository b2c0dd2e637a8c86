// Loads a part of the program that the start left out. Node keeps a failed import for as long as the process runs: one
// moment without free file descriptors would take the part away until the next start. So the program's files are opened
// first, all at once, and an import is only tried where that works.
import { closeSync, openSync, readdirSync } from 'node:fs'

/** Throws what opening them throws; the next call tries again. */
export async function loadLater<T>(load: () => Promise<T>): Promise<T> {
  const opened: number[] = []
  try {
    // The folder of the bundle; in the source there is no such file, and nothing is checked. Without `join`: for that
    // many names V8 would compile it with TurboFan, whose own code then takes 5 MB.
    for (const name of readdirSync(import.meta.dirname))
      if (name.endsWith('.js')) opened.push(openSync(`${import.meta.dirname}/${name}`, 'r'))
  } finally {
    for (const fd of opened) closeSync(fd)
  }
  return load()
}
