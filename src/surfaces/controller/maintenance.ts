// GET and PUT /maintenance. Its own PUT must work during maintenance.
import * as z from 'zod'
import { Maintenance } from '../../features/maintenance/maintenance.ts'
import { json } from '../../http/reply/reply.ts'
import { type ControllerDeps, define, PREFIX } from './context.ts'

const path = `${PREFIX}/maintenance`
const tag = 'System'
const resource = { key: () => 'maintenance', version: (_call: unknown, deps: ControllerDeps) => deps.maintenance.get() }

export const getMaintenance = define({
  method: 'GET',
  path,
  id: 'getMaintenance',
  tag,
  summary: 'Show whether changes are blocked',
  permission: 'viewer',
  resource,
  response: Maintenance,
  handle: (_call, { maintenance }) => json(maintenance.get()),
})

export const setMaintenance = define({
  method: 'PUT',
  path,
  id: 'setMaintenance',
  action: 'maintenance.set',
  tag,
  summary: 'Block all changes of accounts, storage and services, or let them through again',
  permission: 'administrator',
  duringMaintenance: true,
  resource,
  body: z.strictObject({
    enabled: z.boolean(),
    message: z
      .string()
      .max(200)
      .regex(/^[^\x00-\x1f\x7f]*$/, 'Expected no control characters')
      .optional(),
  }),
  response: Maintenance,
  handle({ body, audit }, { maintenance }) {
    const state = maintenance.set(body)
    audit('maintenance.set', state.enabled ? 'maintenance/on' : 'maintenance/off')
    return json(state)
  },
})

export const maintenanceEndpoints = [getMaintenance, setMaintenance]
