// GET and PUT /datasets/{name}/permissions: owner, group, mode and access control lists of a dataset's mount point, and
// with `recursive` of everything below it. A dataset that is itself called `permissions` is reached as
// tank%2Fpermissions.
import * as z from 'zod'
import { Permissions, PermissionsChange, PermissionsPreview } from '../../features/permissions/rules.ts'
import { KnownDataset } from '../../features/zfs/names.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'
import { finish } from './finish.ts'
import { Job } from './job-view.ts'

const PATH = `${PREFIX}/datasets/{name*}/permissions`
const tag = 'ZFS'
const ACTION = 'datasets.permissions'

const params = z.strictObject({ name: KnownDataset })
const keyOf = (name: string) => `datasets/${name}`
const resource = {
  key: ({ name }: { name: string }) => keyOf(name),
  version: ({ params: { name } }: { params: { name: string } }, { permissions }: ControllerDeps) =>
    permissions.version(name),
}

const get = define({
  method: 'GET',
  path: PATH,
  id: 'getDatasetPermissions',
  tag,
  summary: 'Show owner, group, mode and access control lists of a filesystem’s mount point',
  permission: 'viewer',
  params,
  response: Permissions,
  errors: [404, 409, 502, 503],
  resource: { key: resource.key },
  async handle({ params: { name } }, { permissions }) {
    const { shown, version } = await permissions.get(name)
    return { ...json(shown), version }
  },
})

const update = define({
  method: 'PUT',
  path: PATH,
  id: 'updateDatasetPermissions',
  action: ACTION,
  tag,
  summary: 'Set owner, group, mode and access control lists: what is left out stays',
  description:
    'With recursive=true a job sets the same for everything in the dataset: files are not executable unless they are programs, links are not followed, other datasets below are not entered, and what changes its owner loses set-user-id. dry_run=true answers what would change.',
  permission: 'operator',
  params,
  query: z.object({
    dry_run: z.enum(['true', 'false']).optional().meta({ description: 'answer what would change and change nothing' }),
  }),
  body: PermissionsChange,
  response: z.union([Permissions, PermissionsPreview]),
  accepted: Job,
  errors: [404, 409, 502, 503],
  resource,
  async handle(call, { permissions, tasks, settings }) {
    const { params, body, query, audit, by } = call
    const { name } = params
    const target = `${keyOf(name)}/permissions`
    if (query['dry_run'] === 'true') {
      const preview = await permissions.preview(name, body)
      audit(`${ACTION}.plan`, target)
      return json(preview)
    }
    if (body.recursive) {
      const task = await permissions.startRecursive(name, body, by)
      const done = async () => {
        const { shown, version } = await permissions.get(name)
        return { ...json(shown), version }
      }
      return finish(call, {
        tasks,
        task,
        action: ACTION,
        target,
        seconds: settings['apply-seconds'],
        object: name,
        done,
      })
    }
    const { shown, version } = await permissions.change(name, body)
    audit(ACTION, target)
    return { ...json(shown), version }
  },
})

export const permissionsEndpoints = [get, update]
