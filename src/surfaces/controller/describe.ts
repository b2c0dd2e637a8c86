// The OpenAPI document of the controller surface. It needs every declaration, so it is loaded when it is asked for.
import type { Configuration } from '../../config.ts'
import { openapiDocument } from '../../http/openapi.ts'
import { enabledEndpoints } from './endpoints.ts'
import { Failure } from './shapes.ts'

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
