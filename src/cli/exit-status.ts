// The exit statuses of a server that does not start, by the numbers of sysexits.h: a service manager goes by them (etc/edge-admin.service). The trap:
// what goes by itself (a port, an address, a full disk) must not get one that ends the trying, or a bad boot leaves an appliance without a server.
import { errno } from '../errors.ts'
import { FlockMissing } from '../tasks/lock.ts'

/** The configuration is wrong, until somebody changes it. */
export const CONFIG = 78
/** A program is missing; src/start.ts says the same of Node. */
export const UNAVAILABLE = 69
/** It may go by itself. */
export const TRY_AGAIN = 75

/** For what the system says, or another program; `other` for the rest. */
export function statusOf(error: unknown, other: number): number {
  if (error instanceof FlockMissing) return UNAVAILABLE
  return errno(error)?.startsWith('E') ? TRY_AGAIN : other
}

/** For a file that has to be written before the port is open: its disk may be full, or read-only, for a while. */
export const statusOfFile = (error: unknown): number =>
  ['ENOSPC', 'EDQUOT', 'EROFS'].includes(errno(error) ?? '') ? TRY_AGAIN : CONFIG
