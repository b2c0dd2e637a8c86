// What an SMB share can do beyond serving files, as Samba's parameters: a recycle bin, previous versions, Time Machine,
// and which addresses may connect. Modules that somebody else put into the share stay.
import * as z from 'zod'
import { formatList, parseFlag, parseList } from '../../drivers/smb-conf.ts'
import { TYPES } from '../snapshots/periods.ts'
import { canonicalClient } from './clients.ts'
import { isOfHomes, withOwn, withoutOwn } from './home-folders.ts'

/** Addresses and networks only: Samba would ask the resolver for a name at each connection, and believe it. */
const Hosts = z
  .array(
    z
      .string()
      .max(64, 'Expected at most 64 characters')
      .transform((text, context) => {
        const host = canonicalClient(text)
        if (host !== undefined && /^[0-9a-f:.]+(?:\/\d+)?$/.test(host)) return host
        context.addIssue({ code: 'custom', message: 'Expected an address or a network, such as 192.168.1.0/24' })
        return z.NEVER
      })
      .meta({ type: 'string' }),
  )
  .max(256, 'Expected at most 256 addresses')
  .transform((hosts) => [...new Set(hosts)])
  .meta({ id: 'SMBHosts', description: 'addresses and networks (CIDR)', example: ['192.168.1.0/24'] })

/** Below a gigabyte no backup of a Mac would ever be whole. */
const TimeMachine = z
  .strictObject({
    max_bytes: z
      .int()
      .min(2 ** 30, 'Expected at least 1 GiB')
      .max(Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('what all backups in it may use together; left out: as much as the dataset has'),
  })
  .nullable()
  .meta({ id: 'TimeMachine', description: 'Macs can back up to it; null: they cannot' })

export const SmbOptions = z.object({
  hosts_allow: Hosts.optional().describe('the only clients that may connect; none named: every client'),
  hosts_deny: Hosts.optional().describe('clients that may not connect; one that is in both lists may'),
  recycle_bin: z.boolean().optional().describe('deleted files are kept in .recycle, by user'),
  previous_versions: z
    .boolean()
    .optional()
    .describe('Windows shows the snapshots of the snapshot policies as previous versions of files'),
  time_machine: TimeMachine.optional(),
  home_folders: z
    .boolean()
    .optional()
    .describe('each user sees a folder of their own, named like them; share users get it when they are made'),
})
/** What is not set is left out. */
export const SmbOptionsShown = z.object({
  hosts_allow: z.array(z.string()).optional(),
  hosts_deny: z.array(z.string()).optional(),
  recycle_bin: z.boolean().optional(),
  previous_versions: z.boolean().optional(),
  time_machine: z.object({ max_bytes: z.int().optional() }).optional(),
  home_folders: z.boolean().optional(),
})
export type SmbOptions = z.infer<typeof SmbOptions>

/** In the order in which Samba has to call them: fruit before streams_xattr. */
const MODULES = ['shadow_copy2', 'recycle', 'catia', 'fruit', 'streams_xattr'] as const
type Module = (typeof MODULES)[number]

const OF: Record<'recycle_bin' | 'previous_versions' | 'time_machine', readonly Module[]> = {
  previous_versions: ['shadow_copy2'],
  recycle_bin: ['recycle'],
  time_machine: ['catia', 'fruit', 'streams_xattr'],
}

/** `daily-20261129-000000` in UTC, as the scheduler names its snapshots; other snapshots have no time in their name. */
const SHADOW = [
  ['shadow:snapdir', '.zfs/snapshot'],
  ['shadow:sort', 'desc'],
  ['shadow:snapprefix', `^\\(${TYPES.join('\\|')}\\)$`],
  ['shadow:delimiter', '-'],
  ['shadow:format', '-%Y%m%d-%H%M%S'],
  ['shadow:localtime', 'no'],
] as const
/** Where the server could not make the folder, the first user to delete a file does: every other one needs a place in it. */
const RECYCLE = [
  ['recycle:repository', '.recycle/%U'],
  ['recycle:directory_mode', '1777'],
  ['recycle:subdir_mode', '0700'],
  ['recycle:keeptree', 'yes'],
  ['recycle:versions', 'yes'],
] as const
const FRUIT = [
  ['fruit:time machine', 'yes'],
  ['fruit:metadata', 'stream'],
] as const
const MAX = 'fruit:time machine max size'

export type Get = (parameter: string) => string | undefined

/** Only what is set: a share has none of this by default. */
export function readOptions(get: Get): SmbOptions {
  const modules = new Set(parseList(get('vfs objects') ?? ''))
  const hosts = (name: string) => parseList(get(name) ?? '')
  const [allow, deny] = [hosts('hosts allow'), hosts('hosts deny')]
  const max = Number(get(MAX))
  return {
    ...(allow.length > 0 && { hosts_allow: allow }),
    ...(deny.length > 0 && { hosts_deny: deny }),
    ...(modules.has('recycle') && { recycle_bin: true }),
    ...(modules.has('shadow_copy2') && { previous_versions: true }),
    ...(modules.has('fruit') &&
      parseFlag(get('fruit:time machine'), false) && {
        time_machine: max > 0 && Number.isSafeInteger(max) ? { max_bytes: max } : {},
      }),
    ...(isOfHomes(get('path')) && { home_folders: true }),
  }
}

/** Writes what the change names into a section's parameters. */
export function writeOptions(parameters: Map<string, string>, change: SmbOptions): void {
  const { hosts_allow, hosts_deny, recycle_bin, previous_versions, time_machine, home_folders } = change
  const list = (name: string, items: string[] | undefined) => {
    if (items !== undefined) put(parameters, name, formatList(items))
  }
  list('hosts allow', hosts_allow)
  list('hosts deny', hosts_deny)
  if (recycle_bin !== undefined) use(parameters, OF.recycle_bin, recycle_bin, RECYCLE)
  if (previous_versions !== undefined) use(parameters, OF.previous_versions, previous_versions, SHADOW)
  const path = parameters.get('path') ?? ''
  if (home_folders !== undefined) put(parameters, 'path', home_folders ? withOwn(path) : withoutOwn(path))
  if (time_machine === undefined) return
  use(parameters, OF.time_machine, time_machine !== null, FRUIT)
  put(parameters, MAX, String(time_machine?.max_bytes ?? ''))
}

const put = (parameters: Map<string, string>, name: string, value: string) =>
  value === '' ? parameters.delete(name) : parameters.set(name, value)

function use(
  parameters: Map<string, string>,
  modules: readonly Module[],
  on: boolean,
  settings: readonly (readonly [string, string])[],
): void {
  const before = parseList(parameters.get('vfs objects') ?? '')
  const ours = MODULES.filter((module) => (modules.includes(module) ? on : before.includes(module)))
  const others = before.filter((module) => !MODULES.some((one) => one === module))
  put(parameters, 'vfs objects', [...ours, ...others].join(' '))
  for (const [name, value] of settings) put(parameters, name, on ? value : '')
}
