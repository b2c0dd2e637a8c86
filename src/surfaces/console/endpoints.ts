// Every endpoint of the console: the table that routing and the generated tests are made from. They are the page's own: no public document
// has them.
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
