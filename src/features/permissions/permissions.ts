// Permissions of datasets: read them, change those of the mount point, start a change of everything below. Several
// calls of the system make one change, so what was there before is noted first, and comes back after a failure or a
// kill; a recursive change is never undone, since it may be hours of work.
import { join } from 'node:path'
import { type Acl, bitsOf } from '../../drivers/acl.ts'
import { statOf } from '../../drivers/descriptor.ts'
import type { SystemAccounts } from '../../drivers/system-accounts.ts'
import type { Property, Zfs } from '../../drivers/zfs.ts'
import { ApiError, failedPrecondition, raise } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { Task } from '../../tasks/task.ts'
import type { StartOptions, Tasks } from '../../tasks/tasks.ts'
import { changeProperties } from '../datasets/datasets.ts'
import { refuseUnderWay, underWay } from '../datasets/destroy.ts'
import { assertPoolThere, DatasetNotes } from '../shares/dataset-notes.ts'
import { BIN } from '../shares/recycle-bin.ts'
import type { SmbShare } from '../shares/smb.ts'
import { withToolErrors } from '../tool-failure.ts'
import { datasetLock } from '../zfs/lock.ts'
import { isInside } from '../zfs/names.ts'
import { AccountNames } from './accounts.ts'
import { Apply } from './apply.ts'
import type { Plan } from './plan.ts'
import { octal, preview } from './preview.ts'
import type { PermissionsChange, PermissionsPreview, Permissions as Shown } from './rules.ts'
import {
  atMountPoint,
  freshState,
  type Reader,
  readState,
  rightsOf,
  type State,
  sameList,
  stateOf,
  withoutLists,
} from './state.ts'
import { modeText, nameOr, namesIn, viewOf } from './view.ts'
import { type Wanted, wantedOf } from './wanted.ts'

export interface PermissionsOptions extends Reader {
  zfs: Zfs
  acl: Acl
  system: SystemAccounts
  folders: Folders
  tasks: Tasks
  smbShares: () => Promise<Pick<SmbShare, 'name' | 'path' | 'dataset' | 'home_folders'>[]>
  warn: (text: string, error?: unknown) => void
}

/** What is noted before a change. */
export interface Before {
  state: State
  /** The properties that the change sets, as they were. */
  properties: [name: string, property: Property][]
}

const ON = { acltype: 'posixacl', xattr: 'sa' }

export class Permissions {
  readonly accounts: AccountNames
  private readonly options: PermissionsOptions
  private readonly notes: DatasetNotes<Before>

  constructor(options: PermissionsOptions) {
    this.options = options
    this.notes = new DatasetNotes<Before>({
      name: 'permissions',
      folder: join(options.folders.state, 'shares'),
      putBack: async (before) => void (await this.putBack(before)),
      warn: options.warn,
    })
    this.accounts = new AccountNames(options.system)
  }

  async get(dataset: string): Promise<{ shown: Shown; version: unknown }> {
    await this.notes.of(dataset).settled()
    return this.view(await readState(this.options, dataset))
  }

  async version(dataset: string): Promise<unknown> {
    return versionOf(await readState(this.options, dataset))
  }

  /** What the dry run of a change answers: without `recursive` only the mount point itself is looked at. */
  async preview(dataset: string, change: PermissionsChange): Promise<PermissionsPreview> {
    return atMountPoint(this.options, dataset, async (descriptor, about) => {
      const now = await stateOf(this.options, dataset, descriptor, about)
      const { below, turnsOn, state } = await this.wanted(change, now)
      const most = change.recursive ? {} : { most: 1 }
      const { examples, ...found } = await preview(descriptor, below, {
        acl: this.options.acl,
        lists: now.without === undefined,
        ...most,
      })
      const ids = examples.flatMap(({ uid, gid, to }) => [
        { ...now, uid, gid },
        { ...now, uid: to.uid, gid: to.gid },
      ])
      const names = await namesIn([...ids, state], this.accounts)
      const shown = ({ uid, gid, mode }: { uid: number; gid: number; mode: number }) => ({
        owner: nameOr(names.user, uid),
        group: nameOr(names.group, gid),
        mode: octal(mode),
      })
      return {
        ...{ dataset, path: about.path },
        ...found,
        complete: found.complete || !change.recursive,
        changes: found.changes + (turnsOn && found.changes === 0 ? 1 : 0),
        examples: examples.map((one) => ({ path: one.path, ...shown(one), to: shown(one.to) })),
      }
    })
  }

  /** Changes the mount point itself. */
  async change(dataset: string, change: PermissionsChange): Promise<{ shown: Shown; version: unknown }> {
    await refuseUnderWay(this.options.tasks, dataset)
    const turn = this.notes.of(dataset)
    const work = async () => {
      const now = await readState(this.options, dataset)
      const wanted = await this.wanted(change, now)
      if (!wanted.turnsOn && isSame(now, wanted.state)) return this.view(now)
      const properties = await this.propertiesOf(dataset, wanted)
      await turn.change({ state: now, properties }, () => this.make(wanted))
      return this.view(await readState(this.options, dataset))
    }
    return withToolErrors(dataset, () => turn.alone(work))
  }

  /** What a change would make of it. Throws what it would be refused for. */
  async wantedOf(dataset: string, change: PermissionsChange): Promise<State> {
    return (await this.wanted(change, await readState(this.options, dataset))).state
  }

  /** Throws what a change of a new filesystem would be refused for. */
  async checkNew(dataset: string, change: PermissionsChange, acltype: string | undefined): Promise<void> {
    const installed = this.options.acl.isInstalled()
    await wantedOf(
      change,
      freshState(dataset, acltype ?? (installed ? 'posix' : 'off'), installed),
      this.accounts,
      installed,
    )
  }

  /** Starts the change of the mount point and everything below it. */
  async startRecursive(dataset: string, change: PermissionsChange, by: StartOptions['by']): Promise<Task> {
    const { tasks, zfs } = this.options
    const now = await readState(this.options, dataset)
    const wanted = await this.wanted(change, now)
    const turnOn = async () => {
      if (!wanted.turnsOn) return
      const before = new Map(await this.propertiesOf(dataset, wanted))
      await changeProperties(zfs, dataset, ON, before)
    }
    const task = await tasks.startNext('dataset-permissions', {
      lock: datasetLock(dataset),
      args: [dataset],
      inputs: { permissions: { text: `${JSON.stringify(wanted.below)}\n` } },
      prepare: turnOn,
      by,
    })
    return task ?? raise(underWay(dataset))
  }

  /** Puts back what a killed server had begun. */
  recover(): Promise<void> {
    return this.notes.recover()
  }

  /** What has to be noted before a change, for `putBack`. */
  async before(dataset: string): Promise<Before> {
    const state = await readState(this.options, dataset)
    return { state, properties: await this.propertiesOf(dataset, { turnsOn: true }) }
  }

  private async wanted(change: PermissionsChange, now: State): Promise<Wanted> {
    if (isOfTheSystem(now.path, this.options.folders))
      throw failedPrecondition('The system is on this dataset: its permissions are not changed here', {
        details: { object: now.dataset },
      })
    const wanted = await wantedOf(change, now, this.accounts, this.options.acl.isInstalled())
    await this.refuseOpenHomes(wanted.state, change.recursive ?? false)
    if (!change.recursive) return wanted
    return { ...wanted, below: { ...wanted.below, without: await this.binsIn(now.path) } }
  }

  /** Everything in a recycle bin would get the same owner: it stays the users’. */
  private async binsIn(top: string): Promise<string[]> {
    const paths = (await this.options.smbShares()).flatMap(({ path }) => path ?? [])
    return paths
      .filter((path) => isInside(path, top))
      .map((path) => Buffer.from(join(path, BIN).slice(top.length + 1)).toString('latin1'))
  }

  /** Who may write beside home folders puts a link there under the name of another; and all would get the same owner. */
  private async refuseOpenHomes({ dataset, uid, lists }: State, recursive: boolean): Promise<void> {
    const isClosed = uid === 0 && (bitsOf(lists.access) & 0o022) === 0
    if (isClosed && !recursive) return
    const all = await this.options.smbShares()
    const share = all.find((one) => one.home_folders && one.dataset === dataset)
    if (!share) return
    const words = recursive
      ? 'the permissions of everything in it are not changed'
      : 'its top folder belongs to root, and only root may write in it'
    throw failedPrecondition(`The home folders of the share ${share.name} are in this dataset: ${words}`, {
      details: { object: dataset },
    })
  }

  private async view(state: State): Promise<{ shown: Shown; version: unknown }> {
    return { shown: viewOf(state, await namesIn([state], this.accounts)), version: versionOf(state) }
  }

  private async propertiesOf(dataset: string, { turnsOn }: Pick<Wanted, 'turnsOn'>): Promise<Before['properties']> {
    if (!turnsOn) return []
    const all = await this.options.zfs.get(dataset)
    return Object.keys(ON).flatMap((name) => {
      const property = all?.get(name)
      return property ? [[name, property] as [string, Property]] : []
    })
  }

  /** Sets it, and reads it back: a program that says success and did nothing is a failure. */
  private async make({ state, turnsOn }: Wanted): Promise<void> {
    const { zfs } = this.options
    if (turnsOn)
      await changeProperties(zfs, state.dataset, ON, new Map(await this.propertiesOf(state.dataset, { turnsOn })))
    checkpoint('permissions-turned-on')
    await this.set(state)
    const now = await readState(this.options, state.dataset)
    if (!isSame(now, state))
      throw new ApiError('command-failed', 'The permissions were set, and are not as they were asked for', {
        details: { object: state.dataset },
      })
    // A home share that was made meanwhile found the folder as it was before.
    await this.refuseOpenHomes(state, false)
  }

  /** Lists that are not there yet, or not any more, are set all the same while the dataset has lists. */
  private async set(state: State): Promise<void> {
    const { acl } = this.options
    await atMountPoint(this.options, state.dataset, async (descriptor, { acltype }) => {
      const lists = withoutLists(acltype, acl.isInstalled()) === undefined
      const plan: Plan = { uid: state.uid, gid: state.gid, rights: { ...rightsOf(state), lists } }
      const apply = new Apply({ acl, plan, refused: (_path, reason) => raise(refused(state.dataset, reason)) })
      apply.add({ descriptor, stats: statOf(descriptor), path: '' })
      checkpoint('permissions-owned')
      await apply.flush()
    })
  }

  /**
   * Of a dataset that was destroyed since there is nothing to put back. False: it has something that is neither what
   * was there before nor what was `made` of it, so somebody has changed it since, and it stays.
   */
  async putBack({ state, properties }: Before, made?: State): Promise<boolean> {
    const { zfs } = this.options
    const all = await zfs.get(state.dataset)
    if (!all) await assertPoolThere(zfs, state.dataset)
    if (all?.get('guid')?.value !== state.guid) return true
    if (made) {
      const now = await readState(this.options, state.dataset)
      if (!isBetween(now, state, made)) return false
    }
    await this.set(state)
    for (const [name, { value, source }] of properties) {
      const now = all?.get(name)
      if (now?.value === value && now.source === source) continue
      if (source === 'local') await zfs.set(state.dataset, { [name]: value })
      else if (source === 'received') await zfs.revert(state.dataset, name)
      else await zfs.inherit(state.dataset, name)
    }
    return true
  }
}

/** What holds the system, or the secrets of this server, must not become a user's. */
const isOfTheSystem = (path: string, { state, sysconf, root }: Folders) =>
  /^\/(?:(?:bin|boot|etc|lib[0-9x]*|root|sbin|usr)(?:\/.*)?|var)?$/.test(path) ||
  [state, sysconf, root].some((folder) => isInside(folder, path))

const refused = (object: string, reason: string) =>
  new ApiError('command-failed', `The mount point cannot be changed: ${reason}`, { details: { object } })

/** What a caller could overwrite. */
const versionOf = ({ guid, uid, gid, special, lists, acltype }: State) => [
  ...[guid, uid, gid, acltype],
  modeText(special, lists.access),
  lists.access.mask,
  lists.access.named,
  lists.default,
]

const PARTS: ((a: State, b: State) => boolean)[] = [
  (a, b) => a.uid === b.uid,
  (a, b) => a.gid === b.gid,
  (a, b) => a.special === b.special,
  (a, b) => sameList(a.lists.access, b.lists.access),
  (a, b) => sameList(a.lists.default, b.lists.default),
]
const isSame = (a: State, b: State) => PARTS.every((same) => same(a, b))
/** Each part is that of the one or of the other, as where a change from one to the other was killed. */
const isBetween = (now: State, a: State, b: State) => PARTS.every((same) => same(now, a) || same(now, b))
