// Assembles the ZFSSA surface. Accounts belong to the appliance; the surface adds its clients' sessions. Its endpoints
// are loaded with the first request to it.
import { join } from 'node:path'
import type { With } from '../../appliance.ts'
import { SessionStore } from '../../auth/session-store.ts'
import { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import { CredentialCheck } from '../../features/users/credential-check.ts'
import type { Assembled } from '../assembled.ts'
import type { ZfssaDeps } from './context.ts'
import { letters } from './letters.ts'
import { isZfssaPath, zfssaSurface } from './surface.ts'

/** Characters of a session's token, as the guide's examples have them: 190 bits. */
const TOKEN = 32
/** Each node of a cluster, and each back end of a driver, has one of its own. */
const MOST = 1024
const MOST_OF_ONE = 128

export function assemble(appliance: With<'accounts'>): Assembled<ZfssaDeps> {
  const { folders, config, version, audit, https, clock, boot, saveState, warn } = appliance
  const { users, passwords, rules, mayLogIn, limits } = appliance.accounts
  const accounts = { users, passwords, rules, mayLogIn }
  const idle = () => https.get().sessionTimeout * 60
  const sessions = new SessionStore({
    file: join(folders.state, 'client-sessions.json'),
    ...{ idle, clock, boot },
    longest: Number.POSITIVE_INFINITY,
    ...{ most: MOST, mostOfOne: MOST_OF_ONE },
    secret: () => letters(TOKEN),
    users: () => users.all(),
    tokenKey: () => undefined,
    unsaved: (error) => warn('the sessions of ZFSSA clients could not be stored', error),
  })
  const credentials = new CredentialCheck({ accounts, limits, idle, clock })
  return {
    surface: zfssaSurface({ sessions, credentials, audit, version, maintenance: new MaintenanceMode(folders) }),
    later: {
      takes: isZfssaPath,
      async load() {
        const { zfssaEndpoints } = await import('./endpoints.ts')
        return { endpoints: zfssaEndpoints, deps: { sessions, accounts, https, saveState } }
      },
    },
    owns: isZfssaPath,
    document: async () => (await import('./describe.ts')).describeZfssa(config, version),
  }
}
