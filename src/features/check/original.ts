// Lists what a migration from the original would change in its root, without changing it.
import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { etc } from '../../folders.ts'
import { parseJson } from '../../store/atomic.ts'
import { type Finding, note, warning } from './finding.ts'
import { lookAtVariables } from './original-variables.ts'
import type { Place } from './place.ts'
import { readSmall } from './read.ts'

export async function lookAtOriginal(place: Place): Promise<Finding[]> {
  const looks = [
    lookAtToken,
    lookAtPhrase,
    lookAtScriptsOfIts,
    lookAtWork,
    lookAtPort,
    lookAtPairs,
    lookAtOwners,
    lookAtVariables,
    lookAtParameters,
  ]
  return (await Promise.all(looks.map((look) => look(place)))).flat()
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function lookAtToken(place: Place): Promise<Finding[]> {
  const file = etc(place.folders, 'api.token')
  const read = await readSmall(file)
  if (read.state !== 'there' || read.bytes.toString('latin1').startsWith('sha256 ')) return []
  return [
    note(
      'migration.token',
      file,
      'it holds the token itself; the first request that needs it keeps the SHA-256 alone (owner, group and mode stay)',
      'Write the token down: edge-admin export-original needs it for the way back.',
    ),
  ]
}

async function lookAtPhrase(place: Place): Promise<Finding[]> {
  const file = etc(place.folders, 'api.token.setup')
  const read = await readSmall(file)
  if (read.state !== 'there' || read.bytes.length === 0) return []
  return [
    note(
      'migration.set-up',
      file,
      'the set-up was started and not finished; its phrase will still be required',
      'Set the appliance up before or after.',
    ),
  ]
}

async function lookAtScriptsOfIts({ folders }: Place): Promise<Finding[]> {
  const bin = join(folders.root, 'bin')
  const names = await readdir(bin).catch((): string[] => [])
  const theirs = names.filter((name) => /^update_.*\.sh$/.test(name)).sort()
  const found: Finding[] = []
  if (theirs.length > 0)
    found.push(
      note(
        'migration.scripts',
        bin,
        `these are no longer called: ${theirs.join(', ')}`,
        'Where they were changed for your appliance: set "wrapper" in edge-admin.json, or move the change into a hook.',
      ),
    )
  if (names.includes('wrapper.sh'))
    found.push(
      note(
        'migration.wrapper',
        join(bin, 'wrapper.sh'),
        'it is not used, unless "wrapper" names it',
        `"wrapper": "${join(bin, 'wrapper.sh')}" lets the tasks go through it.`,
      ),
    )
  return found
}

/** The original's locks and ours do not know of each other. */
async function lookAtWork({ system }: Place): Promise<Finding[]> {
  const folder = join(system, 'tmp')
  const names = (await readdir(folder).catch((): string[] => [])).filter((name) =>
    /^update_[a-z]+\.sh\.task$/.test(name),
  )
  return names
    .sort()
    .map((name) =>
      warning(
        'migration.at-work',
        join(folder, name),
        'a script of the original is at work, or was killed',
        'Let it end before you migrate; a lock that was left behind may be removed.',
      ),
    )
}

async function lookAtPort({ configured }: Place): Promise<Finding[]> {
  const { host, port } = configured.settings.listen
  return [
    note(
      'migration.port',
      `listen ${host}:${port}`,
      `TLS is served here alone; nothing answers on the original’s port 8080, which was plain HTTP on every address`,
      host === '127.0.0.1'
        ? 'For clients from outside write edge-admin.json with "listen": {"host": "0.0.0.0", "port": 8443}, and let them use https.'
        : 'Let clients use https.',
    ),
  ]
}

async function lookAtPairs({ folders }: Place): Promise<Finding[]> {
  const found: Finding[] = []
  const pem = join(folders.sysconf, 'pki/tls/enterprise.pem')
  if (await isThere(pem))
    found.push(
      note(
        'migration.pem',
        pem,
        'stunnel’s file is no longer read; it is written anew with each certificate',
        'Stop stunnel: the server speaks TLS itself.',
      ),
    )
  return found
}

/** What `scripts/owners.sh` will give to root, or to the server's user. */
async function lookAtOwners({ folders, configured }: Place): Promise<Finding[]> {
  if (configured.settings.privilege !== 'sudo') return []
  const folder = join(folders.root, 'etc')
  const names = await readdir(folder).catch((): string[] => [])
  const owners = await Promise.all(names.map((name) => lstat(join(folder, name)).catch(() => undefined)))
  const others = names.filter((_name, i) => owners[i]?.isFile() && owners[i].uid !== 0).sort()
  if (others.length === 0) return []
  return [
    note(
      'migration.owners',
      folder,
      `owners.sh gives these to root, or to the server’s user: ${others.join(', ')}`,
      'Check them first: from then on their content counts as the vendor’s.',
    ),
  ]
}

async function lookAtParameters({ folders }: Place): Promise<Finding[]> {
  const file = join(folders.sysconf, 'jidoteki-admin-api.json')
  const read = await readSmall(file)
  const value = read.state === 'there' ? parseJson(read.bytes.toString('utf8')) : undefined
  const { parameters } = (value ?? {}) as { parameters?: unknown }
  if (!Array.isArray(parameters) || parameters.length === 0) return []
  return [
    note(
      'migration.parameters',
      file,
      '"parameters" switches nothing on any more: uploads work without it, and its words are taken in a query and ignored',
    ),
  ]
}
