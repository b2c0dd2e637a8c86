// Assembles the controller surface. Accounts and storage belong to the appliance; the surface adds how its clients ask
// and what it stores for them. Its endpoints are loaded with the first request to it.
import { join } from 'node:path'
import type { With } from '../../appliance.ts'
import { MetricsToken } from '../../auth/metrics-token.ts'
import { MaintenanceMode } from '../../features/maintenance/maintenance.ts'
import { Answers } from '../../http/pipeline/idempotency.ts'
import { Rendered } from '../../http/reply/rendered.ts'
import type { Assembled } from '../assembled.ts'
import type { ControllerDeps } from './context.ts'
import type { JobEvents } from './job-stream.ts'
import { controllerSurface, isControllerPath } from './surface.ts'

export function assemble(appliance: With<'accounts' | 'storage'>): Assembled<ControllerDeps> {
  const { folders, config, version, tasks, audit, chain, sessions, counts, now, clock, warn } = appliance
  const { users, passwords, rules, mayLogIn, tokens, limits } = appliance.accounts
  const maintenance = new MaintenanceMode(folders)
  const settings = { ...config.surfaces.controller, 'confirm-destroy': config.storage['confirm-destroy'] }
  const answers = new Answers(
    join(folders.state, 'idempotency'),
    (error) => warn('an answer could not be kept for its Idempotency-Key', error),
    clock,
  )
  const document = async () => (await import('./describe.ts')).describeController(config, version)
  let jobEvents: JobEvents | undefined
  let isStopping = false
  return {
    surface: controllerSurface({
      ...{ tokens, limits, answers, audit, maintenance, sessions },
      metrics: new MetricsToken(folders),
      perMinute: settings['requests-per-minute'],
    }),
    later: {
      takes: isControllerPath,
      async load() {
        const storage = await appliance.storage()
        const { controllerEndpoints } = await import('./endpoints.ts')
        const { JobEvents } = await import('./job-stream.ts')
        jobEvents = new JobEvents({ folders, users, config, sessions, warn })
        if (isStopping) jobEvents.close()
        const deps: ControllerDeps = {
          ...{ tokens, limits, tasks, chain, folders, jobEvents, settings, audit, now, clock, counts },
          ...storage,
          maintenance,
          accounts: { users, passwords, rules, mayLogIn },
          rendered: new Rendered(),
          openapi: document,
        }
        return { endpoints: controllerEndpoints, deps }
      },
    },
    owns: isControllerPath,
    document,
    hangUp() {
      isStopping = true
      jobEvents?.close()
    },
  }
}
