// The original's configuration file, for an appliance that has only ours. The original drops a request with a parameter
// that is not in its list, so an endpoint without its parameters is switched on and never works (facts: jidoteki.md 3).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError, readConfiguration } from '../config.ts'
import type { Folders } from '../folders.ts'

const PARAMETERS: Record<string, string[]> = {
  certs: ['public', 'private', 'ca'],
  license: ['license'],
  backup: ['action', 'archive'],
}

/** The text of the file to create, if there is none; `left` lists what the two configurations disagree on. */
export function originalConfiguration(folders: Folders): { text: string | undefined; left: string[] } {
  const file = join(folders.sysconf, 'jidoteki-admin-api.json')
  const ours = join(folders.sysconf, 'edge-admin.json')
  if (!existsSync(ours)) return { text: undefined, left: [] }
  try {
    const { config } = readConfiguration(folders, ours)
    if (existsSync(file)) {
      const theirs = readConfiguration(folders, file).config
      const missing = config.endpoints.filter((name) => !theirs.endpoints.includes(name))
      const left = missing.length === 0 ? [] : [`${file} stays as it is: it does not switch on ${missing.join(', ')}`]
      return { text: undefined, left }
    }
    const parameters = [...config.parameters, ...config.endpoints.flatMap((name) => PARAMETERS[name] ?? [])]
    const first = config['first-run']
    const value = {
      endpoints: config.endpoints,
      parameters: [...new Set(parameters)],
      ...(first && { 'first-run': { 'word-length': first['word-length'], enabled: first.enabled } }),
    }
    return { text: `${JSON.stringify(value, undefined, 2)}\n`, left: [] }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { text: undefined, left: [`no configuration was made for the original: ${error.message}`] }
  }
}
