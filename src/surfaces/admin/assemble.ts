// Assembles the admin surface. It needs no part of the appliance that leaves files behind. What monitoring asks for is
// there from the start, the rest is loaded when it is needed.
import type { With } from '../../appliance.ts'
import { DEFAULT_ENDPOINTS } from '../../endpoint-names.ts'
import { Rendered } from '../../http/reply/rendered.ts'
import type { Assembled, Site } from '../assembled.ts'
import { type AdminDeps, PREFIX } from './context.ts'
import { infoEndpoints } from './info.ts'
import { adminSurface, isAdminPath } from './surface.ts'

export function assemble(appliance: With<never>, { documents }: Site): Assembled<AdminDeps> {
  const { folders, config, mode, version, tokens, setToken, backOff, tasks, memory, audit, warn } = appliance
  const { license, installedVersion, services, health, sessions } = appliance
  const document = async () => (await import('./describe.ts')).describeAdmin(config, version)
  const deps: AdminDeps = {
    ...{ folders, config, mode, version, tokens, setToken, backOff, tasks, memory, audit, warn },
    ...{ license, installedVersion, services, health, documents },
    rendered: new Rendered(),
    openapi: document,
    paths: () =>
      [...new Set([...DEFAULT_ENDPOINTS, ...config.endpoints])]
        .sort()
        .map((name) => `${PREFIX}/${name}`)
        .concat('/docs'),
  }
  const here = new Set(infoEndpoints.map(({ path }) => path))
  return {
    surface: adminSurface({ folders, config, tokens, backOff, audit, mode, sessions }),
    endpoints: infoEndpoints,
    deps,
    later: {
      takes: (path) => isAdminPath(path) && !here.has(path),
      async load() {
        const { adminEndpoints } = await import('./endpoints.ts')
        return { endpoints: adminEndpoints.filter(({ path }) => !here.has(path)), deps }
      },
    },
    document,
  }
}
