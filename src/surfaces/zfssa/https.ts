// GET and PUT /api/service/v1/services/https (ZFSSA RESTful API guide, "Security Protocols and Ciphers Settings" and
// "Session Timeout"). The versions go in as a list and come out as one text, in which TLSv1.0 is called TLSv1.
import * as z from 'zod'
import { type Https, type HttpsName, MOST_CIPHERS, TLS_VERSIONS } from '../../features/https/https.ts'
import { define, majorOf, VersionParam } from './context.ts'
import { json } from './json.ts'
import { type Prop, PropsView, withProps } from './props.ts'
import { Count, Flag, Props } from './values.ts'

const PATH = '/api/service/{version}/services/https'
/** Seconds that browsers keep HSTS for, unless it is set: as in reply/base-headers.ts. */
const HSTS_AGE = 31_536_000

const View = z
  .object({
    href: z.string(),
    '<status>': z.string(),
    tls_version: z.string(),
    tls_served: z.string().describe('what the port speaks: never less than TLSv1.2; empty without TLS'),
    ciphers: z.string().optional(),
    permit_root_login: z.boolean(),
    session_timeout: z.int().describe('minutes'),
    hsts_enable: z.boolean(),
    hsts_max_age: z.int().describe('seconds'),
  })
  .meta({ id: 'HttpsService' })

const about = {
  path: PATH,
  tag: 'Service',
  params: z.object({ version: VersionParam }),
  query: z.object({ props: Props }),
  response: z.object({ service: View, props: PropsView }),
} as const

const PROPS: readonly Prop[] = [
  { name: 'tls_version', label: 'TLS versions', type: 'ChooseSeveral', immutable: false, choices: TLS_VERSIONS },
  { name: 'ciphers', label: 'Ciphers', type: 'ChooseSeveral', immutable: false },
  { name: 'permit_root_login', label: 'Permit root login', type: 'Boolean', immutable: false },
  { name: 'session_timeout', label: 'Session timeout (minutes)', type: 'Integer', immutable: false },
  { name: 'hsts_enable', label: 'HTTP Strict Transport Security', type: 'Boolean', immutable: false },
  { name: 'hsts_max_age', label: 'HSTS maximum age (seconds)', type: 'Integer', immutable: false },
]

const view = (https: Https, major: number, props: unknown) =>
  withProps(
    {
      service: {
        href: `/api/service/v${major}/services/https`,
        '<status>': 'online',
        tls_version: https.asked?.map((version) => (version === 'TLSv1.0' ? 'TLSv1' : version)).join(' ') ?? 'default',
        tls_served: https.spoken.join(' '),
        ...(https.ciphers && { ciphers: https.ciphers.join(':') }),
        permit_root_login: https.permitRootLogin,
        session_timeout: https.sessionTimeout,
        hsts_enable: https.hsts,
        hsts_max_age: https.hstsMaxAge ?? HSTS_AGE,
      },
    },
    PROPS,
    props,
  )

/** A list, or one text as it comes out; `default` sets the default again. */
const listed = (separator: RegExp) =>
  z.union([
    z.array(z.string()).min(1).max(MOST_CIPHERS),
    z
      .string()
      .max(MOST_CIPHERS * 64)
      .transform((text) => text.split(separator).filter((word) => word !== '')),
  ])

const Versions = listed(/[ ,]+/)
  .transform((words) => [...new Set(words.map((word) => (word === 'TLSv1' ? 'TLSv1.0' : word)))])
  .pipe(z.union([z.tuple([z.literal('default')]), z.array(z.enum(TLS_VERSIONS)).min(1)]))

const NAMES = {
  tls_version: 'tls_versions',
  ciphers: 'ciphers',
  session_timeout: 'session_timeout',
  permit_root_login: 'permit_root_login',
  hsts_enable: 'hsts_enable',
  hsts_max_age: 'hsts_max_age',
} as const satisfies Record<string, HttpsName>
type Named = keyof typeof NAMES

export const getHttps = define({
  ...about,
  method: 'GET',
  id: 'getHttpsService',
  summary: 'Show the settings of the HTTPS port',
  permission: 'viewer',
  handle: ({ params, query }, { https }) => json(view(https.get(), majorOf(params), query['props'])),
})

export const setHttps = define({
  ...about,
  method: 'PUT',
  id: 'setHttpsService',
  action: 'settings.https',
  summary: 'Change the settings of the HTTPS port, for new connections',
  description:
    'Versions below TLSv1.2 are kept as they were asked for and not spoken. A combination with which nobody could connect is refused. The session timeout applies to sessions that exist; `hsts_enable` to every surface.',
  permission: 'administrator',
  status: 202,
  body: z.strictObject({
    tls_version: Versions.optional(),
    ciphers: listed(/[:, ]+/).optional(),
    session_timeout: Count.optional(),
    permit_root_login: Flag.optional(),
    hsts_enable: Flag.optional(),
    hsts_max_age: Count.optional(),
    unset: z
      .array(z.enum(Object.keys(NAMES) as [Named, ...Named[]]))
      .max(20)
      .optional(),
  }),
  async handle({ params, body, query, audit }, { https, sessions, saveState }) {
    const dry = query['props'] === true
    const { unset = [], ...given } = body
    const back = unset.map((name) => NAMES[name])
    const change: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(given)) {
      if (Array.isArray(value) && value[0] === 'default') back.push(NAMES[name as Named])
      else if (value !== undefined) change[NAMES[name as Named]] = value
    }
    // What ended by the old time must not come back by a longer one.
    if (!dry) await sessions.sweep()
    const now = await https.set(change, back, { dry })
    audit(dry ? 'settings.https.plan' : 'settings.https', '')
    if (!dry) void saveState()
    return json(view(now, majorOf(params), query['props']), 202)
  },
})

export const httpsEndpoints = [getHttps, setHttps]
