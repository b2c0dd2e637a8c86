// Runs all checks, one after the other or at once, each with a time limit: a disk or a server that hangs is a finding,
// not the end of the check.
import { setTimeout as pause } from 'node:timers/promises'
import { lookAtCertificate } from './certificate.ts'
import { lookAtClock } from './clock.ts'
import { lookAtConfiguration } from './configuration.ts'
import { error, type Finding, isWrong, warning } from './finding.ts'
import { lookAtFolders } from './folders.ts'
import { lookAtHooks } from './hooks.ts'
import { lookAtKeys } from './keys.ts'
import { lookAtLicense } from './license.ts'
import { lookAtLists } from './lists.ts'
import { lookAtNode } from './node.ts'
import { lookAtOriginal } from './original.ts'
import { lookAtOwners } from './owners.ts'
import { lookAtPersist } from './persist.ts'
import type { Place } from './place.ts'
import { lookAtPorts } from './ports.ts'
import { lookAtPrograms } from './programs.ts'
import { lookAtScripts } from './scripts.ts'
import { lookAtServer } from './server.ts'
import { lookAtShareUsers } from './share-users.ts'
import { lookAtSpace } from './space.ts'
import { lookAtSudo } from './sudo.ts'

export interface Look {
  /** The area: the prefix of its findings' IDs. */
  area: string
  look: (place: Place) => Promise<Finding[]>
  /** It starts programs. */
  dear?: true
}

export const LOOKS: readonly Look[] = [
  { area: 'configuration', look: lookAtConfiguration },
  { area: 'folders', look: lookAtFolders },
  { area: 'space', look: lookAtSpace },
  { area: 'owners', look: lookAtOwners },
  { area: 'node', look: lookAtNode, dear: true },
  { area: 'programs', look: lookAtPrograms, dear: true },
  { area: 'sudo', look: lookAtSudo, dear: true },
  { area: 'scripts', look: lookAtScripts },
  { area: 'keys', look: lookAtKeys, dear: true },
  { area: 'lists', look: lookAtLists },
  { area: 'hooks', look: lookAtHooks },
  { area: 'clock', look: lookAtClock },
  { area: 'certificate', look: lookAtCertificate },
  { area: 'license', look: lookAtLicense },
  { area: 'ports', look: lookAtPorts },
  { area: 'persist', look: lookAtPersist },
  { area: 'share-users', look: lookAtShareUsers },
  { area: 'server', look: lookAtServer },
]

/** The checks that make sense before our own folders exist. */
const BEFORE_MIGRATION = [
  'configuration',
  'node',
  'programs',
  'keys',
  'lists',
  'hooks',
  'clock',
  'certificate',
  'persist',
]
export const MIGRATION_LOOKS: readonly Look[] = [
  { area: 'migration', look: lookAtOriginal },
  ...LOOKS.filter(({ area }) => BEFORE_MIGRATION.includes(area)),
]

/** The time limit of one check in milliseconds. Each program has 4 seconds, and there are many. */
const PATIENCE = 30_000

export interface Checked {
  findings: Finding[]
  /** The exit status; notes do not count. */
  isWell: boolean
}

export async function checkAll(place: Place, looks: readonly Look[] = LOOKS, patience = PATIENCE): Promise<Checked> {
  const findings = (await Promise.all(looks.map((look) => lookOnce(look, place, patience)))).flat()
  return { findings, isWell: !findings.some(isWrong) }
}

/** Never throws and never takes longer than `patience`. */
export async function lookOnce({ area, look }: Look, place: Place, patience = PATIENCE): Promise<Finding[]> {
  const stopping = new AbortController()
  const late = pause(patience, [tooLong(area, patience)], { signal: stopping.signal }).catch(() => [])
  try {
    return await Promise.race([look(place), late])
  } catch (cause) {
    const text = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
    return [
      warning(
        `${area}.failed`,
        area,
        `it could not be looked at: ${text}`,
        'See what the message names; it may be a bug in edge-admin.',
      ),
    ]
  } finally {
    stopping.abort()
  }
}

const tooLong = (area: string, patience: number) =>
  error(
    `${area}.no-answer`,
    area,
    `it could not be looked at within ${patience / 1000} seconds`,
    'Check whether a disk or a remote folder of this machine hangs.',
  )
