// Changes of LIO: in the kernel and in saveconfig.json, which restores targets at boot; in both or in neither. The trap: until the file is
// replaced, a failure has to return the kernel to its previous state; after a kill, the next start does.
import { isDeepStrictEqual } from 'node:util'
import type { Lio, LioState } from '../../drivers/lio.ts'
import type { Property } from '../../drivers/zfs.ts'
import { ApiError, changed } from '../../errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { KeyedMutex } from '../../store/keyed-mutex.ts'
import { iscsiFailure } from './failure.ts'
import type { Marks } from './marks.ts'
import { targetId } from './names.ts'
import { readSaved, savedTargets, withTarget, writeSaved } from './saved.ts'
import { stepsTo } from './steps.ts'
import {
  isManaged,
  isOurStore,
  type Known,
  lunOf,
  lunsWithout,
  merge,
  type Wanted,
  type WantedLun,
  wantedOf,
  zvolOf,
} from './target.ts'

export interface ChangesOptions {
  lio: Lio
  zfs: { get: (name: string) => Promise<Map<string, Property> | undefined> }
  /** saveconfig.json. */
  file: string
  marks: Marks
  warn: (text: string, error?: unknown) => void
  /** Milliseconds until what could not be brought back is tried again. */
  again?: number | undefined
}

const AGAIN = 60_000

export class Changes {
  private readonly options: ChangesOptions
  /** Changes of different targets too: they share the backstores and one file. */
  private readonly turns = new KeyedMutex()
  /** Why what is saved could not be brought back: by target, and its LUNs' numbers; undefined: the target itself. */
  private readonly failures = new Map<string, Map<number | undefined, string>>()

  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(options: ChangesOptions) {
    this.options = options
  }

  /** Nothing is tried again from now on. */
  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  /** Our targets as they are to be after a boot. */
  saved(): Wanted[] {
    return savedTargets(readSaved(this.options.file))
  }

  async read(): Promise<LioState> {
    try {
      return await this.options.lio.read()
    } catch (error) {
      throw iscsiFailure(error, 'iscsi')
    }
  }

  /** Everything as it is now. The kernel first: what a change takes away is saved last, and is there until then. */
  async known(): Promise<Known> {
    const state = await this.read()
    return { state, saved: this.saved(), failures: this.failures }
  }

  /** One change, alone: what `decide` makes of what there is. Returns what there is after it. */
  change(decide: (known: Known) => Promise<{ iqn: string; wanted: Wanted | undefined }>): Promise<Known> {
    return this.alone(async () => {
      const { lio, file, marks } = this.options
      const before = await this.known()
      const { iqn, wanted } = await decide(before)
      const saved = withTarget(readSaved(file), iqn, wanted)
      marks.set(iqn)
      try {
        checkpoint('iscsi-marked')
        await lio.apply(stepsTo(before.state, iqn, wanted && servable(before, wanted)))
        checkpoint('iscsi-applied')
        writeSaved(file, saved)
      } catch (error) {
        await this.putBack(iqn, before.state)
        throw iscsiFailure(error, targetId(iqn))
      }
      checkpoint('iscsi-saved')
      marks.clear(iqn)
      const after = await this.known()
      if (wanted && (await this.rebuildQuietly(wanted, after.state))) return this.known()
      if (!wanted) this.failures.delete(iqn)
      return after
    })
  }

  /**
   * Builds what saveconfig.json says and the kernel has not: after a boot at which a pool came too late for targetctl, or on a system
   * without it, and once a pool was imported. Takes nothing away. What cannot be built is left for the next time, with a warning.
   */
  restore(): Promise<void> {
    return this.alone(async () => {
      const saved = this.saved()
      for (const iqn of this.failures.keys()) if (!saved.some((one) => one.iqn === iqn)) this.failures.delete(iqn)
      for (const target of saved) await this.rebuild(target, await this.read())
    })
  }

  /** With a change that is made: whatever happens here, it stays made. */
  private async rebuildQuietly(wanted: Wanted, state: LioState): Promise<boolean> {
    try {
      return await this.rebuild(wanted, state)
    } catch (error) {
      this.options.warn(`iSCSI: ${wanted.iqn} could not be looked at`, error)
      return false
    }
  }

  /** A target that cannot be built holds up no other, and no LUN another of its target. Whether anything was missing. */
  private async rebuild(wanted: Wanted, state: LioState): Promise<boolean> {
    const { iqn } = wanted
    const live = state.targets.find((target) => target.iqn === iqn)
    const known = this.failures.get(iqn)
    const failures = new Map<number | undefined, string>()
    this.failures.delete(iqn)
    if (live && !isManaged(live)) return false
    let now = live && wantedOf(live, state)
    let tried = false
    const attempt = async (next: Wanted, lun?: WantedLun) => {
      tried = true
      try {
        if (lun) await this.checkVolume(lun)
        now = await this.build(next, now)
      } catch (error) {
        const what = lun?.device ?? iqn
        const reason = reasonOf(error, what)
        // Once in the log, however often it is tried.
        if (known?.get(lun?.id) !== reason) this.options.warn(`iSCSI: ${what} could not be brought back`, error)
        this.failures.set(iqn, failures.set(lun?.id, reason))
      }
    }
    const whole = merge(now, wanted) ?? wanted
    if (!now || !isWhole(now, whole)) await attempt({ ...whole, luns: now?.luns ?? [] })
    for (const lun of wanted.luns)
      if (now && !now.luns.some(({ id }) => id === lun.id)) await attempt({ ...now, luns: [...now.luns, lun] }, lun)
    return tried
  }

  /** Makes it so, or leaves it as it was. The mark: a kill between two steps leaves what does not carry our own yet. */
  private async build(next: Wanted, now: Wanted | undefined): Promise<Wanted> {
    const { marks, warn } = this.options
    marks.set(next.iqn)
    try {
      await this.reconcile(next.iqn, next)
    } catch (error) {
      await this.reconcile(next.iqn, now).then(
        () => marks.clear(next.iqn),
        (second) => warn(`iSCSI: ${next.iqn} is left half made`, second),
      )
      throw error
    }
    marks.clear(next.iqn)
    return next
  }

  /** Throws where another volume has the saved one's name: initiators would take it for their old disk, and write into what they do not know. */
  private async checkVolume({ store, device, serial }: WantedLun): Promise<void> {
    const zvol = zvolOf(device)
    if (zvol === undefined || !isOurStore(store)) return
    const guid = (await this.options.zfs.get(zvol))?.get('guid')?.value
    if (guid === undefined) throw new ApiError('unavailable', `${zvol} is not there`)
    if (lunOf(zvol, guid).serial !== serial) throw changed(`${zvol} is another volume than the one that was shown`)
  }

  /** After a change that failed. Where this fails as well, the mark stays, and the next one tries again. */
  private async putBack(iqn: string, before: LioState): Promise<void> {
    const target = before.targets.find((one) => one.iqn === iqn)
    try {
      await this.reconcile(iqn, target && wantedOf(target, before))
      this.options.marks.clear(iqn)
    } catch (error) {
      this.options.warn(`iSCSI: ${iqn} could not be put back`, error)
    }
  }

  private async reconcile(iqn: string, wanted: Wanted | undefined): Promise<void> {
    const { lio } = this.options
    await lio.apply(stepsTo(await lio.read(), iqn, wanted))
  }

  /** Runs `work` in its turn, after repairing what a killed server left incomplete. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.turns.take(['lio'])
    try {
      await this.settle()
      return await work()
    } finally {
      release()
      this.tryAgain()
    }
  }

  /** A pool may come by other hands than ours (the system's own import at boot), and a port may be free again. */
  private tryAgain(): void {
    if (this.failures.size === 0 || this.timer || this.closed) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.restore().catch((error) => this.options.warn('iSCSI: what is missing could not be looked at', error))
    }, this.options.again ?? AGAIN).unref()
  }

  private async settle(): Promise<void> {
    const { marks, file, warn } = this.options
    for (const iqn of marks.all()) {
      try {
        const wanted = savedTargets(readSaved(file)).find((one) => one.iqn === iqn)
        // First what is there; what is not is looked at like after a boot.
        await this.reconcile(iqn, wanted && servable(await this.known(), wanted))
        if (wanted) await this.rebuild(wanted, await this.read())
        marks.clear(iqn)
      } catch (error) {
        warn(`iSCSI: ${iqn} could not be put in order`, error)
      }
    }
  }
}

function reasonOf(error: unknown, what: string): string {
  const known = iscsiFailure(error, what)
  return known instanceof ApiError ? known.message : 'it cannot be brought back'
}

/** Whether all of it but the LUNs is there. */
const isWhole = (now: Wanted, { enabled, portals, initiators, chap, mutual }: Wanted) =>
  now.enabled === enabled &&
  portals.every((portal) => now.portals.includes(portal)) &&
  initiators.every((name) => now.initiators.includes(name)) &&
  isDeepStrictEqual([now.chap, now.mutual], [chap, mutual])

/** Ignores saved LUNs that are not live; they are retried separately and must not block other changes. */
function servable({ state, saved }: Pick<Known, 'state' | 'saved'>, wanted: Wanted): Wanted {
  const target = state.targets.find(({ iqn }) => iqn === wanted.iqn)
  const old = saved.find(({ iqn }) => iqn === wanted.iqn)
  const waiting = lunsWithout(old?.luns ?? [], target ? wantedOf(target, state).luns : [])
  return { ...wanted, luns: lunsWithout(wanted.luns, waiting) }
}
