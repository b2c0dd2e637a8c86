// What the handlers of the ZFSSA surface work with.
import * as z from 'zod'
import type { SessionStore } from '../../auth/session-store.ts'
import type { HttpsSettings } from '../../features/https/https.ts'
import type { RuledAccounts } from '../../features/users/accounts.ts'
import { endpoint } from '../../http/endpoint.ts'

export interface ZfssaDeps {
  sessions: SessionStore
  accounts: RuledAccounts
  https: HttpsSettings
  /** Saves what was changed, where the image runs from memory. */
  saveState: () => Promise<void>
}

/** Where sessions begin and end. */
export const ACCESS = '/api/access/{version}'

export const define = endpoint<ZfssaDeps>()

/** The version in the path: `v1`, `v2.0`. The surface's gate has checked that the service runs it. */
export const VersionParam = z.string().regex(/^v[0-9]+(?:\.[0-9]+)?$/, 'Expected a version such as v1 or v2.0')

/** The major version that a request asks for. */
export const majorOf = ({ version }: { version: string }) => (version.startsWith('v2') ? 2 : 1)
