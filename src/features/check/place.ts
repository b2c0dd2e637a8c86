// The inputs of a check, and the users involved. A check by root does not show what the server's user may do, and an
// ordinary user sees little, so the user who checks and the user who serves are kept apart here.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, type Output, type Run, type RunOptions } from '../../drivers/run.ts'
import type { Folders } from '../../folders.ts'

/** The parts of the configuration that are checked. */
export interface Settings {
  endpoints: readonly string[]
  listen: { host: string; port: number; ports?: readonly { host?: string | undefined; port: number }[] }
  tls: { enabled: boolean }
  limits: { update: number; unpacked: number }
  label: string
  'service-manager': 'auto' | 'systemd' | 'openrc' | 'init'
  privilege: 'sudo' | 'none'
  wrapper?: string | undefined
  'legacy-md5': boolean
  surfaces: { controller: { enabled: boolean } }
  log: { file?: string | undefined; size: number }
}

export interface Configured {
  settings: Settings
  /** The file that it was read from; undefined if all defaults apply. */
  file: string | undefined
  /** Why it cannot be used; then `settings` has the defaults. */
  fault?: string | undefined
  /** Parts of the original's file that have no effect, in words. */
  ignored?: string[]
  /** Keys in their old place, in words. */
  moved?: string[]
}

export interface User {
  uid: number
  gid: number
}

export interface Place {
  folders: Folders
  /** Of the task scripts. */
  scripts: string
  configured: Configured
  run: Run
  /** Where tasks find programs. */
  path: readonly string[]
  /** Folder of the storage programs, instead of the system's. */
  programs?: string | undefined
  /** Replaces / for the system's own files (tests). */
  system: string
  /** The user who runs the check. */
  me: User
  /** The user of the server; undefined if no folder shows who that is. */
  server: User | undefined
  /** Milliseconds since 1970. */
  now: number
  /** The environment of the check, which may have the original's variables. */
  environment: Readonly<Record<string, string | undefined>>
  /** The server runs the check: it holds its port and its lock. */
  within: boolean
}

/** In sudo mode the server's own folder shows its user; otherwise the owner of the state folder. */
export async function serverOf(folders: Folders, privilege: 'sudo' | 'none'): Promise<User | undefined> {
  for (const path of privilege === 'sudo'
    ? [join(folders.state, 'tasks'), join(folders.state, 'incoming')]
    : [folders.state]) {
    const info = await stat(path).catch(() => undefined)
    if (info) return { uid: info.uid, gid: info.gid }
  }
  return undefined
}

/** The user of the task scripts. */
export const scriptsUser = ({ configured, server }: Place): User | undefined =>
  configured.settings.privilege === 'sudo' ? { uid: 0, gid: 0 } : server

/** A user's name, or the number if it has none. */
export async function userName({ system }: Place, uid: number): Promise<string> {
  const text = await readFile(join(system, 'etc/passwd'), 'utf8').catch(() => '')
  const line = text.split('\n').find((one) => one.split(':')[2] === String(uid))
  return line?.split(':')[0] || (uid === 0 ? 'root' : `user ${uid}`)
}

/** A user's groups: the one that was seen, and all that the system lists. */
export async function groupsOf({ system }: Pick<Place, 'system'>, { uid, gid }: User): Promise<number[]> {
  const [users, groups] = await Promise.all(
    ['etc/passwd', 'etc/group'].map(async (name) =>
      (await readFile(join(system, name), 'utf8').catch(() => '')).split('\n').map((line) => line.split(':')),
    ),
  )
  const [name, , , first] = users?.find((fields) => fields[2] === String(uid)) ?? []
  const more = (groups ?? []).filter(([, , , members]) => name && members?.split(',').includes(name))
  return [gid, ...[first, ...more.map((fields) => fields[2])].filter((id) => id).map(Number)]
}

export type Ran = (Output & { ran: true }) | { ran: false; why: CommandError['reason']; stderr: string }

/** Runs a program of the system by its path; never rejects. */
export async function attempt({ run }: Place, program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  try {
    const all = Array.from({ length: 255 }, (_, i) => i + 1)
    return { ran: true, ...(await run(program, args, { timeout: 4000, accept: all, maxBytes: 1 << 18, ...options })) }
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause
    return { ran: false, why: cause.reason, stderr: cause.stderr }
  }
}
