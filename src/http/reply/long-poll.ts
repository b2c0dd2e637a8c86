// `?wait=SECONDS`: holds the answer until the state changes. If nothing is under way it answers at once, so that a
// client that asks just after the end does not hang.
import * as z from 'zod'
import { wholeNumber } from '../body/whole-number.ts'
import type { Call } from '../endpoint.ts'

export const MAX_WAIT = 300

export const Wait = z.object({
  wait: wholeNumber(0, MAX_WAIT, {
    parameter: 'Wait',
    description: `Hold the answer until the state changes, at most this many seconds (0 to ${MAX_WAIT}). Nothing under way answers at once.`,
  }),
})

export interface LongPoll<T> {
  read: () => T | Promise<T>
  /** Whether something is under way that can still change. */
  underWay: (value: T) => boolean
  /** The state as text: a different text is a change. */
  state: (value: T) => string
}

/**
 * Reads once without `wait`; otherwise until the state changes, nothing is under way, the time is over or the client
 * has gone.
 */
export async function longPoll<T>({ read, underWay, state }: LongPoll<T>, call: Call): Promise<T> {
  const first = await read()
  const seconds = Number(call.query['wait'] ?? 0)
  const end = performance.now() + seconds * 1000
  let value = first
  while (underWay(value) && state(value) === state(first) && performance.now() < end && !call.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    value = await read()
  }
  return value
}
