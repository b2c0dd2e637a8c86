// Counts the boots of this machine, so that the order in which tokens were issued is known without a clock.
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import { readJson, writeAtomic } from '../store/atomic.ts'
import type { Clock } from './clock.ts'

const Saved = z.object({ boot: z.string(), number: z.int().min(1) })

/** When something was issued: the boot, and the seconds of its steady clock. */
export type Issued = readonly [boot: number, up: number]

const ID = /^((\d{1,9})-[0-9a-f]{8})\.(\d{1,12})\.[0-9a-f]{32}$/

export const isAfter = (one: Issued, other: Issued): boolean =>
  one[0] === other[0] ? one[1] > other[1] : one[0] > other[0]

/**
 * The current boot as named in tokens: its number, and enough of its id that it is not confused with another boot after
 * the count was lost.
 */
export interface Boot {
  number: number
  name: string
}

export function countBoots(folder: string, { boot }: Clock): Boot {
  const file = join(folder, 'boots.json')
  const last = Saved.safeParse(readJson(file)).data
  const number = last?.boot === boot ? last.number : (last?.number ?? 0) + 1
  try {
    if (last?.boot !== boot) writeAtomic(file, `${JSON.stringify({ boot, number })}\n`, 0o600)
  } catch {
    // The disk refuses writes: the next start counts this boot again, with the same number.
  }
  return { number, name: `${number}-${createHash('sha256').update(boot).digest('hex').slice(0, 8)}` }
}

/** The id of a token or a session: it contains when that was issued. */
export const newTokenId = ({ name }: Boot, clock: Clock) =>
  `${name}.${Math.floor(clock.steady() / 1000)}.${randomBytes(16).toString('hex')}`

/** The parts of an id; undefined for ids of earlier versions. */
export function readTokenId(id: string): { boot: string; issued: Issued } | undefined {
  const [, boot, number, up] = ID.exec(id) ?? []
  return boot === undefined ? undefined : { boot, issued: [Number(number), Number(up)] }
}
