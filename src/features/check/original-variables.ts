// The original's environment variables: what a migration makes of each, from the original's init script or this
// process's environment.
import { join, resolve } from 'node:path'
import { NO_MORE, shown, VARIABLES, type Variable } from '../original/environment.ts'
import { type Finding, note, warning } from './finding.ts'
import type { Place } from './place.ts'
import { readSmall } from './read.ts'

type Look = (subject: string, value: string, root: string) => Finding[]

const LOOKS: Record<Variable, Look> = {
  JIDO_API_PORT: (subject) => [
    note(
      'migration.variable',
      subject,
      NO_MORE.JIDO_API_PORT,
      'Set "listen.port" for HTTPS, and let clients use that.',
    ),
  ],
  JIDO_WITH_SSL: (subject) => [
    note(
      'migration.variable',
      subject,
      'HTTPS is the server’s own; "true" opens port 8443 of every IPv4 address, once there is a token or a first-run phrase',
      '"listen": {"host": …} in edge-admin.json decides instead, where there is such a file.',
    ),
  ],
  JIDO_STUNNEL_BIN: (subject) => [
    note('migration.variable', subject, NO_MORE.JIDO_STUNNEL_BIN, 'End the one that runs: both want its port.'),
  ],
  JIDO_API_CUSTOM: (subject) => [
    warning(
      'migration.own-pages',
      subject,
      NO_MORE.JIDO_API_CUSTOM,
      'Serve those paths with a reverse proxy in front of it, or do not migrate.',
    ),
  ],
  JIDO_API_VERSION: (subject, value) =>
    value === '1'
      ? []
      : [warning('migration.api-version', subject, NO_MORE.JIDO_API_VERSION, 'Let clients use /api/v1.')],
  JIDO_ADMIN_PATH: (subject, value, root) =>
    resolve(value) === root
      ? []
      : [
          warning(
            'migration.other-folder',
            subject,
            `it names another folder than ${root}`,
            'Look at that one, or leave the variable out.',
          ),
        ],
}

export async function lookAtVariables({ folders, system, environment }: Place): Promise<Finding[]> {
  const set = new Map<string, string | undefined>()
  for (const folder of [join(system, 'etc/init.d'), join(folders.sysconf, 'init.d')]) {
    const read = await readSmall(join(folder, 'jidoteki-admin-api'))
    const text = read.state === 'there' ? read.bytes.toString('utf8') : ''
    for (const [, name = '', value] of text.matchAll(/^\s*(?:export\s+)?(JIDO_[A-Z_]+)=["']?([^"'\s;]*)/gm))
      set.set(name, value)
  }
  for (const name of VARIABLES) if (environment[name]) set.set(name, environment[name])
  return VARIABLES.flatMap((name) => {
    const value = set.get(name)
    return value ? LOOKS[name](`${name}=${shown(value)}`, value, folders.root) : []
  })
}
