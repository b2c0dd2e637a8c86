// Assembles the console. To keep the start fast, nothing of the page is read here, and its endpoints are loaded with the
// first request to it.
import type { With } from '../../appliance.ts'
import { UseHistory } from '../../features/console-overview/history.ts'
import { consolePage } from '../../folders.ts'
import { Assets } from '../../http/reply/assets.ts'
import type { Assembled, Site } from '../assembled.ts'
import type { ConsoleDeps } from './context.ts'
import { consoleSurface, isConsolePath } from './surface.ts'
import type { TaskEvents } from './task-events.ts'
import type { TaskLogs } from './task-logs.ts'

/** Maximum readers of each stream, and connections left for other clients. */
const MOST = 64
const LEFT = 24

export function assemble(appliance: With<'sessions'>, site: Site): Assembled<ConsoleDeps> {
  const { folders, config, mode, version, tokens, setToken, backOff, tasks, audit, sessions, now, warn } = appliance
  const { accounts, health, services, installedVersion } = appliance
  const most = Math.max(1, Math.min(MOST, config.limits.connections - LEFT))
  const heartbeat = config.listen['heartbeat-seconds'] * 1000
  const history = new UseHistory(folders.data, now)
  let streams: (TaskEvents | TaskLogs)[] = []
  let isStopping = false
  const hangUp = () => {
    for (const stream of streams) stream.close()
  }
  return {
    surface: consoleSurface({ sessions, audit }),
    later: {
      takes: (path) => isConsolePath(path) || /^\/(?:$|docs(?:\/|$))/.test(path),
      async load() {
        const { consoleEndpoints } = await import('./endpoints.ts')
        const { TaskEvents } = await import('./task-events.ts')
        const { TaskLogs } = await import('./task-logs.ts')
        const storage = await appliance.storage?.()
        const taskEvents = new TaskEvents({ folders, tasks, most, heartbeat, warn })
        const taskLogs = new TaskLogs({ folders, most, heartbeat, warn })
        streams = [taskEvents, taskLogs]
        if (isStopping) hangUp()
        const deps: ConsoleDeps = {
          ...{ folders, config, mode, version, tokens, setToken, backOff, tasks, sessions, now },
          ...{ accounts, storage, health, services, installedVersion, history, taskEvents, taskLogs },
          certificate: site.certificate,
          findings: site.findings,
          page: new Assets(() => site.page ?? consolePage(), 'The console was not built: "make build" builds it'),
        }
        return { endpoints: consoleEndpoints, deps }
      },
    },
    owns: isConsolePath,
    start: () => history.start(),
    hangUp() {
      isStopping = true
      hangUp()
    },
    close: () => history.close(),
  }
}
