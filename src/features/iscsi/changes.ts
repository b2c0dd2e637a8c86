// Changes of LIO: in the kernel, then in saveconfig.json, which brings targets back at boot; or in neither. The trap: until the file is replaced
// the kernel has to go back to what it was, by us, or after a kill -9 by the next start.
import type { Lio, LioState } from '../../drivers/lio.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { Turns } from '../../store/turns.ts'
import { iscsiFailure } from './failure.ts'
import type { Marks } from './marks.ts'
import { targetId } from './names.ts'
import { readSaved, savedTargets, withTarget, writeSaved } from './saved.ts'
import { stepsTo } from './steps.ts'
import { isManaged, type Wanted, wantedOf } from './target.ts'

export interface ChangesOptions {
  lio: Lio
  /** saveconfig.json. */
  file: string
  marks: Marks
  warn: (text: string, error?: unknown) => void
}

export class Changes {
  private readonly options: ChangesOptions
  /** Changes of different targets too: they share the backstores and one file. */
  private readonly turns = new Turns()

  constructor(options: ChangesOptions) {
    this.options = options
  }

  async read(): Promise<LioState> {
    try {
      return await this.options.lio.read()
    } catch (error) {
      throw iscsiFailure(error, 'iscsi')
    }
  }

  /** One change, alone: what `decide` makes of the state. Returns the state after it. */
  change(decide: (state: LioState) => Promise<{ iqn: string; wanted: Wanted | undefined }>) {
    return this.alone(async () => {
      const { lio, file, marks } = this.options
      const before = await this.read()
      const { iqn, wanted } = await decide(before)
      const saved = withTarget(readSaved(file), iqn, wanted)
      marks.set(iqn)
      try {
        checkpoint('iscsi-marked')
        await lio.apply(stepsTo(before, iqn, wanted))
        checkpoint('iscsi-applied')
        writeSaved(file, saved)
      } catch (error) {
        await this.putBack(iqn, before)
        throw iscsiFailure(error, targetId(iqn))
      }
      checkpoint('iscsi-saved')
      marks.clear(iqn)
      return this.read()
    })
  }

  /**
   * Builds what saveconfig.json says and the kernel has not: after a boot at which a pool came too late for targetctl, or on a system
   * without it, and once a pool was imported. Takes nothing away. What cannot be built is left for the next time, with a warning.
   */
  restore(): Promise<void> {
    return this.alone(async () => {
      const wanted = savedTargets(readSaved(this.options.file))
      if (wanted.length === 0) return
      for (const target of wanted) await this.rebuild(target)
    })
  }

  /** A target that cannot be built holds up no other, and no LUN another of its target. */
  private async rebuild(wanted: Wanted): Promise<void> {
    const state = await this.read()
    const live = state.targets.find(({ iqn }) => iqn === wanted.iqn)
    if (live && !isManaged(live)) return
    let now = live && wantedOf(live, state)
    const attempt = async (what: string, next: Wanted) => {
      try {
        await this.options.lio.apply(stepsTo(await this.options.lio.read(), wanted.iqn, next))
        now = next
      } catch (error) {
        this.options.warn(`iSCSI: ${what} could not be brought back`, error)
        await this.leadBack(wanted.iqn, now)
      }
    }
    if (!now) await attempt(wanted.iqn, { ...wanted, luns: [] })
    for (const lun of wanted.luns)
      if (now && !now.luns.some(({ id }) => id === lun.id))
        await attempt(lun.device, { ...now, luns: [...now.luns, lun] })
  }

  private async leadBack(iqn: string, wanted: Wanted | undefined): Promise<void> {
    try {
      await this.reconcile(iqn, wanted)
    } catch (error) {
      this.options.warn(`iSCSI: ${iqn} is left half made`, error)
    }
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

  /** Runs `work` after everything before it, and after what a killed server left half made was put in order. */
  private async alone<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.turns.take(['lio'])
    try {
      await this.settle()
      return await work()
    } finally {
      release()
    }
  }

  private async settle(): Promise<void> {
    const { marks, file, warn } = this.options
    for (const iqn of marks.all()) {
      try {
        const wanted = savedTargets(readSaved(file)).find((one) => one.iqn === iqn)
        await this.reconcile(iqn, wanted)
        marks.clear(iqn)
      } catch (error) {
        warn(`iSCSI: ${iqn} could not be put in order`, error)
      }
    }
  }
}
