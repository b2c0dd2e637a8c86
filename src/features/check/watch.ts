// The check inside the running server: one line in the log when a problem appears and one when it is fixed, and a list
// for the console. It has to be nearly free: checks run one after the other, those that start programs rarely, and one
// that hangs is not started again.
import { LOOKS, type Look, lookOnce } from './check.ts'
import { type Finding, isWrong } from './finding.ts'
import type { Place } from './place.ts'

export interface WatchOptions {
  place: () => Promise<Place>
  found: (finding: Finding) => void
  mended: (finding: Finding) => void
  /** The check itself failed, which says nothing about the appliance. */
  warn: (text: string, error: unknown) => void
  looks?: readonly Look[]
  /** Milliseconds of a monotonic clock. */
  steady?: () => number
  /** The time limit of one check in milliseconds. */
  patience?: number
}

/** Milliseconds. */
const SOON = 1000
const EVERY = 15 * 60_000
const FRESH = 30_000

export class Watch {
  private readonly options: WatchOptions
  private readonly looks: readonly Look[]
  private readonly steady: () => number
  private readonly wrong = new Map<string, Finding[]>()
  private readonly atWork = new Set<string>()
  private looked = Number.NEGATIVE_INFINITY
  private looking: Promise<void> | undefined
  private timers: NodeJS.Timeout[] = []
  private isClosed = false

  constructor(options: WatchOptions) {
    this.options = options
    this.looks = options.looks ?? LOOKS
    this.steady = options.steady ?? (() => performance.now())
  }

  start(): void {
    const whole = () => void this.look(true)
    this.timers = [setTimeout(whole, SOON), setInterval(whole, EVERY)]
    for (const timer of this.timers) timer.unref()
  }

  /** The problems found by the last run. Reading them starts a new run for the next reader. */
  current(): Finding[] {
    if (Number.isFinite(this.looked) && this.steady() - this.looked > FRESH) void this.look(false)
    return [...this.wrong.values()].flat()
  }

  /** `whole`: also checks that are expensive and were fine. Resolves when it is done. */
  look(whole: boolean): Promise<void> {
    this.looking ??= this.lookAtAll(whole)
      .catch((error) => this.options.warn('the appliance could not be checked', error))
      .finally(() => {
        this.looked = this.steady()
        this.looking = undefined
      })
    return this.looking
  }

  private async lookAtAll(whole: boolean): Promise<void> {
    const place = await this.options.place()
    for (const one of this.looks) {
      if (this.isClosed) return
      if (this.atWork.has(one.area) || (!whole && one.dear && !this.wrong.has(one.area))) continue
      this.atWork.add(one.area)
      const begun = async (at: Place) => {
        try {
          return await one.look(at)
        } finally {
          this.atWork.delete(one.area)
        }
      }
      this.tell(one.area, (await lookOnce({ ...one, look: begun }, place, this.options.patience)).filter(isWrong))
    }
  }

  private tell(area: string, now: Finding[]): void {
    const before = this.wrong.get(area) ?? []
    if (now.length > 0) this.wrong.set(area, now)
    else this.wrong.delete(area)
    const isIn = (all: Finding[], one: Finding) =>
      all.some(({ id, subject }) => id === one.id && subject === one.subject)
    for (const one of now) if (!isIn(before, one)) this.options.found(one)
    for (const one of before) if (!isIn(now, one)) this.options.mended(one)
  }

  close(): void {
    this.isClosed = true
    for (const timer of this.timers) clearTimeout(timer)
  }
}
