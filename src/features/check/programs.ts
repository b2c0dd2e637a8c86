// Checks the programs that the task scripts call: present, and with the needed features. A test derives the list from
// the scripts, so that a new call cannot be forgotten here.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { error, type Finding, note, ok, warning } from './finding.ts'
import { attempt, type Place } from './place.ts'
import { findProgram } from './read.ts'

/** Without one of these a task fails in the middle of its work. */
export const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'every task': [
    ...[
      'awk',
      'basename',
      'cat',
      'chgrp',
      'chmod',
      'cmp',
      'cp',
      'cut',
      'date',
      'dirname',
      'find',
      'flock',
      'grep',
      'head',
      'id',
    ],
    ...['mkdir', 'mv', 'od', 'readlink', 'rm', 'sed', 'sh', 'sleep', 'stat', 'sync', 'tr'],
  ],
  'a hook': ['dd', 'mkfifo', 'tail', 'timeout'],
  'an update': ['dd', 'gzip', 'openssl', 'tar'],
  'a certificate': ['openssl', 'timeout'],
  'a backup': ['df', 'openssl', 'sort', 'wc'],
  'a restore': ['rmdir', 'tar'],
  'logs and debug bundles': ['gzip', 'openssl', 'tar', 'timeout', 'wc'],
}

/** Called only if present, or if the feature that needs them is in use. */
export const SOMETIMES: readonly string[] = [
  // Network, host name and clock.
  ...['chronyd', 'dhclient', 'hostname', 'ip', 'networkctl', 'ntpd', 'service', 'systemctl', 'udhcpc'],
  // Remote storage at boot; a reboot.
  ...['aoe-discover', 'iscsiadm', 'ln', 'modprobe', 'mount', 'nbd-client', 'reboot'],
  // ZFS and iSCSI targets.
  ...['sha256sum', 'tee', 'udevadm', 'zfs', 'zpool'],
  // owners.sh
  ...['chown', 'mktemp'],
]

interface Ability {
  program: string
  args: readonly string[]
  input?: string
  /** Standard output, if it succeeded. */
  expected: RegExp
  what: string
  mend: string
}

const NEWER_BUSYBOX = 'Install coreutils, or a busybox of 2021 (1.33) or later.'

/**
 * Not every variant of a program has all features. Each of these commands reads its input or nothing, and changes
 * nothing.
 */
export const ABILITIES: readonly Ability[] = [
  {
    ...{
      program: 'openssl',
      args: ['enc', '-aes-256-cbc', '-md', 'sha256', '-pbkdf2', '-salt', '-pass', 'pass:check', '-a'],
    },
    ...{
      input: 'check',
      expected: /^U2FsdGVkX1/,
      what: 'it knows no -pbkdf2, with which packages are encrypted',
      mend: 'Install OpenSSL 1.1.1 or newer.',
    },
  },
  {
    ...{ program: 'openssl', args: ['verify', '-partial_chain', '-help'], expected: /^/ },
    ...{ what: 'it knows no -partial_chain', mend: 'Install OpenSSL 1.1.1 or newer.' },
  },
  {
    ...{ program: 'flock', args: ['-n', '-s', '/', 'echo', 'held'], expected: /^held$/m },
    ...{
      what: 'it cannot take a lock, so every task would be refused',
      mend: 'Install util-linux, or a busybox with flock.',
    },
  },
  {
    ...{ program: 'dd', args: ['bs=2', 'count=1', 'iflag=fullblock', 'status=none'], input: 'abc', expected: /^ab$/ },
    ...{ what: 'it knows no iflag=fullblock or status=none', mend: NEWER_BUSYBOX },
  },
  {
    ...{ program: 'timeout', args: ['-s', 'KILL', '5', 'echo', 'ended'], expected: /^ended$/m },
    ...{ what: 'it knows no "-s KILL SECONDS"', mend: NEWER_BUSYBOX },
  },
  { program: 'stat', args: ['-c', '%s', '/'], expected: /^\d+$/m, what: 'it knows no -c', mend: NEWER_BUSYBOX },
  { program: 'readlink', args: ['-f', '/'], expected: /^\/$/m, what: 'it knows no -f', mend: NEWER_BUSYBOX },
  {
    program: 'find',
    args: ['-H', '/', '-prune', '-perm', '-0001', '-print'],
    expected: /^(\/)?$/m,
    what: 'it knows no -H or -perm',
    mend: 'Install findutils, or a busybox with all of find.',
  },
  {
    program: 'od',
    args: ['-A', 'n', '-v', '-t', 'u1'],
    input: 'A',
    expected: /^\s+65\s*$/,
    what: 'it knows no "-A n -t u1"',
    mend: NEWER_BUSYBOX,
  },
  {
    program: 'awk',
    args: ['-v', 'a=b', 'BEGIN { if (match("xyz", /y/)) print a RSTART }'],
    expected: /^b2$/m,
    what: 'it cannot match',
    mend: 'Install mawk, gawk or a busybox with awk.',
  },
  { program: 'head', args: ['-c', '2'], input: 'abc', expected: /^ab$/, what: 'it knows no -c', mend: NEWER_BUSYBOX },
  { program: 'gzip', args: ['-nc'], input: 'check', expected: /^\x1f/, what: 'it cannot pack', mend: 'Install gzip.' },
]

export async function lookAtPrograms(place: Place): Promise<Finding[]> {
  const missing = new Map<string, string[]>()
  for (const [task, names] of Object.entries(NEEDED))
    for (const name of names)
      if (!(await findProgram(place, name))) missing.set(name, [...(missing.get(name) ?? []), task])
  const found = [...missing].map(([name, tasks]) =>
    error(
      'programs.missing',
      name,
      `it is not in ${place.path.join(':')}, and ${tasks.join(' and ')} needs it`,
      `Install the package that brings ${name}.`,
    ),
  )
  for (const ability of ABILITIES)
    if (!missing.has(ability.program)) found.push(...(await lookAtAbility(place, ability)))
  found.push(...(await lookAtVersions(place)), ...(await lookAtOptional(place)))
  return found.some(({ level }) => level === 'error')
    ? found
    : [ok('programs.ok', 'programs', 'what every task needs is there, and can do it'), ...found]
}

async function lookAtAbility(
  place: Place,
  { program, args, input, expected, what, mend }: Ability,
): Promise<Finding[]> {
  const file = await findProgram(place, program)
  if (!file) return []
  const ended = await attempt(place, file, [...args], {
    ...(input !== undefined && { input }),
    env: { PATH: place.path.join(':') },
  })
  if (ended.ran && ended.status === 0 && expected.test(ended.stdout)) return []
  const how = ended.ran ? what : ended.why === 'timeout' ? 'it does not end' : 'it cannot be started'
  return [error('programs.unable', file, how, mend)]
}

/** For support: shows what an appliance has. */
async function lookAtVersions(place: Place): Promise<Finding[]> {
  const lines: Finding[] = []
  for (const [name, option] of [
    ['openssl', 'version'],
    ['tar', '--version'],
  ] as const) {
    const file = await findProgram(place, name)
    if (file === undefined) continue
    const ended = await attempt(place, file, [option])
    if (!ended.ran) continue
    const line = `${ended.stdout}\n${ended.stderr}`.split('\n').find((one) => one.trim() !== '')
    if (line) lines.push(ok('programs.version', file, line.trim().slice(0, 100)))
  }
  return lines
}

async function lookAtOptional(place: Place): Promise<Finding[]> {
  const { settings } = place.configured
  const has = async (...names: string[]) =>
    (await Promise.all(names.map((name) => findProgram(place, name)))).some(Boolean)
  const hasHook = (name: string) =>
    stat(join(place.folders.root, 'bin', `${name}.sh`)).then(
      () => true,
      () => false,
    )
  const found: Finding[] = []
  if (settings.endpoints.includes('settings') && !(await hasHook('network'))) {
    if (!(await has('ip', 'networkctl')))
      found.push(
        warning(
          'programs.network',
          'ip',
          'neither ip nor networkctl is there, so network settings cannot be applied',
          'Install iproute2, or provide a hook bin/network.sh.',
        ),
      )
    else if (!(await has('networkctl', 'udhcpc', 'dhclient')))
      found.push(
        note(
          'programs.dhcp',
          'udhcpc',
          'no DHCP client is there, so only static addresses can be set',
          'Install udhcpc or dhclient, or provide a hook bin/network.sh.',
        ),
      )
  }
  if (!(await hasHook('reboot')) && !(await has('systemctl', 'reboot')))
    found.push(
      warning(
        'programs.reboot',
        'reboot',
        'neither systemctl nor reboot is there',
        'Install one, or provide a hook bin/reboot.sh.',
      ),
    )
  if (settings.surfaces.controller.enabled && !(await has('zpool')))
    found.push(
      note(
        'programs.zfs',
        'zpool',
        'it is not there, so storage calls answer 503',
        'Install ZFS, or take "surfaces.controller" out of the configuration.',
      ),
    )
  return found
}
