// The system's storage programs, by name. A folder that a test gives replaces the system's folders instead of preceding
// them: a fake that was forgotten must be missing, never this machine's real `zpool`.
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { SYSTEM_PATH } from '../folders.ts'
import { CommandError, createRun, type Output, type RunOptions } from './run.ts'

const PROGRAMS = [
  'zpool',
  'zfs',
  'lsblk',
  'udevadm',
  'smartctl',
  'ledctl',
  'net',
  'testparm',
  'smbcontrol',
  'smbstatus',
  'pdbedit',
  'smbpasswd',
  'getent',
  'useradd',
  'usermod',
  'userdel',
  'groupadd',
  'groupdel',
  'gpasswd',
  'exportfs',
  'targetcli',
  'systemctl',
  'getfacl',
  'setfacl',
] as const
/** One of the installed scripts: `lio` is lio.sh. */
const OWN = ['lio'] as const
export type ProgramName = (typeof PROGRAMS)[number] | (typeof OWN)[number]

/** Runs one of them. Rejects with a CommandError: `missing` if it is not installed. */
export interface Tool {
  (name: ProgramName, args: string[], options?: RunOptions): Promise<Output>
  /** Changes when another file is installed under the name; without it, the text is constant. */
  identity?: (name: ProgramName) => string
}

/** `folder`: where to look instead of the system's folders and of `scripts`, where Edge Admin's own programs are. */
export function createTool(folder?: string, scripts = ''): Tool {
  const folders = folder ? [folder] : SYSTEM_PATH.split(':')
  const isOwn = (name: ProgramName) => OWN.some((one) => one === name)
  const places = (name: ProgramName) =>
    isOwn(name) && !folder ? [join(scripts, `${name}.sh`)] : folders.map((place) => `${place}/${name}`)
  const allowed = new Set([...PROGRAMS, ...OWN].flatMap(places))
  const run = createRun((program) => allowed.has(program))
  const find = (name: ProgramName) => places(name).find(isExecutable)
  const start: Tool = async (name, args, options) => {
    const program = find(name)
    if (!program) throw new CommandError([name, ...args], 'missing')
    return run(program, args, options)
  }
  return Object.assign(start, { identity: (name: ProgramName) => identityOf(find(name)) })
}

function identityOf(program: string | undefined): string {
  const file = program === undefined ? undefined : statSync(program, { throwIfNoEntry: false })
  return file ? `${program} ${file.dev} ${file.ino} ${file.size} ${file.mtimeMs}` : ''
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The program's message as one line that a caller may see; empty if it printed nothing. */
export function toolMessage({ stderr }: CommandError): string {
  const line = stderr
    .split('\n')
    .map((text) => text.replace(/[^\x20-\x7e]/g, ' ').trim())
    .find((text) => text !== '')
  return (line ?? '').slice(0, 300)
}
