// The options of a new pool: properties of the pool, and `fs.` ones of its root dataset. The trap: the lists are closed on purpose; cachefile,
// altroot and bootfs would let a caller write or mount where nothing of his belongs.
import * as z from 'zod'
import { ApiError, invalid } from '../../http/errors.ts'
import { checkOptions } from '../zfs/options.ts'

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
const MOST = 64
const FS = 'fs.'

export const PoolOptions = z.record(z.string().max(255), z.string().max(1024)).meta({
  description: 'Properties of the pool; with `fs.` before their name, those of its root dataset',
  example: { ashift: '12', 'fs.compression': 'lz4' },
})
export type PoolOptions = z.infer<typeof PoolOptions>

const wrong = (key: string, message: string) => invalid(message, { details: { field: `options.${key}`.slice(0, 100) } })

/** Throws a 400 that names the first option which is none; gives back the arguments of `zpool create`. */
export function poolArguments(pool: string, options: PoolOptions): string[] {
  const entries = Object.entries(options)
  if (entries.length > MOST) throw invalid(`More than ${MOST} options`, { details: { field: 'options' } })
  return entries.flatMap(([key, value]) => {
    if (key.startsWith(FS)) {
      const checked = checkRootOption(pool, key.slice(FS.length), value)
      return Object.entries(checked).flatMap(([name, text]) => ['-O', `${name}=${text}`])
    }
    const pattern = POOL.get(key)
    if (!pattern) throw wrong(key, 'No such option')
    if (!pattern.test(value)) throw wrong(key, `Not a value of ${key}`)
    return ['-o', `${key}=${value}`]
  })
}

/** The same list as for any other dataset; what it says of `options.NAME` is here about `options.fs.NAME`. */
function checkRootOption(pool: string, key: string, value: string): Record<string, string> {
  try {
    return checkOptions({ [key]: value }, 'filesystem', pool, 'create')
  } catch (error) {
    throw error instanceof ApiError ? wrong(`${FS}${key}`, error.message) : error
  }
}
