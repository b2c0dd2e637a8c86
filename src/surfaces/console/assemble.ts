// Assembles the console. Nothing of the page is read here, to keep the start fast.
import type { With } from '../../appliance.ts'
import { UseHistory } from '../../features/console-overview/history.ts'
import { consolePage } from '../../folders.ts'
import { Assets } from '../../http/reply/assets.ts'
import type { Assembled, Site } from '../assembled.ts'
import type { ConsoleDeps } from './context.ts'
import { consoleEndpoints } from './endpoints.ts'
import { consoleSurface, isConsolePath } from './surface.ts'
import { TaskEvents } from './task-events.ts'
import { TaskLogs } from './task-logs.ts'

/** Maximum readers of each stream, and connections left for other clients. */
const MOST = 64
const LEFT = 24

export function assemble(appliance: With<'sessions'>, site: Site): Assembled<ConsoleDeps> {
  const { folders, config, mode, version, tokens, setToken, backOff, tasks, audit, sessions, now, warn } = appliance
  const { accounts, storage, health, services, installedVersion } = appliance
  const most = Math.max(1, Math.min(MOST, config.limits.connections - LEFT))
  const heartbeat = config.listen['heartbeat-seconds'] * 1000
  const history = new UseHistory(folders.data, now)
  const taskEvents = new TaskEvents({ folders, tasks, most, heartbeat, warn })
  const taskLogs = new TaskLogs({ folders, most, heartbeat, warn })
  return {
    surface: consoleSurface({ sessions, audit }),
    endpoints: consoleEndpoints,
    deps: {
      ...{ folders, config, mode, version, tokens, setToken, backOff, tasks, sessions, now },
      ...{ accounts, storage, health, services, installedVersion, history, taskEvents, taskLogs },
      certificate: site.certificate,
      findings: site.findings,
      page: new Assets(() => site.page ?? consolePage(), 'The console was not built: "make build" builds it'),
    },
    owns: isConsolePath,
    start: () => history.start(),
    hangUp() {
      taskEvents.close()
      taskLogs.close()
    },
    close: () => history.close(),
  }
}
