// POST and GET /backup, GET /backup/download, GET /backup/log, POST /backup/restore.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Configuration } from '../../config.ts'
import { invalid, locked, notFound } from '../../errors.ts'
import { backupStatus, restore, startBackup, stopBackup } from '../../features/backup/backup.ts'
import { type Folders, uploads } from '../../folders.ts'
import { downloadReply, fileReply } from '../../http/reply/files.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import type { OpenFile } from '../../http/reply/open-file.ts'
import { jsonText, TEXT_TYPE } from '../../http/reply/reply.ts'
import { parseJson, readForeign } from '../../store/atomic.ts'
import { begins, define, PREFIX, waits } from './context.ts'
import { Accepted, accepted, Done, done, fileMissing } from './shapes.ts'

const COMMON = {
  tag: 'Backup',
  permission: 'administrator',
  enabled: ({ endpoints }: Configuration) => endpoints.includes('backup'),
} as const
const PATH = `${PREFIX}/backup`
const RESTORE = `${PATH}/restore`
/** The target in the original's audit line. */
const RESTORED = 'backup-archive.tar'
const EXPECTED = "Missing or invalid option: action. Expected value 'START' or 'STOP'"

export const postBackup = define({
  ...COMMON,
  method: 'POST',
  path: PATH,
  id: 'postBackup',
  action: 'backup.post',
  summary: 'Start a backup, or stop and delete it',
  form: { action: { kind: 'text', required: true, description: 'START or STOP' } },
  status: 202,
  response: Accepted,
  errors: [409],
  async handle(call, { tasks }) {
    const action = call.fields['action']?.trimEnd().toUpperCase()
    if (action !== 'START' && action !== 'STOP') throw invalid(EXPECTED)
    const by = begins(call, { action: 'backup.post', target: action, path: PATH })
    if (action === 'START') await startBackup(tasks, by)
    else await stopBackup(tasks, by)
    call.audit('backup.post', action)
    return accepted('backup')
  },
})

export const getBackup = define({
  ...COMMON,
  method: 'GET',
  path: PATH,
  id: 'getBackup',
  permission: 'viewer',
  summary: 'Show the state of the backup',
  query: Wait,
  response: z.looseObject({
    status: z.string(),
    filesize: z.string().optional().describe('as du -h prints it'),
    sha256: z.string().optional().describe('of the whole archive, hexadecimal'),
    'error-message': z.string().optional().describe('why the work could not even begin'),
  }),
  errors: [404],
  async handle(call, { folders, tasks }) {
    const { text } = await longPoll(
      {
        read: () => backupStatus(folders, tasks),
        underWay: ({ running }) => running,
        state: ({ text }) => String(text),
      },
      call,
    )
    if (text === undefined) throw notFound('', { words: 'No backup was made yet' })
    return jsonText(text, 200, { 'Cache-Control': 'no-cache' })
  },
})

/** The archive's checksum as its entity tag, if the status file with the checksum was written for this very file. */
function sumTag(folders: Folders, { inode, modified }: OpenFile): string | undefined {
  const status = uploads(folders, 'backup.json')
  const sumFile = statSync(status, { throwIfNoEntry: false })
  const { status: word, sha256 } = (parseJson(readForeign(status)) ?? {}) as { status?: unknown; sha256?: unknown }
  const now = statSync(uploads(folders, 'backup.tar'), { throwIfNoEntry: false, bigint: true })
  if (!sumFile || sumFile.mtimeMs < modified || now?.ino !== inode) return undefined
  return word === 'success' && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? `"${sha256}"` : undefined
}

export const downloadBackup = define({
  ...COMMON,
  method: 'GET',
  path: `${PREFIX}/backup/download`,
  id: 'downloadBackup',
  summary: 'Download the backup',
  response: 'application/x-tar',
  errors: [404],
  handle(_call, { folders }) {
    const reply = downloadReply(uploads(folders), 'backup.tar', 'application/x-tar')
    if (reply.file) reply.file.tag = sumTag(folders, reply.file) ?? reply.file.tag
    return reply
  },
})

export const getBackupLog = define({
  ...COMMON,
  method: 'GET',
  path: `${PREFIX}/backup/log`,
  id: 'getBackupLog',
  permission: 'viewer',
  summary: 'Read the whole backup log',
  response: TEXT_TYPE,
  errors: [404],
  handle: (_call, { folders }) =>
    fileReply(join(folders.root, 'log'), 'update_backup.log', {
      'Content-Type': TEXT_TYPE,
      'Cache-Control': 'no-cache',
    }),
})

export const restoreBackup = define({
  ...COMMON,
  method: 'POST',
  path: RESTORE,
  id: 'restoreBackup',
  action: 'backup.restore',
  summary: 'Restore a backup; answers when it is done',
  form: {
    archive: {
      kind: 'file',
      required: true,
      description: 'Backup archive (tar)',
      limit: ({ limits }) => limits.archive,
    },
  },
  response: Done,
  errors: [409, 413],
  precheck({ tasks }) {
    if (tasks.isRunning('backup')) throw locked('A backup or restore is already running')
  },
  async handle(call, { folders, tasks, config }) {
    const file = call.files['archive']
    if (!file) throw fileMissing('archive')
    const by = waits(call, tasks, { action: 'backup.restore', target: RESTORED, path: RESTORE })
    const limits = { entries: config.limits.entries, bytes: config.limits.unpacked }
    await restore(folders, tasks, file.path, limits, by, config.label)
    return done()
  },
})

export const backupEndpoints = [postBackup, getBackup, downloadBackup, getBackupLog, restoreBackup]
