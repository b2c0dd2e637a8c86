// Sudo mode: checks sudo itself, and whether it lets the server start each script. sudo is only asked to list; it runs
// nothing.
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { error, type Finding, note, ok, warning } from './finding.ts'
import { attempt, type Place, userName } from './place.ts'
import { readSmall } from './read.ts'

/** The first version whose sudoers supports argument patterns. */
const LEAST = [1, 9, 10] as const
/** What the server starts through sudo; etc/sudoers.edge-admin has the same list, and a test compares them. */
export const SUDO_SCRIPTS = [
  ...['update', 'settings', 'storage', 'certs', 'license', 'backup', 'restore', 'logs', 'debug', 'wrapper', 'persist'],
  ...[
    'dataset-destroy',
    'dataset-permissions',
    'snapshot-create',
    'snapshot-prune',
    'snapshot-rollback',
    'reboot',
    'services',
  ],
]
/** Where the tasks start it. */
const SUDO = 'usr/bin/sudo'
const FRAGMENT =
  'Put etc/sudoers.edge-admin into /etc/sudoers.d (install.sh with SERVER_USER=USER does), and check it with visudo -c.'

export async function lookAtSudo(place: Place): Promise<Finding[]> {
  const { configured, system } = place
  if (configured.settings.privilege !== 'sudo') return []
  const sudo = join(system, SUDO)
  if (await access(sudo, constants.X_OK).catch(() => true))
    return [
      error('sudo.missing', sudo, 'it is not there, and every task starts with it', 'Install sudo 1.9.10 or newer.'),
    ]
  return [
    ...(await lookAtVersion(place, sudo)),
    ...(await lookAtFragment(place, sudo)),
    ...(await lookAtAccount(place)),
    ...(await lookAtPrivileges(place)),
  ]
}

async function lookAtVersion(place: Place, sudo: string): Promise<Finding[]> {
  const ended = await attempt(place, sudo, ['-V'])
  const found = ended.ran ? /^Sudo version (\d+)\.(\d+)\.(\d+)\S*/m.exec(ended.stdout) : null
  if (!found)
    return [warning('sudo.unknown', sudo, 'it does not say its version', 'Look whether it is sudo 1.9.10 or newer.')]
  const numbers = found.slice(1).map(Number)
  const first = numbers.findIndex((number, i) => number !== LEAST[i])
  if (first >= 0 && numbers[first]! < LEAST[first]!)
    return [
      error(
        'sudo.old',
        sudo,
        `it is ${numbers.join('.')}, and its sudoers know no patterns of arguments`,
        'Install sudo 1.9.10 or newer.',
      ),
    ]
  return [ok('sudo.version', sudo, numbers.join('.'))]
}

/** sudo tells the server's user what it may run, and root what others may. Other users get no answer. */
async function lookAtFragment(place: Place, sudo: string): Promise<Finding[]> {
  const { me, server, scripts } = place
  if (!server)
    return [
      note(
        'sudo.unseen',
        sudo,
        'whose server it is cannot be seen, so its rights were not checked',
        'Make the folders first: edge-admin init.',
      ),
    ]
  if (server.uid === 0)
    return [
      error(
        'sudo.server-is-root',
        sudo,
        '"privilege" is sudo, and the folder of the tasks is root’s: no user of the server is set up',
        `${join(scripts, 'owners.sh')} USER, and start the server as that user.`,
      ),
    ]
  const name = await userName(place, server.uid)
  if (me.uid !== 0 && me.uid !== server.uid)
    return [
      note(
        'sudo.unseen',
        sudo,
        `what ${name} may start was not checked: only root and ${name} may ask`,
        'Run the check as root.',
      ),
    ]
  const ended = await attempt(place, sudo, ['-n', '-l', ...(me.uid === server.uid ? [] : ['-U', name])])
  if (ended.ran && /account validation failure/.test(ended.stderr))
    return [
      error(
        'sudo.account',
        sudo,
        `it considers the account of ${name} locked or expired`,
        `Run the check as root: it says what ${join(place.system, 'etc/shadow')} lacks.`,
      ),
    ]
  const listed = ended.ran && ended.status === 0 ? ended.stdout.replace(/\s+/g, ' ') : ''
  const granted = listed.split('NOPASSWD:').slice(1).join(' ')
  const missing = SUDO_SCRIPTS.filter(
    (kind) => !granted.includes(`${join(scripts, kind)}.sh `) && !/^ ?ALL\b/.test(granted),
  )
  if (missing.length === 0) return [ok('sudo.fragment', sudo, `${name} may start the scripts`)]
  const text =
    missing.length === SUDO_SCRIPTS.length
      ? `it does not let ${name} start any script in ${scripts} without a password`
      : `it does not let ${name} start without a password: ${missing.map((kind) => `${kind}.sh`).join(', ')}`
  return [error('sudo.fragment-missing', sudo, text, FRAGMENT)]
}

/** Through PAM sudo checks the caller's account, even if no password is needed. Only root can check that here. */
async function lookAtAccount({ server, system, now }: Place): Promise<Finding[]> {
  const isPam = await access(join(system, 'etc/pam.d')).then(
    () => true,
    () => false,
  )
  if (!isPam || !server) return []
  const users = await readSmall(join(system, 'etc/passwd'))
  const [name, password] =
    (users.state === 'there' ? linesOf(users.bytes) : []).find(([, , uid]) => uid === String(server.uid)) ?? []
  const file = join(system, 'etc/shadow')
  const read = await readSmall(file)
  if (name === undefined || password !== 'x' || read.state === 'unseen') return []
  const account = (read.state === 'there' ? linesOf(read.bytes) : []).find(([one]) => one === name)
  if (!account)
    return [
      error(
        'sudo.account',
        file,
        `it has no line for ${name}, and sudo refuses users without one`,
        `Add the line ${name}:!:19000:::::: to it, or put * in the place of x in the line of ${name} in /etc/passwd.`,
      ),
    ]
  const day = Number(account[7] || Number.POSITIVE_INFINITY)
  if (day * DAY > now) return []
  return [error('sudo.account', file, `the account of ${name} has expired, and sudo refuses it`, `chage -E -1 ${name}`)]
}

const DAY = 86_400_000
const linesOf = (bytes: Buffer) =>
  bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(':'))

/** With NoNewPrivileges the server cannot use sudo at all. */
async function lookAtPrivileges({ within }: Place): Promise<Finding[]> {
  const status = within ? await readFile('/proc/self/status', 'utf8').catch(() => '') : ''
  if (!/^NoNewPrivs:\s*1$/m.test(status)) return []
  return [
    error(
      'sudo.no-new-privileges',
      'edge-admin.service',
      'the server may gain no rights (NoNewPrivileges), so sudo cannot work',
      'Install with SERVER_USER=USER, which lays a drop-in for the unit.',
    ),
  ]
}
