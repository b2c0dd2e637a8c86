// Reads the -H output of `zfs` line by line as it arrives. Values are printed raw, and user properties may contain tabs
// and line ends, so anybody who can set one can forge a line; `readProperties` is for output with such values.
import { randomBytes } from 'node:crypto'
import type { Tool } from './programs.ts'
import { CommandError, type RunOptions } from './run.ts'

export interface Property {
  value: string
  /** `local`, `default`, `-`, `received`, `inherited from …` */
  source: string
}

/** Milliseconds. */
export const LONG = 120_000
/** Bytes of a list, enough for a million snapshots. */
const MOST = 1 << 28

export const garbled = (args: string[]) => new CommandError(['zfs', ...args], 'output')

export function whole(text: string | undefined, args: string[]): number {
  const value = Number(text)
  if (text === undefined || !/^[0-9]+$/.test(text)) throw garbled(args)
  return value
}

async function readLines(tool: Tool, args: string[], take: (line: string) => void, options: RunOptions): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  let broken: unknown
  const onOutput = (chunk: Buffer) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    try {
      for (const line of broken === undefined ? lines : []) take(line)
    } catch (error) {
      // Throwing inside the event handler would end the process.
      broken = error
    }
  }
  await tool('zfs', args, { timeout: LONG, maxBytes: MOST, ...options, onOutput })
  if (broken !== undefined) throw broken
  if (rest !== '') throw garbled(args)
}

/** Columns whose values come from ZFS only. */
export const readRows = (
  tool: Tool,
  args: string[],
  width: number,
  take: (fields: string[]) => void,
  options: RunOptions = {},
): Promise<void> =>
  readLines(
    tool,
    args,
    (line) => {
      const fields = line.split('\t')
      if (fields.length !== width) throw garbled(args)
      take(fields)
    },
    options,
  )

export interface Question {
  flags: string[]
  /** Only the last column may contain line ends. */
  properties: string[]
  /** Default: everything. */
  names?: string[]
}

/** Makes a property name that does not exist. */
export type Unheard = () => string
export const unheard: Unheard = () => `edge-admin:end-${randomBytes(12).toString('hex')}`

/**
 * Reads properties of many objects, one after the other. Last it asks for a property that does not exist and that
 * nobody can guess: ZFS's message about it marks the end of a value. So no value can be taken for a line about
 * something else.
 */
export async function readProperties(
  tool: Tool,
  { flags, properties, names = [] }: Question,
  take: (name: string, found: Property[], args: string[]) => void,
  { end, ...options }: RunOptions & { end: string },
): Promise<void> {
  const args = ['get', '-Hp', ...flags, '-o', 'name,property,source,value', [...properties, end].join(','), ...names]
  let name = ''
  let found: Property[] = []
  const one = (line: string) => {
    const last = found.length === properties.length ? found.at(-1) : undefined
    if (last && line === `${name}\t${end}\t-\t-`) {
      take(name, found, args)
      found = []
    } else if (last) last.value += `\n${line}`
    else {
      const [about = '', property, source = '', ...value] = line.split('\t')
      if (property !== properties[found.length] || value.length === 0) throw garbled(args)
      if (found.length > 0 && about !== name) throw garbled(args)
      name = about
      found.push({ value: value.join('\t'), source })
    }
  }
  await readLines(tool, args, one, options)
  if (found.length > 0) throw garbled(args)
}
