// GET /shares/smb/sessions and /shares/smb/files, DELETE /shares/smb/sessions/{session}, POST /shares/smb/{id}/disconnect.
import * as z from 'zod'
import { Timestamp } from '../../features/timestamp.ts'
import { json } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { Message } from './shapes.ts'

const SHARES = `${PREFIX}/shares/smb`
const tag = 'Storage Services'
/** Left out where Samba does not say it. */
const since = Timestamp.optional()

const Session = z
  .object({
    id: z.string(),
    username: z.string(),
    client: z.string().describe('the address of the client'),
    dialect: z.string().describe('such as SMB3_11'),
    encrypted: z.boolean(),
    signed: z.boolean(),
    shares: z.array(z.string()),
    open_files: z.int().describe('over the same connection'),
    since,
  })
  .meta({ id: 'SMBSession' })

const File = z
  .object({
    path: z.string(),
    username: z.string(),
    client: z.string(),
    access: z.string().describe('R, W or RW'),
    session: z.string().optional().describe('the session to end in order to close the file'),
    since,
  })
  .meta({ id: 'SMBOpenFile' })

const listSessions = define({
  method: 'GET',
  path: `${SHARES}/sessions`,
  id: 'listSMBSessions',
  tag,
  summary: 'List who is connected to the SMB shares',
  permission: 'viewer',
  response: z.array(Session),
  errors: [502, 503],
  handle: async (_call, { shares }) => json(await shares.sessions.all()),
})

const listFiles = define({
  method: 'GET',
  path: `${SHARES}/files`,
  id: 'listSMBOpenFiles',
  tag,
  summary: 'List the files that are open over SMB',
  permission: 'viewer',
  response: z.array(File),
  errors: [502, 503],
  handle: async (_call, { shares }) => json(await shares.sessions.files()),
})

const closeSession = define({
  method: 'DELETE',
  path: `${SHARES}/sessions/{session}`,
  id: 'closeSMBSession',
  action: 'smb-sessions.close',
  tag,
  summary: 'End an SMB session: what the client has not written yet is lost',
  description:
    'The connection of the client is closed, with every session over it. The client may connect again: disable the share or the user to keep it out.',
  permission: 'operator',
  params: z.strictObject({ session: z.string().max(64) }),
  response: Message,
  errors: [404, 502, 503],
  async handle({ params: { session }, audit }, { shares }) {
    await shares.sessions.close(session)
    audit('smb-sessions.close', `shares/smb/sessions/${session}`)
    return json({ message: 'session closed' })
  },
})

const disconnect = define({
  method: 'POST',
  path: `${SHARES}/{id}/disconnect`,
  id: 'disconnectSMBShare',
  action: 'shares.disconnect',
  tag,
  summary: 'End the connections to an SMB share: clients may connect again',
  permission: 'operator',
  params: z.strictObject({ id: z.string().max(64) }),
  response: Message,
  errors: [404, 502, 503],
  async handle({ params: { id }, audit }, { shares }) {
    await shares.sessions.closeShare((await shares.smb.get(id)).name)
    audit('shares.disconnect', `shares/smb/${id}`)
    return json({ message: 'connections closed' })
  },
})

export const smbSessionsEndpoints = [listSessions, listFiles, closeSession, disconnect]
