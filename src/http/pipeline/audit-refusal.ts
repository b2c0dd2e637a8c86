// Enters requests that were refused before their endpoint was reached: wrong credentials, too low a role, too many
// requests.
import { accountOf, nameOf, type Principal } from '../../auth/principal.ts'
import type { Request } from '../request.ts'
import { type AuditLog, origin } from './audit.ts'

export type AuditRefusal = (request: Request, event: string, status: string, principal?: Principal) => void

/** Characters of the path: enough for the longest name, and too few to fill the disk with 16 KB a line. */
const LONGEST_TARGET = 400

/** `anonymousActor`: the actor of unauthenticated requests, if it is not the original's word. */
export const refusalAuditor =
  (
    audit: AuditLog,
    { anonymousActor, longest = LONGEST_TARGET }: { anonymousActor?: string; longest?: number } = {},
  ): AuditRefusal =>
  (request, event, status, principal) =>
    audit.write({
      event,
      target: request.path.slice(1, longest),
      actor: nameOf(principal) ?? anonymousActor,
      account: accountOf(principal),
      name: nameOf(principal),
      failure: status,
      refusal: true,
      ...origin(request),
    })
