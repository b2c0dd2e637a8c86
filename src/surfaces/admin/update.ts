// POST and GET /update, GET /update/log.

import { join } from 'node:path'
import * as z from 'zod'
import { invalid } from '../../errors.ts'
import {
  readUpdateStatus,
  startUpdate,
  type UpdateStatus,
  updateRunning,
  updateStatus,
} from '../../features/update/update.ts'
import { fileReply } from '../../http/reply/files.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import { json, TEXT_TYPE } from '../../http/reply/reply.ts'
import { begins, define, PREFIX } from './context.ts'
import { Accepted, accepted, fileMissing, literalLines } from './shapes.ts'

const PATH = `${PREFIX}/update`

export const Status = z
  .looseObject({
    status: z.enum(['running', 'success', 'failed']).or(z.string()).nullable().optional(),
    percentage: z.number().optional().describe('percent'),
    log: z.string().nullable().describe('the last ten lines, joined by a literal \\n'),
    'error-message': z.string().optional(),
    'error-code': z.string().optional().describe('E1000 to E1005, or the package’s own'),
  })
  .meta({ id: 'TaskStatus' })

export const postUpdate = define({
  method: 'POST',
  path: PATH,
  id: 'postUpdate',
  action: 'update.post',
  tag: 'Updates',
  summary: 'Install an encrypted and signed update package',
  permission: 'administrator',
  form: {
    update: {
      kind: 'file',
      bound: 'uploads',
      required: true,
      description: 'Encrypted software update package',
      limit: ({ limits }) => limits.update,
    },
  },
  status: 202,
  response: Accepted,
  errors: [413],
  precheck: ({ tasks }) => {
    if (tasks.isRunning('update')) throw updateRunning()
  },
  async handle(call, { folders, tasks, config }) {
    const file = call.files['update']
    if (!file) throw fileMissing('update')
    if (file.size === 0) throw invalid('The update package is empty')
    await startUpdate(
      folders,
      tasks,
      file.path,
      begins(call, { action: 'update.post', target: '', path: PATH }),
      config.label,
    )
    call.audit('update.post', '')
    return accepted('update')
  },
})

export const getUpdate = define({
  method: 'GET',
  path: PATH,
  id: 'getUpdate',
  tag: 'Updates',
  summary: 'Show the state of the update',
  permission: 'viewer',
  query: Wait,
  response: Status,
  handle(call, { folders, tasks }) {
    const now = readUpdateStatus(folders, tasks)
    // With nothing under way no lock needs checking, and the answer stays synchronous: clients poll this.
    if (now.members['status'] !== 'running' && !tasks.isClaimed('update')) return render(now)
    return longPoll(
      {
        read: () => updateStatus(folders, tasks),
        underWay: ({ members }) => members['status'] === 'running',
        state: ({ members }) => JSON.stringify(members),
      },
      call,
    ).then(render)
  },
})

const render = ({ members, log, message, code }: UpdateStatus) =>
  json({
    ...members,
    log: literalLines(log),
    ...(message !== undefined && { 'error-message': message }),
    ...(code !== undefined && { 'error-code': code }),
  })

export const getUpdateLog = define({
  method: 'GET',
  path: `${PATH}/log`,
  id: 'getUpdateLog',
  tag: 'Updates',
  summary: 'Read the whole update log',
  permission: 'viewer',
  response: TEXT_TYPE,
  errors: [404],
  handle: (_call, { folders }) =>
    fileReply(join(folders.root, 'log'), 'update.log', { 'Content-Type': TEXT_TYPE, 'Cache-Control': 'no-cache' }),
})

export const updateEndpoints = [postUpdate, getUpdate, getUpdateLog]
