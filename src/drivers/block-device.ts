// Whether somebody has a block device to himself: a mounted file system, LIO, a device mapper. The trap: who merely reads from it is not seen.
import { closeSync, constants, openSync } from 'node:fs'
import { errno } from '../errors.ts'

export function isClaimed(path: string): boolean {
  try {
    // O_EXCL without O_CREAT is the kernel's own question (open(2)).
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK))
    return false
  } catch (error) {
    return errno(error) === 'EBUSY'
  }
}
