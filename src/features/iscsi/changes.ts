// Changes of LIO: in the kernel, then in saveconfig.json, which brings targets back at boot; or in neither. The trap: until the file is replaced
// the kernel has to go back to what it was, by us, or after a kill -9 by the next start.
import type { Lio, LioState } from '../../drivers/lio.ts'
import type { Property } from '../../drivers/zfs.ts'
import { ApiError, busy } from '../../http/errors.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { Turns } from '../../store/turns.ts'
import { iscsiFailure } from './failure.ts'
import type { Marks } from './marks.ts'
import { targetId } from './names.ts'
import { readSaved, savedTargets, withTarget, writeSaved } from './saved.ts'
import { stepsTo } from './steps.ts'
import { isManaged, isOurStore, lunOf, type Wanted, type WantedLun, wantedOf, zvolOf } from './target.ts'

export interface ChangesOptions {
  lio: Lio
  zfs: { get: (name: string) => Promise<Map<string, Property> | undefined> }
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

  /** The targets of ours as they are to be after a boot. */
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
      for (const target of this.saved()) await this.rebuild(target)
    })
  }

  /** A target that cannot be built holds up no other, and no LUN another of its target. */
  private async rebuild(wanted: Wanted): Promise<void> {
    const state = await this.read()
    const live = state.targets.find(({ iqn }) => iqn === wanted.iqn)
    if (live && !isManaged(live)) return
    let now = live && wantedOf(live, state)
    const attempt = async (what: string, next: Wanted, lun?: WantedLun) => {
      try {
        if (lun) await this.checkVolume(lun)
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
        await attempt(lun.device, { ...now, luns: [...now.luns, lun] }, lun)
  }

  /** Throws where another volume has the saved one's name: initiators would take it for their old disk, and write into what they do not know. */
  private async checkVolume({ store, device, serial }: WantedLun): Promise<void> {
    const zvol = zvolOf(device)
    if (zvol === undefined || !isOurStore(store)) return
    const guid = (await this.options.zfs.get(zvol))?.get('guid')?.value
    if (guid === undefined) throw new ApiError('unavailable', `${zvol} is not there`)
    if (lunOf(zvol, guid).serial !== serial) throw busy(`${zvol} is another volume than the one that was shown`)
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
        const state = await this.read()
        // First what is there; what is not is looked at like after a boot.
        await this.reconcile(iqn, wanted && withLuns(wanted, ({ id, store }) => isLive(state, iqn, id, store)))
        if (wanted) await this.rebuild(wanted)
        marks.clear(iqn)
      } catch (error) {
        warn(`iSCSI: ${iqn} could not be put in order`, error)
      }
    }
  }
}

const withLuns = (wanted: Wanted, keep: (lun: WantedLun) => boolean): Wanted => ({
  ...wanted,
  luns: wanted.luns.filter(keep),
})

function isLive(state: LioState, iqn: string, id: number, store: string): boolean {
  const target = state.targets.find((one) => one.iqn === iqn)
  return target !== undefined && wantedOf(target, state).luns.some((lun) => lun.id === id && lun.store === store)
}
