// The properties that have a field, and the changes that a form makes. An empty limit removes the limit; any other
// empty field restores the inherited value.
import { bytes } from '../../kit/format.ts'
import { exactSize } from '../storage/api-types.ts'

export interface Property {
  name: string
  label: string
  hint?: string
  /** The choices; left out for a text field. */
  choices?: string[]
  /** Can be set only at creation. */
  fixed?: true
}

const COMPRESSION = { name: 'compression', label: 'Compression', choices: ['off', 'lz4', 'zstd', 'gzip'] }
const SYNC = { name: 'sync', label: 'Synchronous writes', choices: ['standard', 'always', 'disabled'] }
const READONLY = { name: 'readonly', label: 'Read-only', choices: ['off', 'on'] }

export const PROPERTIES: Record<'filesystem' | 'volume', Property[]> = {
  filesystem: [
    { name: 'quota', label: 'Quota', hint: 'Limit including everything below it, such as 200G; empty: no limit' },
    { name: 'refquota', label: 'Quota without snapshots and children', hint: 'Such as 100G; empty: no limit' },
    { name: 'reservation', label: 'Reservation', hint: 'Space that is guaranteed to it, such as 10G' },
    COMPRESSION,
    { name: 'recordsize', label: 'Record size', choices: ['16K', '64K', '128K', '1M'] },
    { name: 'atime', label: 'Record access times (atime)', choices: ['off', 'on'] },
    SYNC,
    READONLY,
  ],
  volume: [
    COMPRESSION,
    { name: 'volblocksize', label: 'Block size', choices: ['4K', '8K', '16K', '32K', '64K', '128K'], fixed: true },
    SYNC,
    READONLY,
  ],
}

const LIMITS = ['quota', 'refquota', 'reservation', 'refreservation']

export interface Values {
  /** By property name; empty: not set. */
  fields: Record<string, string>
  /** The other properties, one `name=value` per line. */
  others: string
}

/** The form's values for the options that a dataset has. */
export function valuesOf(kind: 'filesystem' | 'volume', options: Record<string, string>): Values {
  const known = PROPERTIES[kind].map(({ name }) => name)
  const shown = (name: string) => {
    const value = options[name] ?? ''
    return LIMITS.includes(name) && (value === '0' || value === 'none') ? '' : exactSize(value)
  }
  const others = Object.entries(options).filter(([name]) => !known.includes(name))
  return {
    fields: Object.fromEntries(known.map((name) => [name, shown(name)])),
    others: others.map(([name, value]) => `${name}=${value}`).join('\n'),
  }
}

/** A value in human-readable form. */
export function readable(name: string, value: string): string {
  if (!LIMITS.includes(name) || !/^[0-9]+$/.test(value)) return exactSize(value)
  return value === '0' ? 'none' : bytes(Number(value))
}

const linesOf = (others: string) =>
  Object.fromEntries(
    others.split('\n').flatMap((line) => {
      const at = line.indexOf('=')
      return line.trim() === ''
        ? []
        : [[line.slice(0, Math.max(at, 0)).trim() || line.trim(), line.slice(at + 1).trim()]]
    }),
  )

/** The options to send so that `before` becomes `after`. */
export function changes(before: Values, after: Values): Record<string, string> {
  const [old, now] = [
    { ...linesOf(before.others), ...before.fields },
    { ...linesOf(after.others), ...after.fields },
  ]
  const options: Record<string, string> = {}
  for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const [from = '', to = ''] = [old[name], now[name]?.trim()]
    if (from !== to) options[name] = to !== '' ? to : LIMITS.includes(name) ? 'none' : 'inherit'
  }
  return options
}
