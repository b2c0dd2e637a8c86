// One event stream about jobs for all its readers. A reader with a session may read while the session is valid, one
// with a token while the token is; both are checked while the stream is open.
import { CLOCK } from '../../auth/clock.ts'
import type { ConsoleSessions } from '../../auth/console-sessions.ts'
import { inForce } from '../../auth/in-force.ts'
import type { Principal } from '../../auth/principal.ts'
import type { UserStore } from '../../auth/users.ts'
import type { Configuration } from '../../config.ts'
import { JobChanges } from '../../features/jobs/changes.ts'
import { viewJob } from '../../features/jobs/view.ts'
import type { Folders } from '../../folders.ts'
import { ChangeStream } from '../../http/reply/change-stream.ts'

/** Connections left for other clients. */
const LEFT = 24

interface JobEventsOptions {
  folders: Folders
  users: UserStore
  config: Configuration
  /** The console's sessions, if it is on. */
  sessions: ConsoleSessions | undefined
  warn: (text: string, error?: unknown) => void
}

export class JobEvents {
  private readonly options: JobEventsOptions
  private readonly stream: ChangeStream

  constructor(options: JobEventsOptions) {
    const { folders, config, warn } = options
    this.options = options
    this.stream = new ChangeStream({
      changes: new JobChanges(folders, viewJob),
      name: 'job',
      names: 'jobs',
      most: Math.max(1, config.limits.connections - LEFT),
      heartbeat: config.listen['heartbeat-seconds'] * 1000,
      warn,
    })
  }

  open(principal: Principal | undefined, cursor: string | undefined) {
    return this.stream.open(cursor, () => this.may(principal))
  }

  close(): void {
    this.stream.close()
  }

  private may(principal: Principal | undefined): boolean {
    const { users, sessions } = this.options
    const session = principal?.session
    if (principal?.via === 'session') return sessions?.get(session?.id ?? '') !== undefined
    return session !== undefined && session.until > CLOCK.steady() && !!inForce(principal, users.all())
  }
}
