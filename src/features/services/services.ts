// The state of the appliance's services in the contract's order: ours first, then those of allservices.txt.
import { join } from 'node:path'
import { type ServiceManager, ServicesUnknown } from '../../drivers/service-manager.ts'
import { ApiError } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { readEdited } from '../../store/atomic.ts'
import { withSudoHint } from '../../tasks/last-words.ts'

/** More than any appliance has; each costs a program start. */
const MOST = 500
const NAME = /^[A-Za-z0-9][A-Za-z0-9@_.-]{0,127}$/

export async function listServices(
  folders: Folders,
  manager: ServiceManager,
): Promise<Record<string, 'running' | 'not running'>[]> {
  const listed = readEdited(join(folders.sysconf, 'allservices.txt')) ?? ''
  const names = listed
    .split(/\s+/, 10 * MOST)
    .filter((name) => NAME.test(name))
    .slice(0, MOST)
  const states = await Promise.all(names.map((name) => manager.isRunning(name)))
  const others = names.map((name, i) => ({ [name]: states[i] ? ('running' as const) : ('not running' as const) }))
  // The first is the name that clients look for; it is running, since it responds.
  return [{ 'jidoteki-admin-api': 'running' }, ...others]
}

/** The reason for the caller, if the state of the services is unknown. */
export function whyUnknown(error: unknown): never {
  if (!(error instanceof ServicesUnknown)) throw error
  throw new ApiError('unavailable', `The services cannot be queried as root: ${withSudoHint(error.why)}`, {
    cause: error,
  })
}
