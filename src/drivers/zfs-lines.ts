// What `zfs` prints with -H, read line by line as it arrives. The trap: a value is printed raw, and somebody's own property may hold tabs and
// line ends, so a line may be written by whoever made the pool; `readProperties` is for what holds such values.
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
/** Bytes of a list: a million snapshots. */
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
      // Thrown here it would end the process: nobody listens above an event.
      broken = error
    }
  }
  await tool('zfs', args, { timeout: LONG, maxBytes: MOST, ...options, onOutput })
  if (broken !== undefined) throw broken
  if (rest !== '') throw garbled(args)
}

/** Columns that only ZFS itself fills. */
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
  /** Only the last may hold line ends. */
  properties: string[]
  /** Default: everything there is. */
  names?: string[]
}

/** Makes the name of a property that nobody has. */
export type Unheard = () => string
export const unheard: Unheard = () => `edge-admin:end-${randomBytes(12).toString('hex')}`

/**
 * Asks for properties of many at once, one after the other. Behind them it asks for one that nobody can have heard of: ZFS answers that there
 * is none, and only there a value ends. So whatever a value says, it never counts as a line about something else.
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
