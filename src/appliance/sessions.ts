// Browser sessions. Loaded only if an enabled surface needs them.
import { join } from 'node:path'
import type { Boot } from '../auth/boots.ts'
import type { Clock } from '../auth/clock.ts'
import { ConsoleSessions } from '../auth/console-sessions.ts'
import type { TokenStore } from '../auth/token.ts'
import type { UserStore } from '../auth/users.ts'
import type { Configuration } from '../config.ts'
import type { Folders } from '../folders.ts'

export interface SessionsOptions {
  folders: Folders
  config: Configuration
  tokens: TokenStore
  /** Undefined if there are no accounts. */
  users: UserStore | undefined
  clock: Clock
  boot: Boot
  warn: (text: string, error?: unknown) => void
}

export const openSessions = ({ folders, config, tokens, users, clock, boot, warn }: SessionsOptions): ConsoleSessions =>
  new ConsoleSessions({
    file: join(folders.state, 'sessions.json'),
    idle: config.surfaces.console['idle-minutes'] * 60,
    users: () => users?.all() ?? [],
    tokenKey: () => tokens.current(),
    ...{ clock, boot, warn },
  })
