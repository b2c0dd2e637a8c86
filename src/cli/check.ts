// `edge-admin check`: lists what is missing on an image or an appliance, and how to fix it. A missing folder or
// configuration is a finding, never the end of the check.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Configuration, ConfigurationError, readConfiguration } from '../config.ts'
import { checkAll, LOOKS, MIGRATION_LOOKS } from '../features/check/check.ts'
import { checkDocument } from '../features/check/document.ts'
import { placeOf } from '../features/check/here.ts'
import type { Configured } from '../features/check/place.ts'
import { reportLines } from '../features/check/report.ts'
import { type Folders, installation } from '../folders.ts'
import { VERSION } from '../version.ts'
import { type Io, parse, say, UsageError } from './command.ts'
import { givenFolders } from './given-folders.ts'

const OPTIONS = {
  root: { type: 'string' },
  sysconfdir: { type: 'string' },
  datadir: { type: 'string' },
  statedir: { type: 'string' },
  config: { type: 'string' },
  programs: { type: 'string' },
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
  const { folders } = givenFolders({ ...values, root: original ?? values.root }, env)
  const place = await placeOf({
    ...{ folders, scripts, configured: configuredIn(folders, values.config), environment: env },
    programs: values.programs,
  })
  const { findings, isWell } = await checkAll(place, original === undefined ? LOOKS : MIGRATION_LOOKS)
  if (values.json) say(stdout, JSON.stringify(checkDocument(place, VERSION, findings, isWell), null, 2))
  else for (const line of reportLines(findings)) say(stdout, oneLine(line))
  return isWell ? 0 : 1
}

function configuredIn(folders: Folders, file?: string): Configured {
  try {
    const read = readConfiguration(folders, file)
    return { settings: read.config, file: read.file, ignored: read.ignored, moved: read.moved }
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : String(cause)
    const named = /^(\/[^:]*): /.exec(fault)?.[1]
    const where = file ?? (cause instanceof ConfigurationError ? named : undefined)
    return { settings: Configuration.parse({}), file: where, fault }
  }
}

/** File names may contain anything, and a terminal interprets control characters. */
const oneLine = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?')
