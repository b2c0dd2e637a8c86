// GET /dashboard. Every open page polls it, so its cost must not grow with what there is to count.
import * as z from 'zod'
import { readDashboard } from '../../features/dashboard/dashboard.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'

const Count = z.int().min(0)
const Bytes = Count.meta({ format: 'int64', description: 'bytes' })

export const Dashboard = z
  .object({
    storage: z.object({
      total_capacity: Bytes.describe('bytes of the pools’ devices, as zpool counts them'),
      allocated: Bytes.describe('bytes of them that are in use'),
      usable: Bytes.optional().describe(
        'bytes that can be stored in all, what is stored included; left out while it is not known of every pool',
      ),
      usable_free: Bytes.optional().describe('bytes that can still be stored'),
      pool_count: Count,
      pools_unhealthy: Count,
      dataset_count: Count,
      zvol_count: Count,
      snapshot_count: Count,
    }),
    services: z.object({
      smb_shares: Count,
      nfs_exports: Count,
      iscsi_targets: Count,
      smb_status: z.boolean(),
      nfs_status: z.boolean(),
      iscsi_status: z.boolean(),
    }),
    jobs: z.object({ total: Count, running: Count, completed: Count, failed: Count }),
    problems: z
      .array(z.object({ source: z.string(), message: z.string() }))
      .describe('what could not be asked: its numbers are 0 and false; and what of iSCSI is saved and not served'),
  })
  .meta({ id: 'Dashboard' })

export const getDashboard = define({
  method: 'GET',
  path: `${PREFIX}/dashboard`,
  id: 'getDashboard',
  tag: 'System',
  summary: 'Show how much there is of everything, and what runs',
  permission: 'viewer',
  response: Dashboard,
  handle: async (_call, { pools, zfs, serving, tasks }) =>
    json(await readDashboard({ zpool: pools.zpool, zfs, serving, tasks })),
})

export const dashboardEndpoints = [getDashboard]
