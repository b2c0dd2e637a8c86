// Checks whether the vendor's hooks could be started, without starting them.

import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { firstLine, START } from '../../drivers/first-line.ts'
import { error, type Finding, note, ok, unseen, warning } from './finding.ts'
import { type Place, scriptsUser } from './place.ts'
import { findProgram, hinders, readSmall } from './read.ts'

export const HOOKS = ['network', 'storage', 'certs', 'license', 'reboot']

export async function lookAtHooks(place: Place): Promise<Finding[]> {
  return (await Promise.all(HOOKS.map((name) => lookAt(place, join(place.folders.root, 'bin', `${name}.sh`))))).flat()
}

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

/** Whether an executable script or program can be started; also used for the wrapper. */
export async function lookAtFirstLine(place: Place, file: string, bytes: Buffer): Promise<Finding[]> {
  const found = firstLine(bytes)
  switch (found.is) {
    case 'binary':
      return []
    case 'script':
      return lookAtInterpreter(place, file, found)
    case 'empty':
      return [
        error(
          'hooks.empty',
          file,
          'it is empty: it would do nothing and count as a success',
          'Remove it, or write its commands.',
        ),
      ]
    case 'byte-order-mark':
      return [
        error(
          'hooks.byte-order-mark',
          file,
          'it begins with a byte order mark, and the kernel does not know its first line',
          `sed -i '1s/^\\xef\\xbb\\xbf//' ${file}`,
        ),
      ]
    case 'utf-16':
      return [
        error(
          'hooks.not-text',
          file,
          'it is saved as UTF-16, which no shell runs',
          'Save it as UTF-8, without a byte order mark.',
        ),
      ]
    case 'line-ends':
      return [
        error(
          'hooks.line-ends',
          file,
          'its first line ends as on Windows, and no shell runs it',
          `sed -i 's/\\r$//' ${file}`,
        ),
      ]
    case 'no-interpreter':
      return [
        note(
          'hooks.no-interpreter',
          file,
          'its first line names no interpreter; the shell runs it all the same',
          'Begin it with #!/bin/sh',
        ),
      ]
  }
}

async function lookAtInterpreter(
  place: Place,
  file: string,
  { program, argument }: { program: string; argument: string },
): Promise<Finding[]> {
  const missing = (name: string) => [
    error(
      'hooks.interpreter-missing',
      file,
      `its interpreter is not there: ${name}`,
      `Install ${name}, or name another one in its first line.`,
    ),
  ]
  const isThere = await access(join(place.system, program), constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!isThere) return missing(program)
  const byName = program.endsWith('/env') && argument !== '' && !argument.startsWith('-')
  return byName && !(await findProgram(place, argument)) ? missing(argument) : []
}
