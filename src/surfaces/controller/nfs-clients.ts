// GET /exports/nfs/clients.
import * as z from 'zod'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'

const Client = z
  .object({
    address: z.string(),
    state: z
      .enum(['connected', 'remembered'])
      .describe('connected: the kernel serves it now; remembered: it mounted once, and may be gone'),
    version: z.string().describe('of NFS, such as 4.2'),
    name: z.string().optional().describe('as the client calls itself; NFSv4 only'),
    path: z.string().optional().describe('what it mounted; NFSv3 only, since NFSv4 has no mounts of single exports'),
    idle_seconds: z.int().optional().describe('since it last renewed its lease; NFSv4 only'),
  })
  .meta({ id: 'NFSClient' })

export const nfsClientsEndpoints = [
  define({
    method: 'GET',
    path: `${PREFIX}/exports/nfs/clients`,
    id: 'listNFSClients',
    tag: 'Storage Services',
    summary: 'List the clients that have mounted NFS exports',
    description:
      'NFSv4 clients are those that the kernel serves. NFSv3 keeps no such state: its clients are those that mountd remembers, also after they were switched off.',
    permission: 'viewer',
    response: z.array(Client),
    handle: (_call, { shares }) => json(shares.nfsClients()),
  }),
]
