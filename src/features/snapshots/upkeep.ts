// When a pool is scrubbed and trimmed: in the periods of snapshot policies, kept in a property of its root dataset, so
// that it moves with the pool. What was done is told by the scrub itself, and by a second property, since ZFS keeps
// only its last scan.
import * as z from 'zod'
import type { Property, Zfs } from '../../drivers/zfs.ts'
import { notFound, raise } from '../../errors.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { periodOf } from './periods.ts'

export const EVERY = ['never', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Every = (typeof EVERY)[number]
export const CHORES = ['scrub', 'trim'] as const
export type Chore = (typeof CHORES)[number]

/** The property with the schedule, and the one with the times of the last starts. */
export const UPKEEP = 'edge-admin:upkeep'
export const UPKEEP_DONE = 'edge-admin:upkeep-done'

export type Upkeep = Record<Chore, Every>
const NOTHING: Upkeep = { scrub: 'never', trim: 'never' }
/** Of a pool that is created here. */
export const FIRST_UPKEEP: Upkeep = { scrub: 'monthly', trim: 'never' }

export const EveryWord = z
  .enum(EVERY)
  .describe(
    'once in each day, week from Monday on, month or year (UTC), at its beginning or as soon as possible after it',
  )

/** `scrub=monthly,trim=never` */
export const formatUpkeep = (upkeep: Upkeep): string => CHORES.map((chore) => `${chore}=${upkeep[chore]}`).join(',')

/** Parses the property that `formatUpkeep` writes; undefined for any other text. */
export function parseUpkeep(text: string): Upkeep | undefined {
  const values = new Map(text.split(',').map((part) => part.split('=', 2) as [string, string]))
  const upkeep = { ...NOTHING }
  for (const chore of CHORES) {
    const every = EVERY.find((word) => word === values.get(chore))
    if (every === undefined) return undefined
    upkeep[chore] = every
  }
  return values.size === CHORES.length ? upkeep : undefined
}

/** Milliseconds since 1970 of each chore's last start. */
export type Starts = Partial<Record<Chore, number>>

export function parseStarts(text: string): Starts {
  const starts: Starts = {}
  for (const part of text.split(',')) {
    const [name, value = ''] = part.split('=', 2)
    const chore = CHORES.find((one) => one === name)
    if (chore && /^[0-9]{1,15}$/.test(value)) starts[chore] = Number(value)
  }
  return starts
}

export const formatStarts = (starts: Starts): string =>
  CHORES.flatMap((chore) => (starts[chore] === undefined ? [] : `${chore}=${starts[chore]}`)).join(',')

/** Whether a chore has to be started now: none of these times is in the present period. A clock that was ahead left times of a later one. */
export function isDue(every: Every, times: readonly (number | undefined)[], now: number): boolean {
  if (every === 'never') return false
  const { from, until } = periodOf(every, now)
  return !times.some((time) => time !== undefined && time >= from && time < until)
}

/** Whether a whole period went by without it, and the present one so far. */
export function isMissed(every: Every, times: readonly (number | undefined)[], now: number): boolean {
  if (every === 'never' || !isDue(every, times, now)) return false
  return isDue(every, times, periodOf(every, now).from - 1)
}

export interface PoolUpkeep {
  pool: string
  upkeep: Upkeep
  starts: Starts
}

const ownText = (property: Property | undefined) => (property?.source === 'local' ? property.value : '')

export async function readUpkeep(zfs: Zfs, pool: string): Promise<PoolUpkeep> {
  const all =
    (await withZfsErrors(pool, () => zfs.get(pool))) ?? raise(notFound('pool not found', { details: { object: pool } }))
  return {
    pool,
    upkeep: parseUpkeep(ownText(all.get(UPKEEP))) ?? NOTHING,
    starts: parseStarts(ownText(all.get(UPKEEP_DONE))),
  }
}

/** What is left out stays. */
export async function changeUpkeep(
  zfs: Zfs,
  pool: string,
  wanted: { [Name in Chore]?: Every | undefined },
): Promise<PoolUpkeep> {
  const before = await readUpkeep(zfs, pool)
  const upkeep = { scrub: wanted.scrub ?? before.upkeep.scrub, trim: wanted.trim ?? before.upkeep.trim }
  await withZfsErrors(pool, () => zfs.set(pool, { [UPKEEP]: formatUpkeep(upkeep) }))
  return { ...before, upkeep }
}
