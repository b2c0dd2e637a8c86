// Checks the configuration and what has to match it: the settings that the scripts use under sudo, the wrapper, the
// log.
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { START } from '../../drivers/first-line.ts'
import { DEFAULT_ENDPOINTS, OPTIONAL_ENDPOINTS } from '../../endpoint-names.ts'
import { shellValues } from '../../folders.ts'
import { error, type Finding, isWrong, note, ok, unseen, warning } from './finding.ts'
import { lookAtFirstLine } from './hooks.ts'
import { type Place, scriptsUser } from './place.ts'
import { hinders, readSmall } from './read.ts'

/** Endpoints that are always on may be listed. */
const KNOWN: readonly string[] = [...OPTIONAL_ENDPOINTS, ...DEFAULT_ENDPOINTS]

export async function lookAtConfiguration(place: Place): Promise<Finding[]> {
  const { configured, folders } = place
  const { file, fault, settings } = configured
  const subject = file ?? join(folders.sysconf, 'edge-admin.json')
  if (fault !== undefined)
    return [
      error(
        'configuration.wrong',
        subject,
        fault.replace(`${subject}: `, ''),
        'Fix it: the server does not start with it.',
      ),
    ]
  const found: Finding[] =
    file === undefined ? [note('configuration.none', subject, 'it is not there, so every default holds')] : []
  for (const what of configured.ignored ?? [])
    found.push(
      warning(
        'configuration.ignored',
        subject,
        what,
        'Where that is what you want, write edge-admin.json instead of it.',
      ),
    )
  for (const what of configured.moved ?? [])
    found.push(warning('configuration.moved-key', subject, what, 'Write the new key in place of the old one.'))
  const unknown = settings.endpoints.filter((name) => !KNOWN.includes(name))
  if (unknown.length > 0)
    found.push(
      note(
        'configuration.unknown-endpoint',
        subject,
        `"endpoints" names what is not here: ${unknown.join(', ')}`,
        `There are: ${OPTIONAL_ENDPOINTS.join(', ')}.`,
      ),
    )
  found.push(
    ...(await lookAtOther(place)),
    ...(await lookAtWrapper(place)),
    ...(await lookAtLog(place)),
    ...(await lookAtSettings(place)),
  )
  return found.length > 0 ? found : [ok('configuration.ok', subject, 'it is valid')]
}

/** Only one of the two files is read. */
async function lookAtOther({ configured: { file }, folders }: Place): Promise<Finding[]> {
  const original = join(folders.sysconf, 'jidoteki-admin-api.json')
  if (file === undefined || file === original || !(await stat(original).catch(() => undefined))) return []
  return [note('configuration.not-read', original, `it is not read: ${file} is`)]
}

async function lookAtWrapper(place: Place): Promise<Finding[]> {
  const { wrapper } = place.configured.settings
  if (wrapper === undefined) return []
  const user = scriptsUser(place) ?? place.me
  const code = await hinders(place, wrapper, user, 1)
  if (code)
    return wrongWrapper(
      wrapper,
      code === 'ENOENT' ? 'it is not there' : 'it cannot be started',
      'Put it there with mode 755, or take "wrapper" out of the configuration.',
    )
  const read = await readSmall(wrapper, START)
  if (read.state === 'unseen') return [unseen('configuration', wrapper)]
  if (read.state !== 'there')
    return wrongWrapper(
      wrapper,
      read.state === 'wrong' ? read.fault : 'it is not there',
      'Put the script there, or take "wrapper" out of the configuration.',
    )
  const faults = (await lookAtFirstLine(place, wrapper, read.bytes)).filter(isWrong)
  const found = faults.flatMap(({ message, mend }) => wrongWrapper(wrapper, message, mend))
  if (place.configured.settings.privilege === 'sudo')
    found.push(
      note(
        'configuration.wrapper-sudo',
        wrapper,
        'with it, sudo mode protects root no better than the scripts of the original do, which unpack an update before they check it',
        'Take "wrapper" out of the configuration, where root has to be protected from the server.',
      ),
    )
  return found
}

const wrongWrapper = (wrapper: string, fault: string, mend: string) => [
  error('configuration.wrapper', wrapper, `${fault}, and every task of the admin surface goes through it`, mend),
]

async function lookAtLog(place: Place): Promise<Finding[]> {
  const { file } = place.configured.settings.log
  if (file === undefined) return []
  const there = await stat(file).catch(() => undefined)
  const code = await hinders(place, there ? file : dirname(file), place.server ?? place.me, 2)
  if (!code) return []
  return [
    error(
      'configuration.log-file',
      file,
      'the server cannot write its log there',
      'Make its folder, or give it to the server’s user.',
    ),
  ]
}

/** Under sudo the scripts read the file beside them, and nothing of the configuration. */
async function lookAtSettings({ configured: { settings }, folders, scripts }: Place): Promise<Finding[]> {
  if (settings.privilege !== 'sudo') return []
  const file = join(scripts, 'settings')
  const read = await readSmall(file)
  if (read.state === 'missing')
    return [
      error(
        'configuration.no-settings',
        file,
        'it is not there, and under sudo the scripts believe nothing else',
        'Install again (install.sh) with SERVER_USER=USER.',
      ),
    ]
  if (read.state === 'unseen') return [unseen('configuration', file)]
  if (read.state === 'wrong')
    return [error('configuration.no-settings', file, read.fault, 'Install again (install.sh) with SERVER_USER=USER.')]
  const values = shellValues(read.bytes.toString('utf8'))
  const expected: Record<string, string> = {
    EDGE_ROOT: folders.root,
    EDGE_SYSCONFDIR: folders.sysconf,
    EDGE_DATADIR: folders.data,
    EDGE_STATEDIR: folders.state,
    EDGE_LABEL: settings.label,
    EDGE_LEGACY_MD5: settings['legacy-md5'] ? '1' : '0',
    EDGE_UNPACK_LIMIT: String(settings.limits.unpacked),
    EDGE_LOG_SIZE: String(settings.log.size),
    EDGE_WRAPPER: settings.wrapper ?? '',
  }
  return Object.entries(expected).flatMap(([name, value]) => {
    const has = values.get(name) ?? ''
    if (has === value) return []
    const isFolder = /DIR$|ROOT$/.test(name)
    return [
      (isFolder ? error : warning)(
        'configuration.out-of-step',
        file,
        `${name} is ${has || 'empty'} there, and ${value || 'empty'} here`,
        `Write ${name}='${value}' into it.`,
      ),
    ]
  })
}
