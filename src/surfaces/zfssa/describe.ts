// The OpenAPI document of the ZFSSA surface. It needs every declaration, so it is loaded when it is asked for.
import type { Configuration } from '../../config.ts'
import { inHeader, openapiDocument } from '../../http/openapi.ts'
import { zfssaEndpoints } from './endpoints.ts'
import { Fault } from './fault.ts'

/** The OpenAPI document of this surface, as JSON text. */
export function describeZfssa(config: Configuration, version: string): string {
  const document = openapiDocument(zfssaEndpoints, {
    title: 'Edge Admin: ZFSSA surface',
    version,
    description: 'The API of Oracle’s ZFS Storage Appliance, for its existing clients.',
    config,
    proofs: {
      basicAuth: { type: 'http', scheme: 'basic', description: 'An account of the appliance' },
      session: inHeader('X-Auth-Session', 'The token of POST /api/access/v1'),
    },
    refusals: [400, 401, 404, 503],
    failure: Fault,
  })
  return JSON.stringify(document)
}
