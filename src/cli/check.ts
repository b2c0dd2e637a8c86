// `edge-admin check`: what is missing on an image or an appliance, and how to mend it. The trap: it may be called where nothing is in order, so
// each thing that it needs to begin (folders, configuration) is a finding when it is missing, never an end.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Configuration, ConfigurationError, readConfiguration } from '../config.ts'
import { checkAll, LOOKS, MIGRATION_LOOKS } from '../features/check/check.ts'
import { shellValues } from '../features/check/configuration.ts'
import { checkDocument } from '../features/check/document.ts'
import { placeOf } from '../features/check/here.ts'
import type { Configured } from '../features/check/place.ts'
import { reportLines } from '../features/check/report.ts'
import { DEFAULT_FOLDERS, type Folders, installation } from '../folders.ts'
import { VERSION } from '../version.ts'
import { type Io, parse, say, UsageError } from './command.ts'
import { rootFolder } from './root-folder.ts'

const OPTIONS = {
  root: { type: 'string' },
  sysconfdir: { type: 'string' },
  datadir: { type: 'string' },
  statedir: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean', default: false },
  'from-original': { type: 'string' },
} as const

export async function check(args: string[], { stdout, env }: Io): Promise<number> {
  const { values } = parse(args, OPTIONS)
  const original = values['from-original']
  if (original !== undefined && values.root !== undefined)
    throw new UsageError('--from-original DIR names the root folder: without --root')
  if (original !== undefined && !statSync(original, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--from-original: there is no folder ${original}`)
  const scripts = join(installation(), 'scripts')
  const usual = usualFolders(scripts)
  const folders: Folders = {
    root: original === undefined ? rootFolder(values.root, env, usual.root) : resolve(original),
    sysconf: resolve(values.sysconfdir ?? usual.sysconf),
    data: resolve(values.datadir ?? usual.data),
    state: resolve(values.statedir ?? usual.state),
  }
  const place = await placeOf({ folders, scripts, configured: configuredIn(folders, values.config), environment: env })
  const { findings, isWell } = await checkAll(place, original === undefined ? LOOKS : MIGRATION_LOOKS)
  if (values.json) say(stdout, JSON.stringify(checkDocument(place, VERSION, findings, isWell), null, 2))
  else for (const line of reportLines(findings)) say(stdout, oneLine(line))
  return isWell ? 0 : 1
}

/** Those of this installation, which may have been moved; else the defaults. */
function usualFolders(scripts: string): Folders {
  const file = join(scripts, 'settings')
  const values = existsSync(file) ? shellValues(readFileSync(file, 'utf8')) : new Map<string, string>()
  return {
    root: values.get('EDGE_ROOT') || DEFAULT_FOLDERS.root,
    sysconf: values.get('EDGE_SYSCONFDIR') || DEFAULT_FOLDERS.sysconf,
    data: values.get('EDGE_DATADIR') || DEFAULT_FOLDERS.data,
    state: values.get('EDGE_STATEDIR') || DEFAULT_FOLDERS.state,
  }
}

function configuredIn(folders: Folders, file?: string): Configured {
  try {
    const read = readConfiguration(folders, file)
    return { settings: read.config, file: read.file, ignored: read.ignored }
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause)
    const named = /^(\/[^:]*): /.exec(fault)?.[1]
    const where = file ?? (cause instanceof ConfigurationError ? named : undefined)
    return { settings: Configuration.parse({}), file: where, fault }
  }
}

/** Names of files may hold anything, and a terminal obeys control characters. */
const oneLine = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?')
