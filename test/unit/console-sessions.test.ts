// Sessions of the console and clocks that jump. The trap: the file is read again by another object, as after a restart.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countBoots } from '../../src/auth/boots.ts'
import { ConsoleSessions, LONGEST } from '../../src/auth/console-sessions.ts'
import { TestClock } from '../harness/clock.ts'

const YEARS = 16 * 365 * 86_400_000
const IDLE = 1800
let folder: string
let clock: TestClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-admin-'))
  clock = new TestClock()
})
afterEach(() => rmSync(folder, { recursive: true }))
const start = () =>
  new ConsoleSessions({
    file: join(folder, 'sessions.json'),
    idle: IDLE,
    users: () => [],
    tokenKey: () => 'key',
    clock,
    boot: countBoots(folder, clock),
    warn: () => {},
  })
const isIn = (sessions: ConsoleSessions, value: string) => sessions.find(value) !== undefined

describe('a session of the console', () => {
  it('goes on when the clock jumps while the machine runs, over a restart of the server, too', () => {
    for (const way of [1, -1]) {
      const running = start()
      const value = running.begin('token')
      clock.jump(way * YEARS)
      expect([way, isIn(running, value), isIn(start(), value)]).toEqual([way, true, true])
      clock.pass((IDLE - 1) * 1000)
      expect([way, isIn(running, value)]).toEqual([way, true])
      clock.pass(1000)
      expect([way, isIn(running, value), isIn(start(), value)]).toEqual([way, false, false])
    }
  })

  it('is no longer for a clock that is set back', () => {
    const running = start()
    const value = running.begin('token')
    for (let seconds = 0; seconds < LONGEST - 1200; seconds += 1200) {
      clock.pass(1_200_000).jump(-1_000_000)
      const open = running.find(value)
      expect([seconds, open !== undefined]).toEqual([seconds, true])
      running.touch(open!.id)
    }
    clock.pass(1_200_000)
    expect(isIn(running, value)).toBe(false)
  })

  it('goes by the wall clock over a boot', () => {
    const value = start().begin('token')
    clock.pass(60_000).reboot()
    expect(isIn(start(), value)).toBe(true)
    clock.reboot().jump(IDLE * 1000)
    expect(isIn(start(), value)).toBe(false)
    const another = start().begin('token')
    clock.reboot().jump(-YEARS)
    expect(isIn(start(), another)).toBe(false)
  })
})
