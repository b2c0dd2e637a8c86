// Exit statuses of a server that cannot start, numbered as in sysexits.h. etc/edge-admin.service decides by them
// whether to retry. A cause that can pass (a port in use, an address not there yet, a full disk) needs TRY_AGAIN: with
// another status the appliance would stay without a server.
import { errno } from '../errors.ts'
import { FlockMissing } from '../store/lock.ts'

/** The configuration is invalid until somebody changes it. */
export const CONFIG = 78
/** A program is missing; src/start.ts uses the same status for Node itself. */
export const UNAVAILABLE = 69
/** The cause can pass by itself. */
export const TRY_AGAIN = 75

/** For an error of the system or of another program; `other` for all other errors. */
export function statusOf(error: unknown, other: number): number {
  if (error instanceof FlockMissing) return UNAVAILABLE
  return errno(error)?.startsWith('E') ? TRY_AGAIN : other
}

/** For a file that must be writable before the port opens: its disk may be full or read-only for a while. */
export const statusOfFile = (error: unknown): number =>
  ['ENOSPC', 'EDQUOT', 'EROFS'].includes(errno(error) ?? '') ? TRY_AGAIN : CONFIG
