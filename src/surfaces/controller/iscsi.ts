// GET /iscsi/sessions, GET and POST /iscsi/targets, GET, PUT and DELETE /iscsi/targets/{id}, POST …/luns and …/luns/remove. Taking a disk
// from a logged-in initiator is refused without ?force=true: its file system would lose unwritten data.
import * as z from 'zod'
import type { Iscsi } from '../../features/iscsi/iscsi.ts'
import { Chap, Initiator, Iqn, TargetId, targetId } from '../../features/iscsi/names.ts'
import { CHAP_MARK, type TargetView } from '../../features/iscsi/view.ts'
import { KnownChild, turnsOf } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'

const COLLECTION = `${PREFIX}/iscsi/targets`
const ONE = `${COLLECTION}/{id}`
const tag = 'Storage Services'
const params = z.strictObject({ id: TargetId })
const query = z.object({
  force: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'also while initiators that lose it are logged in', parameter: 'Force' }),
})
const isForced = (given: Record<string, unknown>) => given['force'] === 'true'

export const Lun = z
  .object({
    id: z.int().describe('LUN number: stays the same as long as the LUN is there'),
    zvol: z.string(),
    size: z.int().optional().meta({ format: 'int64', description: 'bytes' }),
    backend: z.string(),
  })
  .meta({ id: 'LUN' })
export const IscsiTarget = z
  .object({
    id: z.string(),
    iqn: z.string(),
    luns: z.array(Lun),
    initiators: z.array(z.string()).describe('who may log in; none: nobody'),
    enabled: z.boolean(),
    managed: z.boolean().describe('false: made by hand, shown only'),
    portals: z.array(z.string()),
    sessions: z.array(z.string()).describe('initiators that are logged in'),
    chap: z.object({ username: z.string() }).optional(),
    mutual_chap: z.object({ username: z.string() }).optional(),
    note: z.string().optional(),
  })
  .meta({ id: 'ISCSITarget' })

const MUTUAL = 'what the target proves to each initiator in turn (mutual CHAP), with another password than that of chap'

const Initiators = z
  .array(Initiator)
  .max(256)
  .refine((list) => new Set(list).size === list.length, 'The same initiator twice')
  .meta({ id: 'Initiators' })

/** The members that a caller may overwrite. */
const versionOf = ({ iqn, luns, initiators, enabled, chap, mutual_chap, [CHAP_MARK]: passwords }: TargetView) => ({
  iqn,
  luns: luns.map(({ id, zvol }) => [id, zvol]),
  initiators,
  enabled,
  chap: chap ? [chap.username, mutual_chap?.username, passwords] : [],
})
const versionNow = async (iscsi: Iscsi, id: string) => {
  const target = await iscsi.find(id)
  return target && versionOf(target)
}
const shown = (target: TargetView, status?: number, headers?: Record<string, string>) => ({
  ...json(target, status, headers),
  version: versionOf(target),
})

export const listTargets = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listISCSITargets',
  tag,
  summary: 'List the iSCSI targets, those made by hand too',
  permission: 'viewer',
  response: z.array(IscsiTarget),
  errors: [502, 503],
  handle: async (_call, { iscsi }) => json(await iscsi.list()),
})

const Session = z
  .object({
    target: z.string().describe('id of the target'),
    iqn: z.string().describe('name of the target'),
    initiator: z.string(),
    alias: z.string().optional().describe('as the initiator calls itself: often its host name'),
    addresses: z.array(z.string()).describe('where its connections come from; none known in demo mode'),
    portal: z.string().optional().describe('left out where the target has several: the kernel does not tell which'),
    state: z
      .enum(['logged-in', 'failed', 'unknown'])
      .describe('failed: its connection broke, and the initiator may take the session up again'),
    luns: z.array(Lun).describe('what it sees, under its own numbers'),
  })
  .meta({ id: 'ISCSISession' })

export const listSessions = define({
  method: 'GET',
  path: `${PREFIX}/iscsi/sessions`,
  id: 'listISCSISessions',
  tag,
  summary: 'List who is logged in to the iSCSI targets',
  description:
    'Of an initiator with several sessions of one target (multipath), the kernel shows the last. It does not keep when a session began.',
  permission: 'viewer',
  query: z.object({ target: TargetId.optional().describe('id of a target: only its sessions') }),
  response: z.array(Session),
  errors: [404, 502, 503],
  handle: async ({ query: given }, { iscsi }) => json(await iscsi.sessions(given['target'] as string | undefined)),
})

export const createTarget = define({
  method: 'POST',
  path: COLLECTION,
  id: 'createISCSITarget',
  action: 'iscsi.targets.create',
  tag,
  summary: 'Make an iSCSI target; without initiators nobody can log in',
  permission: 'operator',
  body: z.strictObject({
    iqn: Iqn,
    initiators: Initiators.optional().describe('who may log in: iqn., eui. and naa. names, in small letters'),
    chap: Chap.optional().describe('what every initiator has to prove; the password is never shown again'),
    mutual_chap: Chap.optional().describe(MUTUAL),
  }),
  resource: {
    key: (_params, { iqn }) => `iscsi/${targetId(iqn)}`,
    version: ({ body: { iqn } }, { iscsi }) => versionNow(iscsi, targetId(iqn)),
  },
  status: 201,
  response: IscsiTarget,
  errors: [409, 502, 503],
  async handle({ body: { iqn, ...settings }, audit }, { iscsi }) {
    const target = await iscsi.create(iqn, settings)
    audit('iscsi.targets.create', `iscsi/targets/${targetId(iqn)}`)
    return shown(target, 201, { Location: `${COLLECTION}/${targetId(iqn)}` })
  },
})

export const getTarget = define({
  method: 'GET',
  path: ONE,
  id: 'getISCSITarget',
  tag,
  summary: 'Show one iSCSI target',
  permission: 'viewer',
  params,
  resource: { key: ({ id }) => `iscsi/${id}` },
  response: IscsiTarget,
  errors: [404, 502, 503],
  handle: async ({ params: { id } }, { iscsi }) => shown(await iscsi.get(id)),
})

export const updateTarget = define({
  method: 'PUT',
  path: ONE,
  id: 'updateISCSITarget',
  action: 'iscsi.targets.update',
  tag,
  summary: 'Change an iSCSI target: what is left out stays',
  permission: 'operator',
  params,
  query,
  body: z.strictObject({
    initiators: Initiators.optional(),
    enabled: z.boolean().optional(),
    chap: Chap.nullable().optional().describe('null: without CHAP, and without mutual_chap'),
    mutual_chap: Chap.nullable().optional().describe(`${MUTUAL}; null: nothing`),
  }),
  resource: {
    key: ({ id }) => `iscsi/${id}`,
    version: ({ params: { id } }, { iscsi }) => versionNow(iscsi, id),
  },
  response: IscsiTarget,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, query: given, body, audit }, { iscsi }) {
    const target = await iscsi.update(id, body, isForced(given))
    audit('iscsi.targets.update', `iscsi/targets/${id}`)
    return shown(target)
  },
})

export const deleteTarget = define({
  method: 'DELETE',
  path: ONE,
  id: 'deleteISCSITarget',
  action: 'iscsi.targets.delete',
  tag,
  summary: 'Remove an iSCSI target; its zvols stay',
  permission: 'operator',
  params,
  query,
  resource: {
    key: ({ id }) => `iscsi/${id}`,
    version: ({ params: { id } }, { iscsi }) => versionNow(iscsi, id),
  },
  response: Message,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, query: given, audit }, { iscsi }) {
    await iscsi.remove(id, isForced(given))
    audit('iscsi.targets.delete', `iscsi/targets/${id}`)
    return json({ message: 'iSCSI target deleted' })
  },
})

export const addLun = define({
  method: 'POST',
  path: `${ONE}/luns`,
  id: 'addLUN',
  action: 'iscsi.luns.add',
  tag,
  summary: 'Show a zvol as a LUN, under the lowest free number',
  permission: 'operator',
  params,
  body: z.strictObject({ zvol: KnownChild }),
  resource: {
    key: ({ id }, { zvol }) => [`iscsi/${id}`, ...turnsOf(zvol)],
    version: ({ params: { id } }, { iscsi }) => versionNow(iscsi, id),
  },
  status: 201,
  response: Lun,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, body: { zvol }, audit }, { iscsi }) {
    const lun = await iscsi.addLun(id, zvol)
    audit('iscsi.luns.add', `iscsi/targets/${id}/luns/${lun.id}`)
    return json(lun, 201)
  },
})

export const removeLun = define({
  method: 'POST',
  path: `${ONE}/luns/remove`,
  id: 'removeLUN',
  action: 'iscsi.luns.remove',
  tag,
  summary: 'Take a LUN away; the numbers of the others stay',
  permission: 'operator',
  params,
  query,
  body: z.strictObject({ lun_id: z.int().min(0).max(65_535) }),
  resource: {
    key: ({ id }) => `iscsi/${id}`,
    version: ({ params: { id } }, { iscsi }) => versionNow(iscsi, id),
  },
  response: Message,
  errors: [404, 409, 502, 503],
  async handle({ params: { id }, query: given, body: { lun_id: number }, audit }, { iscsi }) {
    await iscsi.removeLun(id, number, isForced(given))
    audit('iscsi.luns.remove', `iscsi/targets/${id}/luns/${number}`)
    return json({ message: 'LUN removed' })
  },
})

export const iscsiEndpoints = [
  listTargets,
  listSessions,
  createTarget,
  getTarget,
  updateTarget,
  deleteTarget,
  addLun,
  removeLun,
]
