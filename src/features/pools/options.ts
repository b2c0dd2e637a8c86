// The options of a new pool: its properties, and with `fs.` those of its root dataset. The lists are closed on purpose: cachefile, altroot
// and bootfs would let a caller write or mount anywhere.
import * as z from 'zod'
import type { FieldError } from '../../field-errors.ts'
import { noSuchOption, notAValue } from '../zfs/option-words.ts'
import { optionNames, readOptions } from '../zfs/options.ts'

const ON_OFF = /^(?:on|off)$/
const POOL: ReadonlyMap<string, RegExp> = new Map([
  ['ashift', /^(?:0|9|1[0-6])$/],
  ['autoexpand', ON_OFF],
  ['autoreplace', ON_OFF],
  ['autotrim', ON_OFF],
  ['comment', /^[\x20-\x7e]{1,32}$/],
  ['compatibility', /^(?:off|legacy|[a-z0-9][a-z0-9._-]{0,63})$/],
  ['delegation', ON_OFF],
  ['failmode', /^(?:wait|continue|panic)$/],
  ['listsnapshots', ON_OFF],
  ['multihost', ON_OFF],
])
/** What can be set in a pool that exists. */
export const CHANGEABLE: readonly string[] = [
  ...['autoexpand', 'autoreplace', 'autotrim', 'comment', 'delegation', 'failmode', 'listsnapshots', 'multihost'],
]
const MOST = 64
const FS = 'fs.'

export const PoolOptions = z
  .record(z.string().max(255), z.string().max(1024))
  .superRefine((options, context) => {
    for (const { field, message } of readPoolOptions(options).errors)
      context.addIssue({ code: 'custom', path: field.split('.').slice(1), message })
  })
  .meta({
    id: 'PoolOptions',
    description: 'Properties of the pool; with `fs.` before their name, those of its root dataset',
    example: { ashift: '12', 'fs.compression': 'lz4' },
  })
export type PoolOptions = z.infer<typeof PoolOptions>

/**
 * The arguments of `zpool create`, and all that is wrong. `pool` is left out where it is not known yet whether that is a
 * name. `among`: the only ones that may be named.
 */
export function readPoolOptions(
  options: PoolOptions,
  pool?: string,
  among?: readonly string[],
): { words: string[]; errors: FieldError[] } {
  const entries = Object.entries(options)
  const errors: FieldError[] = []
  if (entries.length > MOST) errors.push({ field: 'options', message: `More than ${MOST} options` })
  const wrong = (key: string, message: string) => {
    errors.push({ field: `options.${key}`.slice(0, 100), message })
    return []
  }
  const words = entries.slice(0, MOST).flatMap(([key, value]) => {
    if (among && !among.includes(key))
      return wrong(key, POOL.has(key) ? 'This can only be set when a pool is created' : noSuchOption(key, [...among]))
    if (key.startsWith(FS)) {
      // The same list as for any other dataset; what it says of `options.NAME` is here about `options.fs.NAME`.
      const dataset = { kind: 'filesystem', when: 'create', ...(pool !== undefined && { name: pool }) } as const
      const { checked, errors: found } = readOptions({ [key.slice(FS.length)]: value }, dataset)
      const [refused] = found
      if (refused) return wrong(key, isUnknown(refused) ? noSuchOption(key, known()) : refused.message)
      return Object.entries(checked).flatMap(([name, text]) => ['-O', `${name}=${text}`])
    }
    const pattern = POOL.get(key)
    if (!pattern) return wrong(key, noSuchOption(key, known()))
    if (!pattern.test(value)) return wrong(key, notAValue(key, value, pattern))
    return ['-o', `${key}=${value}`]
  })
  return { words, errors }
}

const isUnknown = ({ message }: FieldError) => message.startsWith('No such option')

/** What is no property of the pool itself may be meant as one of its root dataset. */
const known = () => [...POOL.keys(), ...optionNames('filesystem').map((name) => `${FS}${name}`)]
