// The versions of the services (ZFSSA RESTful API guide, "RESTful API Service Versions"). A path names the major
// version and perhaps a minor one: `/api/storage/v1.1/pools`. Two majors of a service run side by side, each with a
// minor version of its own.
import { notFound } from '../../errors.ts'

/** The highest minor version of each major version that a service runs. */
export const SERVICES = {
  access: { 1: 1, 2: 0 },
  service: { 1: 1, 2: 0 },
  setting: { 2: 0 },
} as const satisfies Record<string, Partial<Record<1 | 2, number>>>

export type Service = keyof typeof SERVICES

export interface Version {
  service: Service
  major: 1 | 2
  minor: number
}

const PATH = /^\/api\/([a-z]+)\/v(0|[1-9][0-9]{0,3})(?:\.(0|[1-9][0-9]{0,3}))?(?:\/|$)/

/** The version with which the service answers a request for this path; undefined for a version that it does not run. */
export function versionOf(path: string): Version | undefined {
  const [, name = '', major = '', minor = '0'] = PATH.exec(path) ?? []
  const running = runningOf(name).find((one) => String(one.major) === major)
  return running && Number(minor) <= running.minor ? running : undefined
}

/** What the headers of an answer say: of a version that the service does not run, its highest. */
export const shownVersion = (path: string): Version | undefined =>
  versionOf(path) ?? runningOf(path.split('/')[2] ?? '').at(-1)

/** Throws the 404 of a version that the service does not run. */
export function checkVersion(path: string): Version {
  const version = versionOf(path)
  if (version) return version
  const running = runningOf(path.split('/')[2] ?? '').map(({ major, minor }) => `v${major}.${minor}`)
  throw notFound(`The service does not run this version: expected ${running.join(' or ')}`)
}

/** Every version of a service, the lowest first; of all services if none is named. */
export function runningOf(name?: string): Version[] {
  return Object.entries(SERVICES)
    .filter(([service]) => name === undefined || service === name)
    .flatMap(([service, majors]) =>
      Object.entries(majors).map(([major, minor]) => ({
        service: service as Service,
        major: Number(major) as Version['major'],
        minor,
      })),
    )
}
