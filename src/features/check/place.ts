// What a check looks at, and with which eyes. The trap: a check by root says nothing about what the server's own user may do, and one by an
// ordinary user sees little; so whoever looks and whoever serves are told apart here.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, type Output, type Run, type RunOptions } from '../../drivers/run.ts'
import type { Folders } from '../../folders.ts'

/** What the configuration says, as far as it is looked at. */
export interface Settings {
  endpoints: readonly string[]
  listen: { host: string; port: number }
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
  /** The file that it was read from; undefined where every default holds. */
  file: string | undefined
  /** Why it cannot be used; `settings` are the defaults then. */
  fault?: string | undefined
  /** What of the original's file decides nothing, in words. */
  ignored?: string[]
  /** Keys at their old place, in words. */
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
  /** Folders of the programs that tasks find. */
  path: readonly string[]
  /** Folder in place of / for the system's own files (tests). */
  system: string
  /** Whoever looks. */
  me: User
  /** The user of the server; undefined where no folder says who that is. */
  server: User | undefined
  /** Milliseconds since 1970. */
  now: number
  /** Of whoever looks: the original's variables may be in it. */
  environment: Readonly<Record<string, string | undefined>>
  /** The server itself looks: it has its port and its lock. */
  within: boolean
}

/** In sudo mode the server's own folder tells its user; without, whoever has the state folder. */
export async function serverOf(folders: Folders, privilege: 'sudo' | 'none'): Promise<User | undefined> {
  for (const path of privilege === 'sudo'
    ? [join(folders.state, 'tasks'), join(folders.state, 'incoming')]
    : [folders.state]) {
    const info = await stat(path).catch(() => undefined)
    if (info) return { uid: info.uid, gid: info.gid }
  }
  return undefined
}

/** Whoever the task scripts are. */
export const scriptsUser = ({ configured, server }: Place): User | undefined =>
  configured.settings.privilege === 'sudo' ? { uid: 0, gid: 0 } : server

/** The name of a user, for a person; the number where nobody has it. */
export async function userName({ system }: Place, uid: number): Promise<string> {
  const text = await readFile(join(system, 'etc/passwd'), 'utf8').catch(() => '')
  const line = text.split('\n').find((one) => one.split(':')[2] === String(uid))
  return line?.split(':')[0] || (uid === 0 ? 'root' : `user ${uid}`)
}

/** The groups of a user: the one that was seen with it, and all that the system gives it. */
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

/** Starts a program of the system by its path; every end of it is an answer. */
export async function attempt({ run }: Place, program: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  try {
    const all = Array.from({ length: 255 }, (_, i) => i + 1)
    return { ran: true, ...(await run(program, args, { timeout: 4000, accept: all, maxBytes: 1 << 18, ...options })) }
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause
    return { ran: false, why: cause.reason, stderr: cause.stderr }
  }
}
