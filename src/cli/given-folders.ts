// The folders that a command works in: each option, else what install.sh was given. Decided in one place, so that all
// commands on one machine agree, and a command without options means the server that the unit starts, whatever the
// caller's environment.
import { join, resolve } from 'node:path'
import { type Environment, rootOf, unfollowedRoot } from '../features/original/environment.ts'
import { DEFAULT_FOLDERS, type Folders, installation, installedFolders } from '../folders.ts'
import { type Io, say, UsageError } from './command.ts'

interface Options {
  root?: string | undefined
  sysconfdir?: string | undefined
  datadir?: string | undefined
  statedir?: string | undefined
}
type Option = keyof Options

export interface Given {
  folders: Folders
  /**
   * What determines the root folder: the option, or the installation's file; undefined for the environment and the
   * default.
   */
  rootSaidBy: string | undefined
}

/** `settings`: the text of the file that install.sh wrote. */
export function givenFolders(options: Options, environment: Environment, settings = settingsFile()): Given {
  const installed = installedFolders(settings)
  const root = option(options, 'root') ?? installed.root
  return {
    folders: {
      root: root ?? rootOf(environment) ?? DEFAULT_FOLDERS.root,
      sysconf: option(options, 'sysconfdir') ?? installed.sysconf ?? DEFAULT_FOLDERS.sysconf,
      data: option(options, 'datadir') ?? installed.data ?? DEFAULT_FOLDERS.data,
      state: stateFolder(options, installed),
    },
    rootSaidBy: root && (options.root === undefined ? settings : '--root'),
  }
}

/**
 * The same for a person at a terminal, with a warning if the environment names another root folder than the one in use.
 */
export function commandFolders(options: Options, { env, stderr }: Io): Folders {
  const { folders, rootSaidBy } = givenFolders(options, env)
  if (rootSaidBy !== undefined && options.root === undefined)
    for (const sentence of unfollowedRoot(env, folders.root, rootSaidBy)) say(stderr, sentence)
  return folders
}

/** For commands that use only the state folder. */
export const stateFolder = (options: Pick<Options, 'statedir'>, installed = installedFolders(settingsFile())): string =>
  option(options, 'statedir') ?? installed.state ?? DEFAULT_FOLDERS.state

function option(options: Options, name: Option): string | undefined {
  // An empty option would mean the current folder.
  if (options[name] === '') throw new UsageError(`--${name} is missing its folder`)
  return options[name] === undefined ? undefined : resolve(options[name])
}

/** Undefined if nothing is installed beside the program: a copy used only for audit logs and packages. */
function settingsFile(): string | undefined {
  try {
    return join(installation(), 'scripts/settings')
  } catch {
    return undefined
  }
}
