// Puts the console together, only where it is switched on. The trap: nothing of the page is read here; a start must not wait for it.
import { Assets } from '../../http/assets.ts'
import type { AuditLog } from '../../http/audit.ts'
import type { Surface } from '../../http/surface.ts'
import type { ConsoleDeps } from './deps.ts'
import { consoleEndpoints } from './endpoints.ts'
import { consoleSurface, isConsolePath } from './surface.ts'

export interface Console {
  surface: Surface
  endpoints: typeof consoleEndpoints
  isOwnPath: typeof isConsolePath
  deps: ConsoleDeps
}

export interface ConsoleOptions extends Omit<ConsoleDeps, 'page'> {
  /** Finds the folder of the built page. */
  page: () => string
  audit: AuditLog
}

export function assembleConsole({ page, audit, ...parts }: ConsoleOptions): Console {
  return {
    surface: consoleSurface({ sessions: parts.sessions, audit }),
    endpoints: consoleEndpoints,
    isOwnPath: isConsolePath,
    deps: { ...parts, page: new Assets(page, 'The console was not built: "make build" builds it') },
  }
}
