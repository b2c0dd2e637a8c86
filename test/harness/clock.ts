// The clocks of a machine, for tests: time that passes moves both, a jump moves the wall's alone, a reboot begins the steady one anew.
import type { Clock } from '../../src/auth/clock.ts'

export class TestClock implements Clock {
  boot = 'boot-1'
  private boots = 1
  private now = 1_700_000_000_000
  private up = 5_000

  wall = () => this.now
  steady = () => this.up

  pass(milliseconds: number): this {
    this.now += milliseconds
    this.up += milliseconds
    return this
  }

  jump(milliseconds: number): this {
    this.now += milliseconds
    return this
  }

  reboot(): this {
    this.boots += 1
    this.boot = `boot-${this.boots}`
    this.up = 3_000
    return this
  }
}
