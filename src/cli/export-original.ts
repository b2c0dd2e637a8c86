// `edge-admin export-original`: the way back to the original's server. Our server would convert the token
// again if it ran or started too early, so this command holds the lock that the server takes. The person has to enter
// the token: the appliance has only its digest.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { TOKEN_CHARACTERS, tokenKey } from '../auth/token.ts'
import {
  exportOriginal,
  giveFoldersBack,
  judgeHalf,
  octal,
  openWay,
  putBackHalf,
  runningTask,
  tokenInForce,
} from '../features/original/export.ts'
import { planOriginal, readThrough } from '../features/original/form.ts'
import { DEFAULT_FOLDERS, etc, type Folders, originalGroup } from '../folders.ts'
import { recorded } from '../store/audit/inbox.ts'
import { hold } from '../store/lock.ts'
import { groupNamed } from '../store/owner.ts'
import { Failure, type Io, onBehalf, parse, say, UsageError } from './command.ts'
import { commandFolders } from './given-folders.ts'
import { originalConfiguration } from './original-configuration.ts'
import { saveState } from './save-state.ts'
import { becomeServer } from './step-down.ts'

export async function exportOriginalCommand(args: string[], io: Io): Promise<number> {
  const { values } = parse(args, {
    root: { type: 'string' },
    sysconfdir: { type: 'string' },
    statedir: { type: 'string' },
    group: { type: 'string' },
    'new-token': { type: 'boolean', default: false },
    undo: { type: 'boolean', default: false },
  })
  const { root, sysconfdir, statedir } = values
  const folders = commandFolders({ root, sysconfdir, statedir }, io)
  if (!statSync(etc(folders, ''), { throwIfNoEntry: false })?.isDirectory())
    throw new Failure(`${folders.root}: no etc folder in it`)
  if (process.geteuid?.() !== 0) throw new Failure('only root can give the files to the original’s users')
  const group = groupOf(values.group) ?? originalGroup(folders)
  if (group === undefined && !values.undo)
    throw new Failure(
      `${etc(folders, '')} belongs to the group of root: name the group of the original’s server with --group`,
    )
  if (!hold(join(folders.root, 'etc')))
    throw new Failure(`a server has ${folders.root}, and would convert the token again: stop it first`)
  const task = runningTask(folders)
  if (task !== undefined) throw new Failure(`a task is still running: ${task}. Wait for its end`)

  if (values.undo || group === undefined) return undo(folders, io)
  // Before the token is asked for: today's token would be wrong for the files of an old export.
  judgeHalf(folders)
  const given = await readToken(io)
  const token = values['new-token'] ? Buffer.from(checked(given)) : tokenInForce(folders, given)
  if (token === undefined) throw new Failure('this is not the token of this appliance; nothing was changed')
  if (putBackHalf(folders)) say(io.stdout, PUT_BACK)
  const phrase = readThrough(etc(folders, 'api.token.setup'))?.toString().trim()
  const { text: configuration, left } = originalConfiguration(folders)
  const plan = planOriginal({
    folders,
    token,
    endsFirstRun: !!phrase && tokenKey(phrase) !== tokenKey(token),
    group,
    keyGroup: groupNamed('staff') ?? group,
    linkAt: folders.sysconf === DEFAULT_FOLDERS.sysconf ? '/enterprise.pem' : undefined,
    configuration,
  })
  exportOriginal(folders, plan)
  for (const { path, what, mode, uid, gid } of plan.changes)
    say(io.stdout, `${path}: ${what}, ${octal(mode)} ${uid}:${gid}`)
  if (plan.link) say(io.stdout, `${plan.link.path}: a link to ${plan.link.to}`)
  if (plan.changes.length === 0 && !plan.link) say(io.stdout, 'every file has the original’s form already')
  else record(folders, io)
  const status = await saveState(folders, 'the token', io)
  for (const line of [...giveFoldersBack(folders), ...openWay(folders, group)]) say(io.stdout, line)
  for (const line of [...left, ...plan.left]) say(io.stderr, `left alone: ${line}`)
  say(io.stderr, 'Start the original’s server now. One of ours that starts again converts the token again.')
  return status
}

const PUT_BACK = 'what an export that was interrupted had done is put back'

/** Undoes only what an interrupted export has done. */
async function undo(folders: Folders, io: Io): Promise<number> {
  const isUndone = putBackHalf(folders)
  say(io.stdout, isUndone ? PUT_BACK : 'no export was interrupted: nothing was changed')
  return isUndone ? saveState(folders, 'the token', io) : 0
}

/** A group name or number. */
function groupOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const gid = /^[0-9]{1,9}$/.test(text) ? Number(text) : groupNamed(text)
  if (gid === undefined) throw new UsageError(`there is no group ${text}`)
  if (gid === 0) throw new UsageError('--group is not that of root')
  return gid
}

function checked(value: string): string {
  if (value.length < 1 || value.length > 255) throw new Failure('a token has 1 to 255 characters')
  if ([...value].some((character) => !TOKEN_CHARACTERS.includes(character)))
    throw new Failure('a token has only printable ASCII characters and no blanks')
  return value
}

/** The first line of standard input. */
async function readToken({ stdin, stderr }: Io): Promise<string> {
  if (stdin?.isTTY) stderr.write('The token of this appliance: ')
  const pieces: Buffer[] = []
  let size = 0
  for await (const chunk of stdin ?? []) {
    const piece = Buffer.from(chunk)
    pieces.push(piece)
    size += piece.length
    if (size > 4096 || piece.includes(10)) break
  }
  return (Buffer.concat(pieces).toString().split('\n', 1)[0] ?? '').replace(/\r$/, '')
}

/**
 * For the audit log of the next server of ours: from now on the token is stored here in clear. Written as that server's
 * user, who owns the folder.
 */
function record(folders: Folders, io: Io): void {
  const entry = { action: 'token.export', resource: 'token', by: onBehalf('edge-admin export-original', io) }
  try {
    becomeServer(join(folders.root, 'etc'), join(folders.root, 'tmp/incoming'), [])
    recorded(join(folders.root, 'etc'), entry, () => {})
  } catch (error) {
    say(io.stderr, `the audit log will not have it: ${error instanceof Error ? error.message : error}`)
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
