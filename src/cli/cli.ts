// The `edge-admin` command line: finds the command, prints help, turns every error into one line and an exit status. A
// command is imported only when it is called, since what it needs (zod, tar-stream) would slow down each start.
import { errno } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { type Io, type Main, say, USAGE, UsageError } from './command.ts'

interface Command {
  name: string
  summary: string
  load: () => Promise<Main>
  /** Called by our own scripts, not by people: left out of the overview. */
  internal?: boolean
}

export const COMMANDS: Command[] = [
  {
    name: 'serve',
    summary: 'answer the API',
    load: async () => {
      const { serve } = await import('./serve.ts')
      return serve
    },
  },
  {
    name: 'init',
    summary: 'make the folders of an appliance; with --sample one that can be served at once',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'check',
    summary: 'say what is missing on an image or an appliance, and how to mend it',
    load: async () => (await import('./check.ts')).check,
  },
  {
    name: 'token',
    summary: 'set the API token, or make a new random one; make one for metrics',
    load: async () => (await import('./token.ts')).token,
  },
  {
    name: 'user',
    summary: 'list the accounts, or give one a new password when it was lost',
    load: async () => (await import('./user.ts')).user,
  },
  {
    name: 'package',
    summary: 'build, inspect and verify update packages',
    load: async () => (await import('./package.ts')).packageCommand,
  },
  {
    name: 'license',
    summary: 'make, sign and verify licenses',
    load: async () => (await import('./license.ts')).license,
  },
  {
    name: 'audit',
    summary: 'search the audit log, and verify that nobody has changed it',
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'call',
    summary: 'call the API of an appliance, signed with the hash or logged in with an account',
    load: async () => (await import('./call.ts')).call,
  },
  {
    name: 'export-original',
    summary: 'write token and files in the form of the Jidoteki server, to go back to it',
    load: async () => (await import('./export-original.ts')).exportOriginalCommand,
  },
  {
    name: 'swap',
    summary: 'put staged files into place, or back',
    load: async () => (await import('./swap.ts')).swap,
    internal: true,
  },
  {
    name: 'judge',
    summary: 'have the vendor’s license.sh decide about the license in place',
    load: async () => (await import('./judge.ts')).judge,
    internal: true,
  },
  {
    name: 'take',
    summary: 'copy the inputs of a task, read with the rights of the caller of sudo',
    load: async () => (await import('./take.ts')).take,
    internal: true,
  },
  {
    name: 'permit',
    summary: 'set the permissions of everything in a dataset',
    load: async () => (await import('./permit.ts')).permit,
    internal: true,
  },
  {
    name: 'screen',
    summary: 'say whether a backup archive could be restored',
    load: async () => (await import('./screen.ts')).screen,
    internal: true,
  },
  {
    name: 'archive',
    summary: 'write the archive of a backup',
    load: async () => (await import('./archive.ts')).archive,
    internal: true,
  },
  {
    name: 'plain',
    summary: 'write a backup archive anew, in the form that every tar program reads alike',
    load: async () => (await import('./plain.ts')).plain,
    internal: true,
  },
]

/** Runs one command: `argv` is what follows `edge-admin`. Returns the exit status and never throws. */
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
    const [{ ACTION_USAGE }, { USAGE_OF }] = await Promise.all([import('./action-usage.ts'), import('./usage.ts')])
    const own = Object.entries(ACTION_USAGE[name] ?? {}).find(([action]) => action === args[0])
    if (own) return print(io, own[1])
    return print(io, `${USAGE_OF[name]}\n\n${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`)
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

/** An error as text. A system error about a file begins with the file. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const text = SYSTEM[errno(error) ?? '']
  if (!text) return error.message || error.name
  return 'path' in error && typeof error.path === 'string' ? `${error.path}: ${text}` : text
}

/** File names and servers' messages may contain anything, and a terminal interprets control characters. */
const oneLine = (text: string) => text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, ' ').trim()
