// Puts the console together, only where it is switched on. The trap: nothing of the page is read here; a start must not wait for it.
import { UseHistory } from '../../features/console-overview/history.ts'
import type { AuditLog } from '../../http/pipeline/audit.ts'
import { Assets } from '../../http/reply/assets.ts'
import type { Surface } from '../../http/surface.ts'
import type { ConsoleDeps } from './deps.ts'
import { consoleEndpoints } from './endpoints.ts'
import { consoleSurface, isConsolePath } from './surface.ts'
import { TaskEvents } from './task-events.ts'
import { TaskLogs } from './task-logs.ts'

export interface Console {
  surface: Surface
  endpoints: typeof consoleEndpoints
  isOwnPath: typeof isConsolePath
  deps: ConsoleDeps
  /** Measures from now on. Only for whoever has the port. */
  start: () => void
  /** Ends what has no end of its own. */
  hangUp: () => void
  close: () => void
}

export interface ConsoleOptions extends Omit<ConsoleDeps, 'page' | 'history' | 'taskEvents' | 'taskLogs'> {
  /** Finds the folder of the built page. */
  page: () => string
  audit: AuditLog
  warn: (text: string, error?: unknown) => void
}

/** Readers of each stream; connections that they leave to others. */
const MOST = 64
const LEFT = 24

export function assembleConsole({ page, audit, warn, ...parts }: ConsoleOptions): Console {
  const { folders, config, tasks, sessions, now } = parts
  const most = Math.max(1, Math.min(MOST, config.limits.connections - LEFT))
  const heartbeat = config.surfaces.controller['heartbeat-seconds'] * 1000
  const history = new UseHistory(folders.data, now)
  const taskEvents = new TaskEvents({ folders, tasks, most, heartbeat, warn })
  const taskLogs = new TaskLogs({ folders, most, heartbeat, warn })
  return {
    surface: consoleSurface({ sessions, audit }),
    endpoints: consoleEndpoints,
    isOwnPath: isConsolePath,
    deps: {
      ...parts,
      history,
      taskEvents,
      taskLogs,
      page: new Assets(page, 'The console was not built: "make build" builds it'),
    },
    start: () => history.start(),
    hangUp() {
      taskEvents.close()
      taskLogs.close()
    },
    close: () => history.close(),
  }
}
