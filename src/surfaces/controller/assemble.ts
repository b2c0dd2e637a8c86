// Assembles the controller surface. Accounts and storage belong to the appliance; the surface adds how its clients ask
// and what it stores for them.
import { join } from 'node:path'
import type { With } from '../../appliance.ts'
import { MetricsToken } from '../../auth/metrics-token.ts'
import type { Configuration } from '../../config.ts'
import { openapiDocument } from '../../http/openapi.ts'
import { Answers } from '../../http/pipeline/idempotency.ts'
import { Rendered } from '../../http/reply/rendered.ts'
import type { Assembled } from '../assembled.ts'
import type { ControllerDeps } from './context.ts'
import { controllerEndpoints, enabledEndpoints } from './endpoints.ts'
import { JobEvents } from './job-stream.ts'
import { Failure } from './shapes.ts'
import { controllerSurface, isControllerPath } from './surface.ts'

export function assemble(appliance: With<'accounts' | 'storage'>): Assembled<ControllerDeps> {
  const { folders, config, version, tasks, audit, chain, sessions, counts, now, clock, warn } = appliance
  const { users, passwords, tokens, limits } = appliance.accounts
  const { zfs, pools, shares, iscsi, permissions, dependents, maintenance, serving, scheduler } = appliance.storage
  const { shareAccounts, sharedDatasets, tool } = appliance.storage
  const settings = { ...config.surfaces.controller, 'confirm-destroy': config.storage['confirm-destroy'] }
  const answers = new Answers(
    join(folders.state, 'idempotency'),
    (error) => warn('an answer could not be kept for its Idempotency-Key', error),
    clock,
  )
  const jobEvents = new JobEvents({ folders, users, config, sessions, warn })
  const document = () => describeController(config, version)
  return {
    surface: controllerSurface({
      ...{ tokens, limits, answers, audit, maintenance, sessions },
      metrics: new MetricsToken(folders),
      perMinute: settings['requests-per-minute'],
    }),
    endpoints: controllerEndpoints,
    deps: {
      ...{ tokens, limits, tasks, chain, folders, jobEvents, settings, audit, now, clock, counts },
      ...{ zfs, pools, shares, iscsi, permissions, dependents, maintenance, serving, scheduler },
      ...{ shareAccounts, sharedDatasets, tool },
      accounts: { users, passwords },
      rendered: new Rendered(),
      openapi: document,
    },
    owns: isControllerPath,
    document,
    hangUp: () => jobEvents.close(),
  }
}

/** The OpenAPI document of this surface, as JSON text. */
export function describeController(config: Configuration, version: string): string {
  const document = openapiDocument(enabledEndpoints(config), {
    title: 'Edge Admin: controller surface',
    version,
    description: 'Accounts, pools, datasets, snapshots, shares, exports, targets and jobs of the appliance.',
    config,
    proofs: {
      bearerAuth: {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The token of POST /api/v1/auth/login',
      },
    },
    idempotent: true,
    refusals: [400, 401, 403, 429],
    failure: Failure,
  })
  return JSON.stringify(document)
}
