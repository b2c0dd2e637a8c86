// The vendor's hooks: whether they could be started. None of them is.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { error, type Finding, note, ok, unseen, warning } from './finding.ts'
import { type Place, scriptsUser } from './place.ts'
import { findProgram, hinders, readSmall } from './read.ts'

export const HOOKS = ['network', 'storage', 'certs', 'license', 'reboot']

export async function lookAtHooks(place: Place): Promise<Finding[]> {
  return (await Promise.all(HOOKS.map((name) => lookAt(place, join(place.folders.root, 'bin', `${name}.sh`))))).flat()
}

/** Bytes: more of a program the kernel does not look at, either. */
const START = 256

async function lookAt(place: Place, file: string): Promise<Finding[]> {
  const read = await readSmall(file, START)
  if (read.state === 'missing') return []
  const unread = read.state === 'unseen'
  if (read.state === 'wrong')
    return [error('hooks.not-a-file', file, `${read.fault}, so it is no hook`, 'Remove it, or lay the script there.')]
  const user = scriptsUser(place) ?? place.me
  if (await hinders(place, file, user, 1))
    return unread && user.uid !== place.me.uid
      ? [unseen('hooks', file)]
      : [
          error(
            'hooks.not-executable',
            file,
            'it cannot be started, and its task fails',
            `chmod 755 ${file}; and no "noexec" on its file system`,
          ),
        ]
  if (unread) return [unseen('hooks', file)]
  const found = await lookAtFirstLine(place, file, read.bytes)
  const info = await stat(file)
  if (user.uid === 0 && (info.uid !== 0 || (info.mode & 0o022) !== 0))
    found.push(
      warning(
        'hooks.owner',
        file,
        'root runs it, and others than root may change it',
        `chown root ${file} && chmod go-w ${file}`,
      ),
    )
  return found.length > 0 ? found : [ok('hooks.ok', file, 'it can be started')]
}

/** By the rules of `script_fault` in scripts/hook.sh, which says why a hook did not start: one table of cases tests both. */
async function lookAtFirstLine(place: Place, file: string, bytes: Buffer): Promise<Finding[]> {
  if (bytes.length === 0)
    return [
      error(
        'hooks.empty',
        file,
        'it is empty: it would do nothing and be believed',
        'Remove it, or write what it is to do.',
      ),
    ]
  const begin = bytes.subarray(0, 4).toString('hex')
  // A program may hold any bytes, and what mends a text would destroy it.
  if (begin === '7f454c46') return []
  if (begin.startsWith('efbbbf'))
    return [
      error(
        'hooks.byte-order-mark',
        file,
        'it begins with a byte order mark, and the kernel does not know its first line',
        `sed -i '1s/^\\xef\\xbb\\xbf//' ${file}`,
      ),
    ]
  if (begin.startsWith('fffe') || begin.startsWith('feff'))
    return [
      error(
        'hooks.not-text',
        file,
        'it is saved as UTF-16, which no shell runs',
        'Save it as UTF-8, without a byte order mark.',
      ),
    ]
  const first = bytes.toString('latin1').split('\n', 1)[0] ?? ''
  const line = first.replaceAll('\0', '').slice(0, 255)
  if (line.endsWith('\r'))
    return [
      error(
        'hooks.line-ends',
        file,
        'its first line ends as on Windows, and no shell runs it',
        `sed -i 's/\\r$//' ${file}`,
      ),
    ]
  if (!line.startsWith('#!'))
    return [
      note(
        'hooks.no-interpreter',
        file,
        'its first line names no interpreter; the shell runs it all the same',
        'Begin it with #!/bin/sh',
      ),
    ]
  const [program = '', argument = ''] = line.slice(2).trim().split(/\s+/)
  const isThere = (one: string) =>
    access(join(place.system, one), constants.X_OK).then(
      () => true,
      () => false,
    )
  const byName = program.endsWith('/env') && argument !== '' && !argument.startsWith('-')
  if (!(await isThere(program)))
    return [
      error(
        'hooks.interpreter-missing',
        file,
        `its interpreter is not there: ${program}`,
        `Install ${program}, or name another one in its first line.`,
      ),
    ]
  if (byName && !(await findProgram(place, argument)))
    return [
      error(
        'hooks.interpreter-missing',
        file,
        `its interpreter is not there: ${argument}`,
        `Install ${argument}, or name another one in its first line.`,
      ),
    ]
  return []
}
