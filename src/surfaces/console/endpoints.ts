// Every endpoint of the console: the table behind routing and the generated tests. They serve only the page: no public
// document lists them.
import { doFirstRun } from './first-run.ts'
import { overviewEndpoints } from './overview.ts'
import { sessionEndpoints } from './session.ts'
import { checkSettings } from './settings-check.ts'
import { staticEndpoints } from './static.ts'
import { tasksEndpoints } from './tasks.ts'

export const consoleEndpoints = [
  ...staticEndpoints,
  ...sessionEndpoints,
  doFirstRun,
  ...overviewEndpoints,
  ...tasksEndpoints,
  checkSettings,
]
