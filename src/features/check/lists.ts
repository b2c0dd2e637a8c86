// Checks the lists and texts that an image provides for the form that their readers need. The scripts read them with
// `edited` in scripts/lib.sh, which rejects UTF-16, while the server accepts it; the stricter reader counts.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { etc } from '../../folders.ts'
import { isVersion } from '../package/version.ts'
import { error, type Finding, note, ok, unseen, warning } from './finding.ts'
import type { Place } from './place.ts'
import { faultForScripts, readSmall, textOf } from './read.ts'

interface List {
  file: string
  /** The level and message if it is missing; undefined if it is optional. */
  missing?: { level: 'note' | 'warning'; message: string; mend: string }
  /** Scripts read it, too. */
  scripts?: true
  /** The problem of the text. */
  judge?: (text: string, place: Place) => Finding[] | Promise<Finding[]>
}

const has = (place: Place, endpoint: string) => place.configured.settings.endpoints.includes(endpoint)

function listsOf(place: Place): List[] {
  const { folders } = place
  const sysconf = (name: string) => join(folders.sysconf, name)
  const backup: List = { file: etc(folders, 'backup.txt'), scripts: true, judge: judgeBackup }
  if (has(place, 'backup'))
    backup.missing = {
      level: 'warning',
      message: 'it is not there, so no backup can be made',
      mend: 'List in it what to back up: names or patterns below the data folder, separated by spaces.',
    }
  const options: List = { file: sysconf('storage-options.json'), judge: judgeOptions }
  if (has(place, 'storage'))
    options.missing = {
      level: 'note',
      message: 'it is not there, so GET /storage offers all five kinds of storage',
      mend: 'Where the image offers fewer, write it: {"options":["local","nfs"]}, out of local, nfs, aoe, iscsi and nbd.',
    }
  return [
    backup,
    {
      ...{ file: etc(folders, 'logs.txt'), scripts: true as const, judge: judgeLogs },
      missing: {
        level: 'warning',
        message: 'it is not there, so no logs can be downloaded',
        mend: 'List in it more logs than those in ROOT/log: absolute paths, separated by spaces. It may be empty.',
      },
    },
    {
      ...{ file: etc(folders, 'debug.txt'), scripts: true as const },
      missing: {
        level: 'warning',
        message: 'it is not there, so no debug bundle can be made',
        mend: 'List in it the commands of the bundle, one per line. It may be empty.',
      },
    },
    {
      ...{ file: etc(folders, 'version.txt'), scripts: true as const, judge: judgeVersion },
      missing: {
        level: 'warning',
        message: 'it is not there: the appliance has no version, and takes a package of any version',
        mend: 'Write the version of the image into it, one line.',
      },
    },
    { file: etc(folders, 'product.txt'), scripts: true, judge: judgeProduct },
    {
      ...{ file: etc(folders, 'changelog.txt') },
      missing: {
        level: 'note',
        message: 'it is not there, so GET /changelog is 404',
        mend: 'Put the changelog of the image there.',
      },
    },
    {
      ...{ file: sysconf('build.json'), judge: judgeJson },
      missing: {
        level: 'note',
        message: 'it is not there, so GET /build is 404',
        mend: 'Write JSON into it that says what the image was built from.',
      },
    },
    { file: etc(folders, 'health.json'), judge: judgeObject },
    options,
    { file: sysconf('allservices.txt'), judge: judgeServices },
  ]
}

export async function lookAtLists(place: Place): Promise<Finding[]> {
  return (await Promise.all(listsOf(place).map((list) => lookAt(place, list)))).flat()
}

async function lookAt(place: Place, { file, missing, scripts, judge }: List): Promise<Finding[]> {
  const read = await readSmall(file)
  if (read.state === 'missing') {
    if (!missing) return []
    return [(missing.level === 'note' ? note : warning)('lists.missing', file, missing.message, missing.mend)]
  }
  if (read.state === 'unseen') return [unseen('lists', file)]
  const save = 'Save it as plain text in UTF-8.'
  if (read.state === 'wrong') return [error('lists.not-a-file', file, read.fault, 'Put a plain file there.')]
  const fault = scripts && faultForScripts(read.bytes)
  if (fault) return [error('lists.not-text', file, fault, save)]
  const text = textOf(read.bytes)
  if (text.fault !== undefined) return [error('lists.not-text', file, text.fault, save)]
  const found = (await judge?.(text.text, place)) ?? []
  return found.length > 0 ? found.map((one) => ({ ...one, subject: file })) : [ok('lists.ok', file, 'it can be read')]
}

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '')
const malformed = (message: string, mend: string) => error('lists.malformed', '', message, mend)

async function judgeBackup(text: string, { folders }: Place): Promise<Finding[]> {
  const patterns = words(text)
  if (patterns.length === 0)
    return [
      warning(
        'lists.empty',
        '',
        'it lists nothing, so no backup can be made',
        'List what to back up, below the data folder.',
      ),
    ]
  const outside = patterns.filter((pattern) => pattern.startsWith('/') || `/${pattern}/`.includes('/../'))
  if (outside.length > 0)
    return [
      malformed(
        `not below the data folder: ${outside.join(' ')}`,
        'Write names below the data folder, without a leading slash and without ..',
      ),
    ]
  const plain = patterns.filter((pattern) => !/[*?[]/.test(pattern))
  const there = await Promise.all(
    plain.map((name) =>
      stat(join(folders.data, name)).then(
        () => true,
        () => false,
      ),
    ),
  )
  const absent = plain.filter((_name, i) => !there[i])
  if (absent.length === 0) return []
  return [
    note(
      'lists.absent',
      '',
      `not there, and left out of backups: ${absent.join(' ')}`,
      'Nothing, where they come later.',
    ),
  ]
}

function judgeLogs(text: string): Finding[] {
  const relative = words(text).filter((path) => !path.startsWith('/'))
  if (relative.length === 0) return []
  return [
    malformed(
      `no absolute path, and left out: ${relative.join(' ')}`,
      'Write whole paths; one that contains a space cannot be listed.',
    ),
  ]
}

function judgeVersion(text: string): Finding[] {
  const line = text.split('\n', 1)[0] ?? ''
  if (isVersion(line)) return []
  return [
    malformed(
      'its first line is not a version that packages can be compared with',
      'Write one word into it, such as 1.4.2: letters, digits and . + ~ _ -',
    ),
  ]
}

function judgeProduct(text: string): Finding[] {
  if (/^[ -~]+$/.test(text.split('\n', 1)[0] ?? '')) return []
  return [
    warning(
      'lists.malformed',
      '',
      'its first line names no product in plain ASCII, so packages that name one are refused',
      'Write the name into it, as product.txt in your packages has it; or remove the file.',
    ),
  ]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const judgeObject = (text: string): Finding[] =>
  isObject(parsed(text)) ? [] : [malformed('it is no JSON object', 'Write it as JSON: {"name":"value"}')]

/** Clients get it unchanged, and nothing promises an object. */
const judgeJson = (text: string): Finding[] =>
  parsed(text) !== undefined ? [] : [malformed('it is no JSON', 'Write it as JSON: {"name":"value"}')]

const TYPES = ['local', 'nfs', 'aoe', 'iscsi', 'nbd']
function judgeOptions(text: string): Finding[] {
  const value = parsed(text)
  const options = isObject(value) && Array.isArray(value['options']) ? (value['options'] as unknown[]) : undefined
  const mend = `Write it: {"options":["local","nfs"]}, out of ${TYPES.join(', ')}.`
  if (!options) return [malformed('it is no JSON object with a list "options"', mend)]
  const unknown = options.filter((option) => !TYPES.some((type) => type === option))
  return unknown.length === 0
    ? []
    : [malformed(`nobody knows these kinds of storage: ${JSON.stringify(unknown)}`, mend)]
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9@_.-]{0,127}$/
async function judgeServices(text: string, { folders, configured, system }: Place): Promise<Finding[]> {
  const names = words(text)
  const odd = names.filter((name) => !NAME.test(name))
  if (odd.length > 0)
    return [
      malformed(`no names of services, and left out: ${odd.join(' ')}`, 'Write names, separated by spaces or lines.'),
    ]
  const manager = configured.settings['service-manager']
  const isThere = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    )
  // systemd and OpenRC know services that have no file here.
  if (manager === 'systemd' || manager === 'openrc') return []
  if (
    manager === 'auto' &&
    ((await isThere(join(system, 'run/systemd/system'))) || (await isThere(join(system, 'sbin/rc-service'))))
  )
    return []
  const there = await Promise.all(names.map((name) => isThere(join(folders.sysconf, 'init.d', name))))
  const absent = names.filter((_name, i) => !there[i])
  if (absent.length === 0) return []
  return [
    warning(
      'lists.no-service',
      '',
      `no script in init.d tells whether they run: ${absent.join(' ')}`,
      `Put one into ${join(folders.sysconf, 'init.d')} that knows "status", or take the name out.`,
    ),
  ]
}
