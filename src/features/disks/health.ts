// The health of disks, as SMART reports it: asked at most every few minutes, a few disks at a time, and never of a disk
// that sleeps. What was known last is kept with its time.
import { type SmartAnswer, type Smartctl, type SmartReport, smartctlFailure } from '../../drivers/smartctl.ts'
import type { Disk } from './disks.ts'

export const HEALTH_STATES = ['good', 'warning', 'failing', 'standby', 'unknown'] as const

export interface Health {
  state: (typeof HEALTH_STATES)[number]
  /** Why nothing is known. */
  reason: string | undefined
  /** What is wrong, in sentences. */
  problems: string[]
  isHot: boolean
  /** The last report, also of a disk that sleeps now. */
  report: SmartReport | undefined
  /** When the report was made, in milliseconds since 1970. */
  at: number | undefined
}

interface Known {
  answer: SmartAnswer | undefined
  failure: string | undefined
  asked: number
  report: SmartReport | undefined
  at: number | undefined
}

/** Milliseconds that an answer is good for. */
const FRESH = 300_000
/** Milliseconds that a request waits: one disk that hangs must not hold up the list. */
const PATIENCE = 8000
const AT_ONCE = 4
/** Degrees Celsius. */
const HOT = { rotating: 55, solid: 70 }
/** Percent. */
const WORN = 90

export class DiskHealth {
  private readonly smartctl: Smartctl
  private readonly now: () => number
  private readonly known = new Map<string, Known>()
  private present: readonly Disk[] = []
  /** Those that were not in the last list. */
  private missing = new Set<string>()
  private readonly asking = new Map<string, Promise<void>>()
  private readonly waiting: (() => void)[] = []
  private free = AT_ONCE

  constructor(smartctl: Smartctl, now: () => number) {
    this.smartctl = smartctl
    this.now = now
  }

  /** All disks of the machine, as somebody has just listed them. */
  async refreshAll(disks: readonly Disk[]): Promise<void> {
    this.present = disks
    const keys = new Set(disks.map(keyOf))
    // Of two lists that are made at once the older one may come last: it lacks a disk that was just plugged in.
    const missing = new Set([...this.known.keys()].filter((key) => !keys.has(key)))
    for (const key of missing) if (this.missing.has(key)) this.known.delete(key)
    this.missing = missing
    await this.refresh(disks)
  }

  /** What was known of the disks when they were last listed; starts nothing. */
  all(): { disk: Disk; health: Health }[] {
    return this.present.map((disk) => ({ disk, health: this.of(disk) }))
  }

  /** Asks those disks that have not been asked for some minutes. Ends after some seconds, with or without answers. */
  async refresh(disks: readonly Disk[], patience = PATIENCE): Promise<void> {
    const due = disks.filter((disk) => !this.isFresh(disk))
    if (due.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience)
    })
    await Promise.race([Promise.all(due.map((disk) => this.ask(disk))), late]).finally(() => clearTimeout(timer))
  }

  /** Asks this disk now; `wake`: also if it sleeps. Throws if smartctl cannot be run. */
  async readNow(disk: Disk, { wake = false } = {}): Promise<SmartAnswer> {
    const answer = await this.smartctl.read(deviceOf(disk), { wake })
    this.keep(disk, answer)
    return answer
  }

  /** What is known now; starts nothing. */
  of(disk: Disk): Health {
    const { answer, failure, report, at } = this.known.get(keyOf(disk)) ?? {}
    const problems = report ? problemsOf(report) : []
    const isHot = report ? isTooHot(disk, report) : false
    const common = { problems, isHot, report, at }
    if (answer?.state === 'standby') return { ...common, state: 'standby', reason: undefined }
    if (answer?.state !== 'report') {
      const reason = failure ?? (answer?.state === 'silent' ? answer.reason : 'It has not answered yet')
      return { ...common, problems: [], isHot: false, state: 'unknown', reason }
    }
    const state = report?.passed === false ? 'failing' : problems.length > 0 ? 'warning' : 'good'
    return { ...common, state, reason: undefined }
  }

  private isFresh(disk: Disk): boolean {
    const age = this.now() - (this.known.get(keyOf(disk))?.asked ?? Number.NEGATIVE_INFINITY)
    return age >= 0 && age < FRESH
  }

  /** Concurrent requests for a disk share one call. */
  private ask(disk: Disk): Promise<void> {
    const key = keyOf(disk)
    const asked = this.asking.get(key) ?? this.askInTurn(disk).finally(() => this.asking.delete(key))
    this.asking.set(key, asked)
    return asked
  }

  private async askInTurn(disk: Disk): Promise<void> {
    while (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
    this.free--
    try {
      this.keep(disk, await this.smartctl.read(deviceOf(disk)))
    } catch (error) {
      const failure = smartctlFailure(error)
      if (failure === undefined) throw error
      const before = this.known.get(keyOf(disk))
      const { report, at } = before ?? { report: undefined, at: undefined }
      this.known.set(keyOf(disk), { answer: undefined, failure, asked: this.now(), report, at })
    } finally {
      this.free++
      this.waiting.shift()?.()
    }
  }

  private keep(disk: Disk, answer: SmartAnswer): void {
    const now = this.now()
    const before = this.known.get(keyOf(disk))
    const fresh = answer.state === 'report'
    this.known.set(keyOf(disk), {
      answer,
      failure: undefined,
      asked: now,
      report: fresh ? answer.report : before?.report,
      at: fresh ? now : before?.at,
    })
  }
}

/** Another disk may get the same name. */
const keyOf = ({ id, serial }: Disk) => `${id}\0${serial ?? ''}`

/** A multipath device is asked through one of its paths. */
export const deviceOf = ({ device, paths: [path] }: Disk) => (path === undefined ? device : `/dev/${path}`)

function isTooHot({ rotational }: Disk, { temperature, protocol }: SmartReport): boolean {
  const limit = rotational === false || protocol === 'NVMe' ? HOT.solid : HOT.rotating
  return temperature !== undefined && temperature >= limit
}

function problemsOf(report: SmartReport): string[] {
  const { passed, reallocated = 0, pending = 0, uncorrectable = 0, mediaErrors = 0, percentUsed = 0, tests } = report
  const last = tests.find(({ status }) => status !== 'aborted')
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return [
    passed === false && 'The disk expects to fail soon',
    last?.status === 'failed' && `The last self-test (${last.type}) failed: ${last.message}`,
    pending > 0 && `${many(pending, 'sector')} cannot be read now`,
    uncorrectable > 0 && `${many(uncorrectable, 'error')} could not be corrected`,
    mediaErrors > 0 && many(mediaErrors, 'media error'),
    reallocated > 0 && `${many(reallocated, 'sector')} had to be replaced by spare ones`,
    percentUsed >= WORN && `${percentUsed} % of its life is used`,
  ].filter((one) => one !== false)
}
