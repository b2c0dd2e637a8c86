// The OpenAPI document of the admin surface. It needs every declaration, so it is loaded when it is asked for.
import type { Configuration } from '../../config.ts'
import { inQuery, openapiDocument } from '../../http/openapi.ts'
import { adminEndpoints } from './endpoints.ts'
import { Failure } from './shapes.ts'

/** The OpenAPI document of what this configuration serves, as JSON text. */
export function describeAdmin(config: Configuration, version: string): string {
  const endpoints = adminEndpoints.filter(({ enabled }) => enabled?.(config) ?? true)
  const document = openapiDocument(endpoints, {
    title: 'Edge Admin: admin surface',
    version,
    description:
      'Set-up, updates, settings, certificates, license, storage, backup and support of a storage appliance.',
    config,
    proofs: {
      hash: inQuery('hash', 'HMAC-SHA256 of METHOD+path, hexadecimal; the key is the hexadecimal SHA-256 of the token'),
      token: inQuery('token', 'The API token itself'),
    },
    failure: Failure,
  })
  return JSON.stringify(document)
}
