// How log-in attempts at one account wait for each other. The clock that releases them is a fake: each test decides when the next attempt is released.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { AccountTurns, MOST_WAITING } from '../../src/auth/account-turns.ts'
import { BackOff } from '../../src/auth/back-off.ts'
import type { ApiError } from '../../src/errors.ts'
import { STATUS } from '../../src/http/status.ts'
import { TestClock } from '../harness/clock.ts'

const PACE = 4000
let clock: TestClock
let attempts: BackOff
let turns: AccountTurns
/** Whose turn it was, and who was refused, in this order. */
let heard: string[]
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  clock = new TestClock()
  attempts = new BackOff(undefined, clock, { free: 1, longest: PACE })
  turns = new AccountTurns(attempts)
  heard = []
})
afterEach(() => {
  turns.close()
  vi.useRealTimers()
})
const come = (who: string, address: string, account = 'ann') =>
  turns.take(account, address).then(
    () => heard.push(who),
    ({ kind, retryAfter }: ApiError) => heard.push(`${who} ${STATUS[kind]} ${retryAfter}`),
  )
/** Time passes, and what it lets through. */
const pass = async (milliseconds: number) => {
  for (let left = milliseconds; left > 0; left -= 100) {
    clock.pass(Math.min(100, left))
    await vi.advanceTimersByTimeAsync(Math.min(100, left))
  }
}
const settle = () => vi.advanceTimersByTimeAsync(0)
/** Uses up what is free, and the pause after it until it is as long as all later ones. */
const exhaust = () => {
  for (let i = 0; i < 4; i++) attempts.fail('ann')
}

it('are free at first, each counted, and not those of another account', async () => {
  await come('a', '10.1.0.1')
  await come('b', '10.1.0.1')
  void come('c', '10.1.0.1')
  await come('d', '10.1.0.1', 'bob')
  expect(heard).toEqual(['a', 'b', 'd'])
  await pass(1000)
  expect(heard).toEqual(['a', 'b', 'd', 'c'])
})

it('come one by one, and none before its time, however early a timer is', async () => {
  exhaust()
  void come('a', '10.1.0.1')
  void come('b', '10.2.0.1')
  clock.pass(PACE - 1)
  await vi.advanceTimersByTimeAsync(PACE)
  expect(heard).toEqual([])
  await pass(1)
  expect(heard).toEqual(['a'])
  await pass(PACE - 1)
  expect(heard).toEqual(['a'])
  await pass(1)
  expect(heard).toEqual(['a', 'b'])
  // Nobody waits: what comes next has only the pause before it.
  await pass(PACE)
  await come('c', '10.3.0.1')
  expect(heard).toEqual(['a', 'b', 'c'])
})

it('are released network by network, within a network address by address, the longest wait first', async () => {
  exhaust()
  void come('a', '10.1.0.1')
  void come('b', '10.1.0.2')
  void come('c', '10.1.0.1')
  void come('d', '10.2.0.1')
  await pass(4 * PACE)
  expect(heard.join('')).toBe('adbc')
})

it('are kept for eight: one more sends the last of the largest network away, with the time of the next turn', async () => {
  exhaust()
  await pass(1)
  void come('elsewhere', '10.2.0.1')
  for (let i = 1; i < MOST_WAITING; i++) void come(`${i}`, `10.1.0.${i}`)
  await settle()
  expect(heard).toEqual([])
  void come('also elsewhere', '10.2.0.2')
  await settle()
  expect(heard).toEqual([`${MOST_WAITING - 1} 429 4`])
  await pass(3001)
  void come('too many', '10.1.0.9')
  await settle()
  expect(heard.at(-1)).toBe('too many 429 1')
  void come('elsewhere, too', '10.2.0.3')
  await settle()
  expect(heard.slice(2)).toEqual([`${MOST_WAITING - 2} 429 1`])
})

it('keep the place of who was refused and comes back', async () => {
  exhaust()
  void come('first', '10.1.0.1')
  for (let i = 2; i <= MOST_WAITING; i++) void come(`${i}`, `10.${i}.0.1`)
  void come('late', '10.99.0.1')
  await settle()
  expect(heard).toEqual(['late 429 4'])
  void come('later', '10.98.0.1')
  await pass(PACE)
  expect(heard.slice(1)).toEqual(['later 429 4', 'first'])
  void come('later again', '10.98.0.1')
  void come('late again', '10.99.0.1')
  await settle()
  // The one place that is free is for whom has waited longer.
  expect(heard.slice(3)).toEqual(['later again 429 4'])
})

it('are released to the longest wait in a network first, even after a refusal and a second try', async () => {
  exhaust()
  for (let i = 1; i <= MOST_WAITING; i++) void come(`${i}`, `10.${i}.0.1`)
  void come('x', '10.99.0.1')
  await pass(PACE)
  expect(heard).toEqual(['x 429 4', '1'])
  void come('y', '10.99.0.2')
  await pass(PACE)
  void come('x again', '10.99.0.1')
  await pass(7 * PACE)
  expect(heard.find((who) => ['x again', 'y'].includes(who))).toBe('x again')
})

it.each([
  [500, 'again', 'stranger'],
  [540, 'stranger', 'again'],
])('know who comes back among the latest five hundred callers: after %d more', async (others, stays, goes) => {
  exhaust()
  for (let i = 1; i <= MOST_WAITING; i++) void come(`${i}`, `10.${i}.0.1`)
  void come('first', '10.99.0.1')
  for (let i = 0; i < others; i++) void come('other', `${20 + (i >> 8)}.${i & 255}.0.1`)
  await pass(PACE)
  void come('stranger', '10.98.0.1')
  void come('again', '10.99.0.1')
  await settle()
  expect([heard.at(-1), heard.includes(stays)]).toEqual([`${goes} 429 4`, false])
})

it('know who comes back all the time for longer than who came once', async () => {
  exhaust()
  const others = (from: number, to: number) => {
    for (let i = from; i < to; i++) void come('other', `${20 + (i >> 8)}.${i & 255}.0.1`)
  }
  for (let i = 1; i <= MOST_WAITING; i++) void come(`${i}`, `10.${i}.0.1`)
  void come('always', '10.99.0.1')
  others(0, 400)
  void come('always', '10.99.0.1')
  others(400, 550)
  void come('once', '10.98.0.1')
  others(550, 600)
  void come('always', '10.99.0.1')
  others(600, 900)
  await pass(PACE)
  void come('once', '10.98.0.1')
  void come('always', '10.99.0.1')
  await settle()
  expect(heard.at(-1)).toBe('once 429 4')
})

it('are lost by nobody but the one who is sent away', async () => {
  exhaust()
  for (let i = 1; i < MOST_WAITING; i++) void come(`${i}`, `10.1.0.${i}`)
  void come('elsewhere', '10.2.0.1')
  void come('one more', '10.1.0.9')
  await pass(2 * PACE)
  expect(heard).toEqual(['one more 429 4', '1', 'elsewhere'])
})

it('end after half a minute for one request, and it takes nobody’s turn', async () => {
  exhaust()
  for (let i = 0; i < MOST_WAITING; i++) void come(`${i}`, `10.${i}.0.1`)
  await pass(30_000 - 1)
  expect(heard).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  await pass(1)
  expect(heard.slice(7)).toEqual(['7 429 2'])
  void come('next', '10.9.0.1')
  await pass(2000)
  expect(heard.slice(8)).toEqual(['next'])
  expect(vi.getTimerCount()).toBe(0)
})

it('are refused to all who wait once the server stops, and no timer is left', async () => {
  exhaust()
  void come('a', '10.1.0.1')
  void come('b', '10.2.0.1')
  turns.close()
  await settle()
  expect(heard).toEqual(['a 503 5', 'b 503 5'])
  expect(vi.getTimerCount()).toBe(0)
  void come('c', '10.3.0.1')
  await pass(PACE)
  expect(heard.at(-1)).toBe('c')
})
