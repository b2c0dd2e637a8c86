// Assembles the admin surface, and generates its document. It needs no part of the appliance that leaves files behind.
import type { With } from '../../appliance.ts'
import type { Configuration } from '../../config.ts'
import { DEFAULT_ENDPOINTS } from '../../endpoint-names.ts'
import { inQuery, openapiDocument } from '../../http/openapi.ts'
import { Rendered } from '../../http/reply/rendered.ts'
import type { Assembled, Site } from '../assembled.ts'
import { type AdminDeps, PREFIX } from './context.ts'
import { adminEndpoints } from './endpoints.ts'
import { Failure } from './shapes.ts'
import { adminSurface } from './surface.ts'

export function assemble(appliance: With<never>, { documents }: Site): Assembled<AdminDeps> {
  const { folders, config, mode, version, tokens, setToken, backOff, tasks, memory, audit, warn } = appliance
  const { license, installedVersion, services, health, sessions } = appliance
  const document = () => describeAdmin(config, version)
  return {
    surface: adminSurface({ folders, config, tokens, backOff, audit, mode, sessions }),
    endpoints: adminEndpoints,
    deps: {
      ...{ folders, config, mode, version, tokens, setToken, backOff, tasks, memory, audit, warn },
      ...{ license, installedVersion, services, health, documents },
      rendered: new Rendered(),
      openapi: document,
      paths: () =>
        [...new Set([...DEFAULT_ENDPOINTS, ...config.endpoints])]
          .sort()
          .map((name) => `${PREFIX}/${name}`)
          .concat('/docs'),
    },
    document,
  }
}

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
