// What `edge-admin serve` has to do: its options, the configuration and the original's environment, read together
// before anything is changed.
import { existsSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { type Configuration, ConfigurationError, ORIGINAL_FILE, phraseWords, readConfiguration } from '../config.ts'
import { type Environment, readEnvironment } from '../features/original/environment.ts'
import { etc, type Folders } from '../folders.ts'
import { objectionToHost } from '../networks.ts'
import { parse, UsageError } from './command.ts'
import { type Given, givenFolders } from './given-folders.ts'

const OPTIONS = {
  root: { type: 'string' },
  sysconfdir: { type: 'string' },
  datadir: { type: 'string' },
  statedir: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'no-tls': { type: 'boolean' },
  'insecure-http-beyond-loopback': { type: 'boolean' },
  compat: { type: 'string' },
  config: { type: 'string' },
  programs: { type: 'string' },
  'default-log': { type: 'string' },
  'ready-fd': { type: 'string' },
} as const

export interface Plan {
  folders: Folders
  config: Configuration
  /** The file it was read from; undefined if all defaults apply. */
  configFile: string | undefined
  host: string
  port: number
  /** What the keys of host and port are called on the command line or in the file. */
  keys: { host: string; port: string }
  tls: boolean
  mode: 'strict' | 'original'
  /** Folder of the storage programs, instead of the system's. */
  programs?: string
  /** Where the log goes; standard output otherwise. */
  logFile: string | undefined
  /** The open file to which the caller wants the line that the port is open. */
  readyFd: number | undefined
  /** Log messages about settings of the original that have no effect, and about keys that have moved. */
  sentences: (url: string) => string[]
}

export function readPlan(args: string[], environment: Environment = {}): Plan {
  const { values } = parse(args, OPTIONS)
  const { folders, rootSaidBy } = foldersOfPlan(values, environment)
  const { config, file: configFile, saysHost, ignored, moved } = readConfiguration(folders, values.config)
  const tls = config.tls.enabled && !values['no-tls']
  const said = values.host ?? (saysHost ? config.listen.host : undefined)
  const original = readEnvironment({
    ...{ environment, root: folders.root, rootSaidBy, host: said, file: configFile, tls },
    isOriginal: configFile !== undefined && basename(configFile) === ORIGINAL_FILE,
    isClaimed:
      phraseWords(config) > 0 || (statSync(etc(folders, 'api.token'), { throwIfNoEntry: false })?.size ?? 0) > 0,
  })
  const host = said ?? original.host ?? config.listen.host
  const objection = values.host === undefined ? undefined : objectionToHost(values.host)
  if (objection) throw new ConfigurationError(`--host: ${objection}`)
  const port = values.port === undefined ? config.listen.port : Number(values.port)
  const beyond = values['insecure-http-beyond-loopback'] ?? config.listen['insecure-http-beyond-loopback']
  if ((values.port !== undefined && !/^\d{1,5}$/.test(values.port)) || port > 65535)
    throw new ConfigurationError('--port: expected a number from 0 to 65535')
  if (values['ready-fd'] !== undefined && !/^[3-9]$/.test(values['ready-fd']))
    throw new ConfigurationError('--ready-fd: expected the number of an open regular file, from 3 to 9')
  if (values.compat !== undefined && values.compat !== 'original')
    throw new ConfigurationError('--compat: expected "original"')
  for (const one of [host, ...config.listen.ports.map((more) => more.host ?? host)]) {
    if (!tls && !beyond && !/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(one))
      throw new ConfigurationError(`plain HTTP listens on loopback only; --insecure-http-beyond-loopback allows ${one}`)
  }
  if (!existsSync(join(folders.root, 'etc'))) {
    throw new ConfigurationError(
      `${join(folders.root, 'etc')}: no such folder; "edge-admin init --root ${folders.root}" makes one`,
    )
  }
  return {
    folders,
    config,
    configFile,
    host,
    port,
    keys: {
      host: hostKey(values.host, original.host),
      port: values.port === undefined ? 'listen.port' : '--port',
    },
    tls,
    mode: values.compat ? 'original' : 'strict',
    ...(values.programs !== undefined && { programs: resolve(values.programs) }),
    readyFd: values['ready-fd'] === undefined ? undefined : Number(values['ready-fd']),
    logFile: config.log.file ?? (values['default-log'] && resolve(values['default-log'])),
    sentences: (url) => [...[...ignored, ...moved].map((what) => `${configFile}: ${what}`), ...original.sentences(url)],
  }
}

function foldersOfPlan(options: Parameters<typeof givenFolders>[0], environment: Environment): Given {
  try {
    return givenFolders(options, environment)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new ConfigurationError(error instanceof Error ? error.message : String(error))
  }
}

const hostKey = (option: string | undefined, original: string | undefined) => {
  if (option !== undefined) return '--host'
  return original === undefined ? 'listen.host' : 'JIDO_WITH_SSL'
}
