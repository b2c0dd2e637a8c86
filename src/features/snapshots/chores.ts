// Starts the scrubs, trims and self-tests that are due. Each look computes what is due from what was done, so a missed
// one is made up, and one that is running is not doubled.
import type { Zfs } from '../../drivers/zfs.ts'
import type { Zpool } from '../../drivers/zpool.ts'
import { listDisks } from '../disks/disks.ts'
import type { Disks } from '../disks/parts.ts'
import { startTest, type TestType } from '../disks/self-test.ts'
import type { DiskTests } from '../disks/test-schedule.ts'
import { type Chore, formatStarts, isDue, isMissed, type PoolUpkeep, readUpkeep, UPKEEP_DONE } from './upkeep.ts'

export interface ChoresOptions {
  zfs: Zfs
  zpool: Pick<Zpool, 'status'>
  disks: Disks
  tests: DiskTests
  /** Starts a chore on a pool as a job; false: another job is working on the pool. */
  start: Record<Chore, (pool: string) => Promise<boolean>>
  now: () => number
  audit: (event: string, target: string, failure?: string) => unknown
  warn: (text: string, error?: unknown) => void
}

export class Chores {
  private readonly options: ChoresOptions
  /** Pools whose scrub was not done for a whole period. */
  private readonly missed = new Set<string>()

  constructor(options: ChoresOptions) {
    this.options = options
  }

  /** Pools that were not scrubbed for a whole period, and could not be scrubbed since. */
  missedScrubs(): string[] {
    return [...this.missed]
  }

  async pool(pool: string): Promise<void> {
    const { zfs, now } = this.options
    const found = await readUpkeep(zfs, pool)
    this.missed.delete(pool)
    if (found.upkeep.scrub === 'never' && found.upkeep.trim === 'never') return
    const root = (await zfs.roots()).get(pool)
    const created = root && root.created * 1000
    await this.scrub(found, created)
    if (isDue(found.upkeep.trim, [found.starts.trim, created], now())) await this.begin(found, 'trim')
  }

  private async scrub(found: PoolUpkeep, created: number | undefined): Promise<void> {
    const { zpool, now } = this.options
    if (!isDue(found.upkeep.scrub, [found.starts.scrub, created], now())) return
    const { scans = [] } = (await zpool.status(found.pool)) ?? {}
    // A resilver keeps a scrub from starting; a scrub of a person counts.
    if (scans.some(({ state }) => state === 'running' || state === 'paused')) return
    const last = scans.find(({ kind, state }) => kind === 'scrub' && state === 'finished')
    const times = [found.starts.scrub, created, last?.started]
    if (isMissed(found.upkeep.scrub, times, now())) this.missed.add(found.pool)
    if (isDue(found.upkeep.scrub, times, now()) && (await this.begin(found, 'scrub'))) this.missed.delete(found.pool)
  }

  private async begin({ pool, starts }: PoolUpkeep, chore: Chore): Promise<boolean> {
    const { zfs, start, now, audit } = this.options
    const event = `pools.${chore}`
    try {
      if (!(await start[chore](pool))) return false
    } catch (error) {
      await audit(`${event}.failed`, `pools/${pool}`, error instanceof Error ? error.message : undefined)
      throw error
    }
    // After the start: one that is lost in between is started twice at worst, and a running one is not doubled.
    const again = (await readUpkeep(zfs, pool)).starts
    await zfs.set(pool, { [UPKEEP_DONE]: formatStarts({ ...starts, ...again, [chore]: now() }) })
    return true
  }

  /** Keeps the health of all disks fresh, and starts their self-tests. A disk that sleeps is not woken: it is tested once it is awake. */
  async machine(): Promise<void> {
    const { disks, tests, now, audit, warn } = this.options
    const all = (await listDisks(disks)).disks
    await disks.health.refreshAll(all)
    const schedule = tests.schedule()
    for (const disk of all) {
      const last = tests.startsOf(disk.id)
      const long = isDue(schedule.long, [last.long], now())
      // A long test includes what a short one does.
      const type = long ? 'long' : isDue(schedule.short, [last.short, last.long], now()) ? 'short' : undefined
      const { state, report } = disks.health.of(disk)
      if (type === undefined || state === 'unknown' || state === 'standby' || report?.running) continue
      try {
        await startTest(disks, disk, type, { wake: false })
        this.record(disk.id, type)
        await audit('disks.test', `disks/${disk.id}`)
      } catch (error) {
        // Tried again in the next period, not each quarter of an hour.
        this.record(disk.id, type)
        await audit('disks.test.failed', `disks/${disk.id}`, error instanceof Error ? error.message : undefined)
        warn(`the self-test of ${disk.id} could not be started`, error)
      }
    }
  }

  /** A full disk here keeps no disk from its test. */
  private record(disk: string, type: TestType): void {
    const { tests, now, warn } = this.options
    try {
      tests.started(disk, type, now())
    } catch (error) {
      warn(`it could not be recorded that the self-test of ${disk} was started`, error)
    }
  }
}
