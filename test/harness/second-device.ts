// A folder on another file system than the temporary folder, for what a rename cannot do.
import { accessSync, constants, statSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Undefined where there is none. */
export function secondDevice(): string | undefined {
  const { dev } = statSync(tmpdir())
  return ['/dev/shm', '/var/tmp', '/tmp'].find((folder) => {
    try {
      accessSync(folder, constants.W_OK)
      return statSync(folder).dev !== dev
    } catch {
      return false
    }
  })
}
