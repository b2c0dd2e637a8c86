// Aggregates audit entries of refusals. Unauthenticated callers decide how often they are refused, so the log must not
// grow with that. The first few of a kind in a minute are entered one by one; the rest are counted, and one entry at
// the end of the minute gives the number. A budget of bytes bounds both.
import type { AuditEntry } from './audit-entry.ts'

export interface GatheringOptions {
  /** How many of one kind are entered one by one in a minute, and how many of all kinds. */
  each: number
  most: number
  /** Bytes: how many at once, and how many more in an hour. */
  burst: number
  perHour: number
  /** What these callers are called in the line that counts the refusals without an entry. */
  whose: string
  /** Writes one entry and returns its size in bytes. */
  enter: (entry: AuditEntry) => number
  /** The group of callers that an entry belongs to. */
  groupOf: (entry: AuditEntry) => string
  /** Milliseconds of a clock that never jumps. */
  now?: () => number
}

interface Kind {
  entry: AuditEntry
  group: string
  entered: number
  more: number
}

const MINUTE = 60_000
const HOUR = 3_600_000
/** Kinds that are counted separately; of the rest only the total is kept, so that invented addresses cost no memory. */
const KINDS = 200
/** Kinds that get an entry at the end of a minute. */
const MOST_KINDS_ENTERED = 30
/** Bytes of the budget that are reserved for the line that counts the rest. */
const RESERVE = 16 << 10

export class Refusals {
  private readonly options: Required<GatheringOptions>
  private readonly kinds = new Map<string, Kind>()
  private others = 0
  /** When the first of the others came (ISO 8601), and when they were last entered. */
  private since = ''
  private othersEntered = Number.NEGATIVE_INFINITY
  private singles = 0
  private began = ''
  private timer: NodeJS.Timeout | undefined
  private budget: number
  private filled: number

  constructor(options: GatheringOptions) {
    this.options = { now: () => performance.now(), ...options }
    this.budget = options.burst
    this.filled = this.options.now()
  }

  /** Enters the refusal, or counts it. */
  add(entry: AuditEntry): void {
    if (!this.timer) this.begin()
    const kind = this.kindOf(entry)
    if (!kind) this.count(1)
    else if (this.hasRoom(kind)) {
      kind.entered += 1
      this.singles += 1
      this.budget -= this.options.enter(entry)
    } else kind.more += 1
  }

  private kindOf(entry: AuditEntry): Kind | undefined {
    const group = this.options.groupOf(entry)
    const name = `${group} ${entry.event} ${entry.name ?? ''}`
    const known = this.kinds.get(name)
    if (known || this.kinds.size >= KINDS) return known
    const kind = { entry, group, entered: 0, more: 0 }
    this.kinds.set(name, kind)
    return kind
  }

  private hasRoom({ entered }: Kind): boolean {
    const { each, most } = this.options
    return entered < each && this.singles < most && this.left() > RESERVE
  }

  /** Enters the counted refusals. Called at the end of a minute, and before the log is closed. */
  flush(last = true): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const counted = [...this.kinds.values()].filter(({ more }) => more > 0).sort((a, b) => b.more - a.more)
    this.kinds.clear()
    for (const [i, { entry, group, more }] of counted.entries()) {
      if (i >= MOST_KINDS_ENTERED || this.left() <= RESERVE) {
        this.count(more)
        continue
      }
      const { event, action, target, actor, account, name, resource, failure = '' } = entry
      const reason = `${failure}: ${more} more in the minute from ${this.began}`.trim()
      const address = account === undefined ? group : entry.address
      this.budget -= this.options.enter({
        ...{ event, action, target, actor, account, name, resource, address, failure: reason },
      })
    }
    if (this.others > 0 && (last || this.left() > 0 || this.options.now() - this.othersEntered >= HOUR))
      this.enterOthers()
    // If there was no room for the line, schedule another attempt: there may be no further refusal to trigger it.
    if (this.others > 0) this.begin()
  }

  private enterOthers(): void {
    const { enter, whose, now } = this.options
    const failure = `${this.others} refusals of ${whose}, which are not listed one by one, since ${this.since}`
    this.budget -= enter({
      event: 'auth.refused',
      target: '',
      resource: 'others',
      address: 'local',
      actor: 'nobody',
      failure,
    })
    this.others = 0
    this.othersEntered = now()
  }

  private count(more: number): void {
    if (this.others === 0) this.since = this.began
    this.others += more
  }

  private begin(): void {
    this.singles = 0
    this.began = new Date().toISOString()
    this.timer = setTimeout(() => this.flush(false), MINUTE).unref()
  }

  private left(): number {
    const { burst, perHour, now } = this.options
    const time = now()
    this.budget = Math.min(burst, this.budget + ((time - this.filled) / HOUR) * perHour)
    this.filled = time
    return this.budget
  }
}
