// The `edge-admin` command line: finds the command, prints help, turns every error into one line and an exit status.
// The trap: a command is imported only when it is called, since what it needs (zod, tar-stream) would slow down each start.
import { errno } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { type Io, type Main, say, USAGE, UsageError } from './command.ts'

interface Command {
  name: string
  summary: string
  usage: string
  load: () => Promise<Main>
  /** Called by our own scripts, not by people: left out of the overview. */
  internal?: boolean
}

const FOLDERS = `  --root DIR        the admin folder (etc, log, tmp, bin, home/sftp/uploads)
  --sysconfdir DIR  configuration of the system, where edge-admin.json lies
  --datadir DIR     what is backed up and restored
  --statedir DIR    what is ours alone: tasks, locks
                    Each is by default what install.sh was told. Where nothing was installed: JIDO_ADMIN_PATH, else /opt/jidoteki/tinyadmin;
                    /usr/local/etc; /data; /var/lib/edge-admin.`

export const COMMANDS: Command[] = [
  {
    name: 'serve',
    summary: 'answer the API',
    usage: `edge-admin serve [OPTION]...
${FOLDERS}
  --host H          address to listen on
  --port N          port to listen on
  --no-tls          plain HTTP, on loopback only
  --programs DIR    zpool, zfs and the other storage programs are those of DIR (trying things out)
  --insecure-http-beyond-loopback  plain HTTP on other addresses, too
  --config FILE     this configuration instead of <sysconfdir>/edge-admin.json
  --default-log FILE  where the log goes when the configuration has no log.file (the init script's; without either, standard output)
  --ready-fd N      write a line to this open regular file, 3 to 9, once the port is open (the init script's); no pipe, no socket
  --compat original answer as the original does where it is laxer (for comparing only)`,
    load: async () => {
      const { serve } = await import('./serve.ts')
      return serve
    },
  },
  {
    name: 'init',
    summary: 'make the folders of an appliance; with --sample one that can be served at once',
    usage: `edge-admin init [--root DIR] [--sysconfdir DIR] [--datadir DIR] [--statedir DIR] [--sample]
Makes what is missing and never changes what is there.
${FOLDERS}
  --sample          add a version, test keys, a configuration, data, and hooks that only write a log.
                    The other folders are then taken to be sysconf, data and state below --root, which has to be named.`,
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'check',
    summary: 'say what is missing on an image or an appliance, and how to mend it',
    usage: `edge-admin check [OPTION]...
edge-admin check --from-original DIR [OPTION]...
Looks at folders, owners, programs, scripts, keys, lists, hooks, clock, certificate, license, configuration and port.
It changes nothing and runs no hook. Root sees most; what another user may not look at is said.
${FOLDERS}
  --config FILE     this configuration instead of <sysconfdir>/edge-admin.json
  --from-original DIR  what a migration of the original's admin folder DIR would change
  --json            all that was looked at, as JSON; each finding has an id that stays the same
Exit status 0 when nothing is wrong (notes are not), 1 when something is. 64 for a wrong call.`,
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'token',
    summary: 'set the API token, or make a new random one; make one for metrics',
    usage: `edge-admin token set [--root DIR]      reads the new token from standard input
edge-admin token rotate [--root DIR]   makes a random token and prints it once
edge-admin token metrics [--root DIR] [--remove]   makes (or ends) a token that reads /metrics and nothing else
An API token has 1 to 255 characters out of ASCII 33 to 126. Setting one ends a pending first run.`,
    load: async () => (await import('./token.ts')).token,
  },
  {
    name: 'user',
    summary: 'list the accounts, or give one a new password when it was lost',
    usage: `edge-admin user list [--statedir DIR]
edge-admin user reset NAME [--statedir DIR]
reset makes a random password, prints it once, switches the account on and ends all its tokens. The server may run or not.`,
    load: async () => (await import('./user.ts')).user,
  },
  {
    name: 'package',
    summary: 'build, inspect and verify update packages',
    usage: `edge-admin package build --key updates.key --sign updates.priv --version V --out FILE.enc DIR
edge-admin package inspect FILE --key updates.key [--pub updates.pub]
edge-admin package verify FILE --key updates.key --pub updates.pub [--installed V]
  DIR               update.sh and what it installs; version.txt is added
  --key FILE        passphrase file: its first line encrypts the package
  --sign FILE       private key (PEM) that signs it
  --pub FILE        public key (PEM) that checks the signature
  --version V       version of the package; may be left out when DIR holds version.txt
  --installed V     version of the appliance: an older or equal package is refused, as the appliance would
  --legacy-md5      inspect, verify: also take packages made with the old key derivation
SOURCE_DATE_EPOCH gives the files their time (default 0).`,
    load: async () => (await import('./package.ts')).packageCommand,
  },
  {
    name: 'license',
    summary: 'make, sign and verify licenses',
    usage: `edge-admin license keygen --out PREFIX                         writes PREFIX.priv and PREFIX.pub
edge-admin license sign --key PRIV --in license.json --out license.asc
edge-admin license verify --pub PUB FILE
license.json: {"app":"…","users":20,"expires":"2038-01-19","name":"…","contact":"…"}, and more texts, numbers, booleans.
The appliance looks for the public key in <root>/etc/license.pub.`,
    load: async () => (await import('./license.ts')).license,
  },
  {
    name: 'audit',
    summary: 'search the audit log, and verify that nobody has changed it',
    usage: `edge-admin audit list [--statedir DIR] [FILTER]... [--limit N] [--json]
edge-admin audit verify [--statedir DIR | FOLDER | FILE...] [--key PUBLIC] [--checkpoint FILE]
edge-admin audit key [--statedir DIR]   prints the public key: keep it, and a copy of the file "checkpoint", elsewhere
  --actor A         id or name of an account, token, nobody or system
  --action A        pools.create …
  --resource R      pools/tank, and everything below it
  --result R        success or failure
  --since TIME, --until TIME   from this instant on, and before that one (2026-01-31T12:00:00Z)
  --before ID       entries older than this one
  FOLDER, FILE...   a copied log, or only some of its segments
  --key PUBLIC      the key that was kept, instead of the one beside the log
  --checkpoint FILE a checkpoint that was kept: says how much of what it signed is still there
  --actor also takes local: what was done on the machine itself, by edge-admin user reset and token
Exit status of verify: 0 when nothing that is there was changed; its first line says from which entry on ("good" alone
is the whole log). 1 when something was changed, is missing or cannot be read: the first bad entry is on standard error. 64 for a wrong call.`,
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'call',
    summary: 'call the API of an appliance, signed with the hash or logged in with an account',
    usage: `edge-admin call METHOD PATH [-F name=@FILE | -F name=VALUE | --json JSON]... [OPTION]...
  PATH              version, update/log, backup?wait=30 … (with --user: pools, datasets/tank …), or a whole path that starts with /
  -F name=@FILE     send FILE; -F name=VALUE sends a text
  --json JSON       send it, or the file with --json @FILE: what the storage API takes
  --user NAME       log in to the storage API (/api/v1/pools …), which knows accounts and not the token
  --password-file FILE its password; else the variable EDGE_ADMIN_PASSWORD; else standard input
  -o FILE           save the body (not printed, not kept when it is incomplete)
  --url URL         default https://127.0.0.1:8443
  --token-file FILE the token, or an appliance's etc/api.token; else the variable EDGE_ADMIN_TOKEN; else no credentials
  --token-in-query  send the token itself instead of the hash
  --ca FILE         trust this certificate (PEM)
  --insecure        do not check the server's certificate
Exit status 0 for a 2xx answer, else 1. The body goes to standard output, the status line to standard error.`,
    load: async () => (await import('./call.ts')).call,
  },
  {
    name: 'export-original',
    summary: 'write token and files in the form of the Jidoteki server, to go back to it',
    usage: `edge-admin export-original [--root DIR] [--sysconfdir DIR] [--statedir DIR] [--group G] [--new-token | --undo]
Reads the API token from standard input (the appliance keeps only its digest), checks it, and writes everything that the original's server and
scripts read in their form, with their owners: all of it or nothing. Once more changes nothing. Refused while a server has the folder.
  --root DIR        the admin folder (default: that of the installation, else JIDO_ADMIN_PATH, else /opt/jidoteki/tinyadmin)
  --sysconfdir DIR  configuration of the system (default: that of the installation, else /usr/local/etc)
  --statedir DIR    the state folder of the server (default: that of the installation, else /var/lib/edge-admin)
  --group G         name or number of the group of the original's server (default: the group of etc/ in the admin folder)
  --new-token       the token that is read is a new one: nothing is checked, and it is set
  --undo            only puts back what an export that was interrupted had done; reads no token`,
    load: async () => (await import('./export-original.ts')).exportOriginalCommand,
  },
  {
    name: 'swap',
    summary: 'put staged files into place, or back',
    usage: 'edge-admin swap in|keep|back [--contents] DIR [ROOT]',
    load: async () => (await import('./swap.ts')).swap,
    internal: true,
  },
  {
    name: 'judge',
    summary: 'have the vendor’s license.sh decide about the license in place',
    usage: 'edge-admin judge SCRIPT FILE [UID GID]',
    load: async () => (await import('./judge.ts')).judge,
    internal: true,
  },
  {
    name: 'take',
    summary: 'copy the inputs of a task, read with the rights of the caller of sudo',
    usage: 'edge-admin take UID GID FROM TO',
    load: async () => (await import('./take.ts')).take,
    internal: true,
  },
  {
    name: 'screen',
    summary: 'say whether a backup archive could be restored',
    usage: 'edge-admin screen FILE ENTRIES BYTES',
    load: async () => (await import('./screen.ts')).screen,
    internal: true,
  },
  {
    name: 'archive',
    summary: 'write the archive of a backup',
    usage: 'edge-admin archive FOLDER ENTRIES BYTES [FILE] <NAMES',
    load: async () => (await import('./archive.ts')).archive,
    internal: true,
  },
  {
    name: 'plain',
    summary: 'write a backup archive anew, in the form that every tar program reads alike',
    usage: 'edge-admin plain FILE ENTRIES BYTES',
    load: async () => (await import('./plain.ts')).plain,
    internal: true,
  },
]

/** Runs one command: `argv` is what follows `edge-admin`. Answers the exit status and never throws. */
export async function run(argv: string[], io: Io = process): Promise<number> {
  const [name = '', ...args] = argv
  if (name === '--help' || name === '-h' || name === 'help') return print(io, overview())
  if (name === '--version') return print(io, (await import('../version.ts')).VERSION)
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (!command) {
    const near = didYouMean(
      name,
      COMMANDS.filter(({ internal }) => !internal).map((known) => known.name),
    )
    const what = name ? `unknown command ${name}` : 'a command is missing'
    say(io.stderr, oneLine(`edge-admin: ${what}${near || ': see edge-admin --help'}`))
    return USAGE
  }
  const end = args.indexOf('--')
  if (args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h')) {
    const { ACTION_USAGE } = await import('./action-usage.ts')
    const own = Object.entries(ACTION_USAGE[name] ?? {}).find(([action]) => action === args[0])
    if (own) return print(io, own[1])
    return print(io, `${command.usage}\n\n${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`)
  }
  try {
    return await (await command.load())(args, io)
  } catch (error) {
    say(io.stderr, oneLine(`edge-admin ${name}: ${explain(error)}`))
    return error instanceof UsageError ? USAGE : 1
  }
}

function print(io: Io, text: string): number {
  say(io.stdout, text)
  return 0
}

function overview(): string {
  const shown = COMMANDS.filter((command) => !command.internal)
  const width = Math.max(...shown.map(({ name }) => name.length))
  const lines = shown.map((command) => `  ${command.name.padEnd(width)} ${command.summary}`)
  return `edge-admin: the admin API of a Linux storage appliance

usage: edge-admin COMMAND [OPTION]...

${lines.join('\n')}

edge-admin COMMAND --help explains one, edge-admin --version prints the version.`
}

const SYSTEM: Record<string, string> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'is a folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EEXIST: 'exists already',
  ENOSPC: 'no space left',
  EROFS: 'the file system is read-only',
  ELOOP: 'a link where none may be',
}

/** An error in words. What the system says about a file begins with that file. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const text = SYSTEM[errno(error) ?? '']
  if (!text) return error.message || error.name
  return 'path' in error && typeof error.path === 'string' ? `${error.path}: ${text}` : text
}

/** File names and servers' words may hold anything, and a terminal obeys control characters. */
const oneLine = (text: string) => text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
