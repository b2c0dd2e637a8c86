// Checks the clock: right enough for certificates, and kept right by a program. That program is detected as in
// scripts/clock.sh.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { error, type Finding, note, ok, warning } from './finding.ts'
import type { Place } from './place.ts'
import { findProgram, readSmall, textOf } from './read.ts'

/** The clock cannot be before the release of this program. */
const EARLIEST = Date.parse('2026-01-01T00:00:00Z')
const DAY = 86_400_000

export async function lookAtClock(place: Place): Promise<Finding[]> {
  const found = [...(await lookAtTime(place))]
  const keeper = await keeperOf(place)
  if (keeper) found.push(ok('clock.keeper', 'clock', `${keeper} keeps it`))
  else {
    const server = await timeServer(place)
    const mend = 'Install chrony, systemd-timesyncd or ntpd.'
    found.push(
      server
        ? warning(
            'clock.no-keeper',
            'clock',
            `network.conf names the time server ${server}, and no program here follows one`,
            mend,
          )
        : note(
            'clock.no-keeper',
            'clock',
            'no program here keeps it right; certificates, tokens and licenses depend on it',
            mend,
          ),
    )
  }
  return found
}

async function lookAtTime({ now, folders }: Place): Promise<Finding[]> {
  const shown = new Date(now).toISOString()
  if (now < EARLIEST)
    return [
      error(
        'clock.wrong',
        'clock',
        `it says ${shown}, which is in the past`,
        'Set it: date -u -s "2026-01-31 12:00", and let a program keep it.',
      ),
    ]
  // The time of the server's last write: an earlier clock was set back, or its battery is empty.
  const files = ['boots.json', 'server.json', 'sessions.json', 'back-off.json'].map((name) => join(folders.state, name))
  const times = await Promise.all(
    files.map((file) =>
      stat(file).then(
        (info) => info.mtimeMs,
        () => 0,
      ),
    ),
  )
  const latest = Math.max(...times)
  if (latest > now + DAY)
    return [
      warning(
        'clock.went-back',
        'clock',
        `it says ${shown}, and files of this appliance are of ${new Date(latest).toISOString()}`,
        'Set it, and let a program keep it; look at the battery of the clock.',
      ),
    ]
  return [ok('clock.ok', 'clock', `it says ${shown}`)]
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

async function keeperOf(place: Place): Promise<string | undefined> {
  const { system } = place
  const chrony = await findProgram(place, 'chronyd')
  if (chrony)
    for (const name of ['etc/chrony/chrony.conf', 'etc/chrony.conf'])
      if (await isThere(join(system, name))) return 'chrony'
  if (await isThere(join(system, 'run/systemd/system'))) {
    const unit = 'systemd/system/systemd-timesyncd.service'
    for (const folder of ['etc', 'usr/lib', 'lib', 'run'])
      if (await isThere(join(system, folder, unit))) return 'systemd-timesyncd'
  }
  return (await findProgram(place, 'ntpd')) ? 'ntpd' : undefined
}

async function timeServer({ folders }: Place): Promise<string | undefined> {
  const read = await readSmall(join(folders.sysconf, 'network.conf'))
  const text = read.state === 'there' ? (textOf(read.bytes) as { text?: string }).text : undefined
  return /^ntpserver=["']?([A-Za-z0-9._:-]+)/m.exec(text ?? '')?.[1]
}
