// The short form of the check, in the running server: one line in the log when something is found and one when it is mended, and a list for
// the console. The trap: it must cost next to nothing. Looks come one after the other; those that start programs seldom; one that hangs is not
// begun again.
import { LOOKS, type Look, lookOnce } from './check.ts'
import { type Finding, isWrong } from './finding.ts'
import type { Place } from './place.ts'

export interface WatchOptions {
  place: () => Promise<Place>
  found: (finding: Finding) => void
  mended: (finding: Finding) => void
  /** The look itself failed: nobody's appliance is wrong. */
  warn: (text: string, error: unknown) => void
  looks?: readonly Look[]
  /** Milliseconds on a clock that never jumps. */
  steady?: () => number
  /** Milliseconds that one look may take. */
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

  /** What was wrong when it was last looked at. Whoever asks has it looked at again, for the next one who asks. */
  current(): Finding[] {
    if (Number.isFinite(this.looked) && this.steady() - this.looked > FRESH) void this.look(false)
    return [...this.wrong.values()].flat()
  }

  /** `whole`: also what is dear and was well. Resolves when it is done. */
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
