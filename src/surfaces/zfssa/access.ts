// GET, POST and DELETE /api/access/v1 and v2: list the services, begin a session, end it (ZFSSA RESTful API guide,
// "RESTful API Authentication", and facts: zfssa.md, 1). A POST has no body, and perhaps no Content-Type.
import * as z from 'zod'
import { ownAccount } from '../../auth/principal.ts'
import { ApiError, invalid, raise } from '../../errors.ts'
import { nothing } from '../../http/reply/reply.ts'
import { ACCESS, define, majorOf, VersionParam } from './context.ts'
import { json } from './json.ts'
import { letters } from './letters.ts'
import { runningOf } from './versions.ts'

const TAG = 'Access'
const params = z.object({ version: VersionParam })

const Services = z.array(z.object({ version: z.string(), name: z.string(), uri: z.string() })).meta({ id: 'Services' })

/** `origin`: as the client addressed this port. */
const services = (origin: string) =>
  runningOf().map(({ service, major, minor }) => ({
    version: `${major}.${minor}`,
    name: service,
    uri: `${origin}/api/${service}/v${major}`,
  }))

export const listServices = define({
  method: 'GET',
  path: ACCESS,
  id: 'listServices',
  tag: TAG,
  summary: 'List the services and their versions',
  permission: 'viewer',
  params,
  response: z.object({ services: Services }),
  handle: ({ origin }) => json({ services: services(origin) }),
})

export const beginSession = define({
  method: 'POST',
  path: ACCESS,
  id: 'beginSession',
  action: 'auth.login',
  tag: TAG,
  summary: 'Begin a session: its token is in the header X-Auth-Session of the answer',
  description:
    'The session ends when it is deleted, or when it has not been used for the time that the https service sets. In version 2 a session may have a name, which the header X-Auth-Name repeats.',
  permission: 'viewer',
  params,
  body: z.strictObject({
    name: z
      .string()
      .regex(/^[\x21-\x7e]{1,64}$/, 'Expected 1 to 64 printable characters')
      .optional(),
  }),
  status: 201,
  secret: true,
  repeatable: true,
  duringMaintenance: true,
  response: z.object({ access: z.object({ services: Services }) }),
  async handle({ params, body, principal, origin, audit }, { sessions, accounts }) {
    const isFirst = majorOf(params) === 1
    if (isFirst && body.name !== undefined)
      throw invalid('Sessions have names from version 2 on', { details: { field: 'name', wrong: 'unknown' } })
    const id = ownAccount(principal)?.id ?? ''
    const user = accounts.users.byId(id) ?? raise(new ApiError('unauthenticated', 'The account is gone'))
    // A session of root must not go on by new ones once its password no longer lets it in.
    if (accounts.mayLogIn?.(user.username) === false)
      throw new ApiError('unauthenticated', 'The account may not log in')
    const token = await sessions.begin(user)
    audit('auth.login', `users/${id}`)
    return json({ access: { services: services(origin) } }, 201, {
      'X-Auth-Session': token,
      ...(!isFirst && { 'X-Auth-Name': body.name ?? `REST-${letters(8)}` }),
    })
  },
})

export const endSession = define({
  method: 'DELETE',
  path: ACCESS,
  id: 'endSession',
  action: 'auth.logout',
  tag: TAG,
  summary: 'End the session of this request',
  permission: 'viewer',
  params,
  status: 204,
  repeatable: true,
  duringMaintenance: true,
  response: 'none',
  async handle({ principal, audit }, { sessions }) {
    if (!principal?.session) throw invalid('Expected the session that is to end, in the header X-Auth-Session')
    await sessions.end(principal.session.id)
    audit('auth.logout', `users/${ownAccount(principal)?.id}`)
    return nothing()
  },
})

export const accessEndpoints = [listServices, beginSession, endSession]
