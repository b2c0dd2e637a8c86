// Whether a block device is in exclusive use: by a mounted file system, LIO or the device mapper. Programs that only
// read from it are not detected.
import { closeSync, constants, openSync } from 'node:fs'
import { errno } from '../errors.ts'

export function isClaimed(path: string): boolean {
  try {
    // O_EXCL without O_CREAT asks the kernel exactly that (open(2)).
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK))
    return false
  } catch (error) {
    return errno(error) === 'EBUSY'
  }
}
