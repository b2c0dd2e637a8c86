// GET /logs and /debug: bundles made while the client waits. GET and POST /reboot.

import { invalid, locked, notFound } from '../../errors.ts'
import { uploads } from '../../folders.ts'
import type { Call } from '../../http/endpoint.ts'
import { downloadReply } from '../../http/reply/files.ts'
import type { Reply } from '../../http/reply/reply.ts'
import { type AdminDeps, begins, define, PREFIX, waits } from './context.ts'
import { Accepted, accepted } from './shapes.ts'

const BINARY = 'application/octet-stream'

/**
 * Runs the script and answers with the file that it created. A failing script is a 400, a missing file a 404
 * (contract).
 */
async function bundle(
  kind: 'logs' | 'debug',
  file: string,
  call: Call,
  { tasks, folders, mode }: AdminDeps,
): Promise<Reply> {
  const by = waits(call, tasks, { action: `${kind}.get`, target: file, path: `${PREFIX}/${kind}` })
  const task = await tasks.start(kind, { lock: 'logs', by })
  if (!task) throw locked('Logs are being collected already')
  const ended = await tasks.wait(task.id)
  // The original answers every failure with 404, whatever its documentation says.
  if (ended?.status !== 'completed' && mode === 'original') throw notFound()
  if (ended?.status !== 'completed') throw invalid(ended?.error?.message ?? 'Script error')
  return downloadReply(uploads(folders), file, BINARY)
}

export const getLogs = define({
  method: 'GET',
  path: `${PREFIX}/logs`,
  id: 'getLogs',
  action: 'logs.get',
  tag: 'Support',
  summary: 'Download the log files',
  permission: 'administrator',
  response: BINARY,
  acts: true,
  errors: [404, 409],
  handle: (call, deps) => bundle('logs', 'logs.tar.gz', call, deps),
})

export const getDebug = define({
  method: 'GET',
  path: `${PREFIX}/debug`,
  id: 'getDebug',
  action: 'debug.get',
  tag: 'Support',
  summary: 'Download the debug bundle, encrypted for the vendor',
  permission: 'administrator',
  response: BINARY,
  acts: true,
  errors: [404, 409],
  handle: (call, deps) => bundle('debug', 'debug-bundle.tar', call, deps),
})

async function reboot(call: Call, { tasks }: AdminDeps): Promise<Reply> {
  if (!(await tasks.start('reboot', { by: begins(call, { action: 'reboot.post', target: '', path: REBOOT.path }) })))
    throw locked('The system is rebooting already')
  call.audit('reboot.post', '')
  return accepted('reboot')
}

const REBOOT = {
  path: `${PREFIX}/reboot`,
  action: 'reboot.post',
  tag: 'Administration',
  permission: 'administrator',
  status: 202,
  response: Accepted,
  errors: [409],
  handle: reboot,
} as const

export const getReboot = define({
  ...REBOOT,
  errors: [409],
  method: 'GET',
  acts: true,
  id: 'getReboot',
  summary: 'Back up and reboot (for clients of the original; can be switched off)',
  enabled: (config) => config.reboot.get,
})

export const postReboot = define({
  ...REBOOT,
  errors: [409],
  method: 'POST',
  id: 'postReboot',
  summary: 'Back up and reboot',
})

export const supportEndpoints = [getLogs, getDebug, getReboot, postReboot]
