// The five endpoints that NFS exports and SMB shares have in common: list, create, show, change, remove.
import * as z from 'zod'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'

/** The operations of one kind of share. */
interface Verbs<Shown, New, Change> {
  all: () => Promise<Shown[]>
  get: (id: string) => Promise<Shown>
  create: (wanted: New) => Promise<Shown>
  update: (id: string, change: Change) => Promise<Shown>
  remove: (id: string) => Promise<unknown>
}

interface Sharing<Shown, New, Change> {
  /** The path below the prefix, also used in the audit log: `exports/nfs`. */
  name: string
  /** Suffixes of the operation ids. */
  id: { one: string; many: string }
  /** The prefix of the actions in the audit log. */
  action: string
  summaries: Record<'list' | 'create' | 'show' | 'update' | 'remove', string>
  /** The message after a removal. */
  removed: string
  shown: z.ZodType
  wanted: z.ZodType<New>
  change: z.ZodType<Change>
  /** Keys that a creation changes besides the new object. */
  keys: (wanted: New) => readonly string[]
  verbs: (shares: ControllerDeps['shares']) => Verbs<Shown, New, Change>
}

export function sharingEndpoints<Shown extends { id: string }, New, Change>(sharing: Sharing<Shown, New, Change>) {
  const { name, id: ids, action, summaries, removed, shown, wanted, change, keys, verbs } = sharing
  const tag = 'Storage Services'
  const collection = `${PREFIX}/${name}`
  const one = `${collection}/{id}`
  const params = z.strictObject({ id: z.string().max(64) })
  const keyOf = (id: string) => `${name}/${id}`
  const resource = {
    key: ({ id }: { id: string }) => keyOf(id),
    version: ({ params: { id } }: { params: { id: string } }, { shares }: ControllerDeps) => verbs(shares).get(id),
  }
  return [
    define({
      method: 'GET',
      path: collection,
      id: `list${ids.many}`,
      tag,
      summary: summaries.list,
      permission: 'viewer',
      response: z.array(shown),
      errors: [502, 503],
      handle: async (_call, { shares }) => json(await verbs(shares).all()),
    }),
    define({
      method: 'POST',
      path: collection,
      id: `create${ids.one}`,
      action: `${action}.create`,
      tag,
      summary: summaries.create,
      permission: 'operator',
      body: wanted,
      resource: { key: (_params, body) => keys(body), version: () => undefined },
      status: 201,
      response: shown,
      errors: [404, 409, 502, 503],
      async handle({ body, audit }, { shares }) {
        const made = await verbs(shares).create(body)
        audit(`${action}.create`, keyOf(made.id))
        return { ...json(made, 201, { Location: `${collection}/${made.id}` }), version: made }
      },
    }),
    define({
      method: 'GET',
      path: one,
      id: `get${ids.one}`,
      tag,
      summary: summaries.show,
      permission: 'viewer',
      params,
      resource: { key: resource.key },
      response: shown,
      errors: [404, 502, 503],
      async handle({ params: { id } }, { shares }) {
        const found = await verbs(shares).get(id)
        return { ...json(found), version: found }
      },
    }),
    define({
      method: 'PUT',
      path: one,
      id: `update${ids.one}`,
      action: `${action}.update`,
      tag,
      summary: summaries.update,
      permission: 'operator',
      params,
      body: change,
      resource,
      response: shown,
      errors: [404, 409, 502, 503],
      async handle({ params: { id }, body, audit }, { shares }) {
        const changed = await verbs(shares).update(id, body)
        audit(`${action}.update`, keyOf(id))
        return { ...json(changed), version: changed }
      },
    }),
    define({
      method: 'DELETE',
      path: one,
      id: `delete${ids.one}`,
      action: `${action}.delete`,
      tag,
      summary: summaries.remove,
      permission: 'operator',
      params,
      resource,
      response: Message,
      errors: [404, 409, 502, 503],
      async handle({ params: { id }, audit }, { shares }) {
        await verbs(shares).remove(id)
        audit(`${action}.delete`, keyOf(id))
        return json({ message: removed })
      },
    }),
  ]
}
