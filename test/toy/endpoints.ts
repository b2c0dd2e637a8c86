// The toy's endpoints. They show what a handler was given; none of them knows which habits its surface has.
import * as z from 'zod'
import { ApiError } from '../../src/errors.ts'
import { type Endpoint, endpoint } from '../../src/http/endpoint.ts'
import { json, nothing } from '../../src/http/reply/reply.ts'

export interface ToyDeps {
  name: string
}

const define = endpoint<ToyDeps>()
const about = { tag: 'Toy', permission: 'public' } as const
const words = z.string().max(100)

/** What the habits change about declarations: a path that is another one with its slash, and names that are known by their beginning. */
export interface Declared {
  slash?: boolean
  open?: boolean
}

export function toyEndpoints(prefix: string, { slash = false, open = false }: Declared = {}): Endpoint<ToyDeps>[] {
  const volumes = { ...about, params: z.object({ project: words }), query: z.object({ name: words.optional() }) }
  const project = `${prefix}/v2/projects/{project}`
  const one = define({
    ...volumes,
    ...{ method: 'GET', path: `${project}/volumes/`, id: 'findVolume', summary: 'Find a volume by its name' },
    response: z.object({ name: words }),
    handle: ({ query }) => json({ name: query['name'] ?? '' }),
  })
  const match = open ? { 'match_*': z.record(z.string(), words).optional() } : {}
  return [
    ...(slash ? [one] : []),
    define({
      ...volumes,
      ...{ method: 'GET', path: `${project}/volumes`, id: 'listVolumes', summary: 'List volumes' },
      response: z.object({ volumes: z.array(words) }),
      handle: ({ query }) => json({ volumes: [query['name'] ?? 'all'] }),
    }),
    define({
      ...{ ...about, method: 'POST', path: `${project}/volumes`, id: 'createVolume', summary: 'Create a volume' },
      ...{ action: 'toy.volume.create', params: z.object({ project: words }) },
      body: z.object({ name: words.default('unnamed') }),
      response: z.object({ name: words }),
      handle: ({ body }) => json(body),
    }),
    define({
      ...{ ...about, method: 'POST', path: `${prefix}/access/v2`, id: 'logIn', summary: 'Log in', action: 'toy.login' },
      ...{ body: z.object({}), status: 201, repeatable: true },
      response: z.object({ access: z.object({}) }),
      handle: ({ body }) => json({ access: body }, 201),
    }),
    define({
      ...{ ...about, method: 'GET', path: `${prefix}/storage/v1/pools`, id: 'listPools', summary: 'List pools' },
      query: z.object({ props: words.optional(), ...match }),
      response: z.object({}).catchall(z.unknown()),
      handle: ({ query }) => json(query),
    }),
    define({
      ...{ ...about, method: 'GET', path: `${prefix}/vm`, id: 'listMachines', summary: 'List machines' },
      query: z.object({
        limit: words.optional(),
        node: z.array(words).optional(),
        order: z.union([words, z.array(words)]).optional(),
      }),
      response: z.object({}).catchall(z.unknown()),
      handle: ({ query }) => json(query),
    }),
    define({
      ...{ ...about, method: 'DELETE', path: `${prefix}/vm/{vm}`, id: 'deleteMachine', action: 'toy.vm.delete' },
      ...{ summary: 'Delete a machine', params: z.object({ vm: words }), status: 204, response: 'none' },
      handle: () => nothing(),
    }),
    define({
      ...{
        ...about,
        method: 'POST',
        path: `${prefix}/pool/{pool}/volume`,
        id: 'defineVolume',
        summary: 'Define a volume',
      },
      ...{ action: 'toy.volume.define', permission: 'operator' },
      input: z.object({
        pool: words,
        volume: words,
        size: z.string().regex(/^[0-9]+[MG]$/, 'Expected a size such as 20G'),
        copies: z.coerce.number().int().min(1).max(3).default(1),
        thin: z
          .enum(['true', 'false'])
          .transform((word) => word === 'true')
          .default(false),
      }),
      form: { image: { kind: 'file', description: 'What is written to it', required: false, limit: () => 1 << 20 } },
      response: z.object({}).catchall(z.unknown()),
      handle: ({ input, files }) => json({ ...input, ...(files['image'] && { image: files['image'].size }) }),
    }),
    define({
      ...{ ...about, method: 'GET', path: `${prefix}/root`, id: 'showRoot', summary: 'Show the root', status: 209 },
      response: z.object({ message: words }),
      handle: () => json({ message: 'a toy' }, 209),
    }),
    ...(['invalid', 'not-implemented', 'unavailable'] as const).map((kind) =>
      define({
        ...{ ...about, method: 'GET', path: `${prefix}/fault/${kind}`, id: `fault-${kind}`, summary: 'Fail' },
        response: z.object({}),
        handle: () => {
          throw new ApiError(kind, 'On purpose')
        },
      }),
    ),
    define({
      ...{
        ...about,
        method: 'GET',
        path: `${prefix}/error`,
        id: 'showError',
        summary: 'Fail as a thing that is not there',
      },
      response: z.object({}),
      handle: () => {
        throw new ApiError('not-found', 'No such marble')
      },
    }),
  ]
}

/** The log-in that two surfaces share: one takes JSON, the other a form. */
export const sharedLogIn = (path: string, how: 'json' | 'form'): Endpoint<ToyDeps> =>
  define({
    ...{
      ...about,
      method: 'POST',
      path,
      id: `logIn-${how}`,
      summary: 'Log in',
      action: 'toy.shared',
      repeatable: true,
    },
    ...(how === 'json' ? { body: z.object({ user: words }) } : { input: z.object({ token: words.optional() }) }),
    response: z.object({ by: words }),
    handle: (_call, { name }) => json({ by: name }),
  })
