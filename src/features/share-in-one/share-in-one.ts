// Makes a filesystem, its permissions, and an export or a share of it: all of it, or nothing. What has to be undone is
// noted before the first step, under ids that are chosen before, so a kill between two steps is undone at the start.
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Acl } from '../../drivers/acl.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, errno, exists, failedPrecondition } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { createDataset, findDataset } from '../datasets/datasets.ts'
import { refuseUnderWay } from '../datasets/destroy.ts'
import { noDataset } from '../datasets/errors.ts'
import type { Permissions, Before as PermissionsBefore } from '../permissions/permissions.ts'
import type { PermissionsChange, Permissions as ShownPermissions } from '../permissions/rules.ts'
import type { State } from '../permissions/state.ts'
import { assertPoolThere, DatasetNotes } from '../shares/dataset-notes.ts'
import { type NfsExport, newExportId } from '../shares/nfs.ts'
import type { Shares } from '../shares/shares.ts'
import { newShareId, type SmbShare } from '../shares/smb.ts'
import { toolFailure, withToolErrors } from '../tool-failure.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { namedAccess, permissionsFor, usersOf } from './access.ts'
import { inside, refuseUnmounted } from './refusals.ts'
import type { NewShareInOne, SharePlan } from './rules.ts'

export interface ShareInOneOptions {
  zfs: Zfs
  acl: Acl
  shares: Shares
  permissions: Permissions
  tasks: Tasks
  folders: Folders
  warn: (text: string, error?: unknown) => void
  /** Enters into the audit log what became of a share that a killed server had begun. */
  audit: (event: string, target: string, failure: string) => Promise<void>
}

export interface Made {
  dataset: string
  permissions: ShownPermissions
  smb?: SmbShare
  nfs?: NfsExport
}

/** What is undone, whichever of it was made. */
interface Before {
  dataset: string
  /** A new filesystem carries this text in a property: another one of its name is not destroyed. */
  mark: string
  /** Of a filesystem that was there. */
  permissions?: PermissionsBefore
  /** What is made of them. */
  permitted?: State
  smb?: string
  nfs?: string
}

const MARK = 'edge-admin:share-in-one'
/** New files get what the default list gives, without the right to execute; Samba would else allow the owner alone to write. */
const INHERIT = { 'inherit acls': 'yes', 'create mask': '0664', 'directory mask': '0775' }
const LISTS = { acltype: 'posixacl', xattr: 'sa' }
/** exports(5): the user and group that have nothing. */
const NOBODY = 65534

export class ShareInOne {
  private readonly options: ShareInOneOptions
  private readonly notes: DatasetNotes<Before>
  /** What the last undo of a dataset could not undo. */
  private readonly left = new Map<string, string>()
  /** The datasets whose request goes on, which is answered and entered by itself. */
  private readonly making = new Set<string>()

  constructor(options: ShareInOneOptions) {
    this.options = options
    this.notes = new DatasetNotes<Before>({
      name: 'share-in-one',
      folder: join(options.folders.state, 'shares'),
      putBack: (before) => this.undoOrNote(before),
      warn: options.warn,
    })
  }

  recover(): Promise<void> {
    return this.notes.recover()
  }

  /** What `make` would do, in its order. Throws what it would be refused for. */
  async plan(asked: NewShareInOne): Promise<SharePlan> {
    const wanted = await this.check(asked)
    const { dataset, create_dataset: isNew, smb, nfs } = wanted
    const change = this.permissionsOf(wanted)
    const who = change.owner ?? change.group
    return {
      steps: [
        ...(isNew ? [{ step: 'dataset' as const, object: dataset, words: `create the filesystem ${dataset}` }] : []),
        {
          step: 'permissions' as const,
          object: dataset,
          words: `set the permissions of its mount point${change.mode === undefined ? '' : `: mode ${change.mode}`}${who === undefined ? '' : ` for ${who}`}`,
        },
        ...(nfs ? [{ step: 'nfs' as const, object: dataset, words: 'export it with NFS' }] : []),
        ...(smb ? [{ step: 'smb' as const, object: smb.name, words: `share it with SMB as ${smb.name}` }] : []),
      ],
    }
  }

  /** `begun` is called before the first step: from then on a failure is one of the dataset. */
  async make(asked: NewShareInOne, begun: () => void): Promise<Made> {
    const { dataset, create_dataset: isNew, smb, nfs } = asked
    const { zfs, permissions } = this.options
    const turn = this.notes.of(dataset)
    const work = async () => {
      const wanted = await this.check(asked)
      const before: Before = {
        ...{ dataset, mark: randomBytes(8).toString('hex') },
        ...(!isNew && {
          permissions: await permissions.before(dataset),
          permitted: await permissions.wantedOf(dataset, this.permissionsOf(wanted)),
        }),
        ...(smb && { smb: newShareId() }),
        ...(nfs && { nfs: newExportId() }),
      }
      let made: Made | undefined
      this.making.add(dataset)
      begun()
      try {
        await turn.change(before, async () => {
          made = await this.steps(wanted, before)
        })
      } catch (error) {
        throw withLeft(toolFailure(error, dataset), this.left.get(dataset))
      } finally {
        this.making.delete(dataset)
        this.left.delete(dataset)
      }
      // Whatever happens here, it is made; the property alone does nothing.
      if (isNew) await zfs.inherit(dataset, MARK).catch(() => {})
      return made as Made
    }
    return withToolErrors(dataset, () => turn.alone(work))
  }

  private async steps(wanted: NewShareInOne, ids: Before): Promise<Made> {
    const { dataset, create_dataset: isNew, options, smb, nfs, access } = wanted
    const { zfs, acl, permissions, shares } = this.options
    if (isNew) {
      const lists = acl.isInstalled() ? LISTS : {}
      await createDataset(zfs, dataset, { ...lists, ...options }, { [MARK]: ids.mark })
      checkpoint('share-in-one-created')
    }
    const change = this.permissionsOf(wanted)
    const { shown } = await permissions.change(dataset, change)
    checkpoint('share-in-one-permitted')
    const made: Made = { dataset, permissions: shown }
    const readOnly = access !== undefined && (access.write ?? []).length === 0
    if (nfs) {
      const { clients, read_only = readOnly, squash } = nfs
      const to = squash ? { squash_to: squashTo(await permissions.wantedOf(dataset, {})) } : {}
      made.nfs = await shares.nfs.create({ dataset, clients, read_only, ...to }, ids.nfs)
      checkpoint('share-in-one-exported')
    }
    if (smb) {
      const users = access ? usersOf(access) : []
      const share = { read_only: readOnly, ...smb, dataset, ...(users.length > 0 && { valid_users: users }) }
      const parameters = shown.default_acl ? INHERIT : {}
      made.smb = await shares.smb.create(share, { ...(ids.smb !== undefined && { id: ids.smb }), parameters })
      checkpoint('share-in-one-shared')
    }
    return made
  }

  /** What is wanted, with names for numbers. Throws what can be known before anything is changed. */
  private async check(asked: NewShareInOne): Promise<NewShareInOne> {
    const { dataset, create_dataset: isNew, smb, options } = asked
    const { zfs, shares, tasks, permissions } = this.options
    const found = await findDataset(zfs, dataset)
    if (isNew) {
      if (found) throw exists('A dataset with this name already exists', { details: { field: 'dataset' } })
    } else if (found?.type !== 'filesystem') throw noDataset(dataset)
    await refuseUnderWay(tasks, dataset)
    if (smb && (await shares.smb.all()).some(({ name }) => name.toLowerCase() === smb.name.toLowerCase()))
      throw exists('A share with this name already exists', { details: { field: 'smb.name' } })
    if (isNew) await refuseUnmounted(zfs, dataset, options)
    const access = asked.access && (await namedAccess(asked.access, permissions.accounts, smb !== undefined))
    const wanted = { ...asked, ...(access && { access }) }
    const change = this.permissionsOf(wanted)
    try {
      if (isNew) await permissions.checkNew(dataset, change, options?.['acltype'])
      else await permissions.wantedOf(dataset, change)
    } catch (error) {
      throw asked.permissions ? inside('permissions', error) : error
    }
    return wanted
  }

  private permissionsOf({ access, permissions, acltype }: NewShareInOne): PermissionsChange {
    const lists = this.options.acl.isInstalled()
    const change = access ? permissionsFor(access, lists) : (permissions ?? {})
    return { ...change, ...(acltype && { acltype }) }
  }

  private async undoOrNote(before: Before): Promise<void> {
    const { dataset } = before
    try {
      await this.undo(before)
    } catch (error) {
      this.left.set(dataset, 'what was begun is not undone yet, and is when it can be')
      throw error
    }
    if (this.making.has(dataset)) return
    const outcome = this.left.get(dataset) ?? 'it was undone'
    this.left.delete(dataset)
    await this.options.audit('shares.provision', `datasets/${dataset}`, `interrupted: ${outcome}`)
  }

  /** From the last step to the first; each may have been done, or not. */
  private async undo({ dataset, mark, permissions, permitted, smb, nfs }: Before): Promise<void> {
    const { zfs, shares } = this.options
    if (smb !== undefined && (await shares.smb.all()).some(({ id }) => id === smb)) await shares.smb.remove(smb)
    if (nfs !== undefined && (await shares.nfs.all()).some(({ id }) => id === nfs)) await shares.nfs.remove(nfs)
    if (permissions) {
      const isBack = await this.options.permissions.putBack(permissions, permitted)
      if (!isBack) this.note(dataset, 'its permissions stay, because somebody has changed them since')
      return
    }
    const all = await withZfsErrors(dataset, () => zfs.get(dataset))
    if (!all) await assertPoolThere(zfs, dataset)
    const own = all?.get(MARK)
    if (own?.value !== mark || own.source !== 'local') return
    const stays = async (why: string) => {
      this.note(dataset, `the filesystem stays, because ${why}`)
      await zfs.inherit(dataset, MARK).catch(() => {})
    }
    // It may have been taken into use in its first moment, or before a server that was killed has started again.
    if ((await shares.sharing([dataset])).length > 0) return stays('it is shared by now')
    if (((await withZfsErrors(dataset, () => zfs.tree(dataset))) ?? []).length > 1)
      return stays('there are snapshots or datasets below it')
    if (all?.get('mounted')?.value !== 'yes')
      throw failedPrecondition('The filesystem is not mounted: nobody can see whether there are files in it', {
        details: { object: dataset },
      })
    if (hasFiles(all.get('mountpoint')?.value ?? '')) return stays('there are files in it already')
    await withZfsErrors(dataset, () => zfs.destroy(dataset))
  }

  private note(dataset: string, words: string): void {
    this.left.set(dataset, words)
    this.options.warn(`${dataset}: ${words}`)
  }
}

function withLeft(error: unknown, left: string | undefined): unknown {
  if (left === undefined || !(error instanceof ApiError)) return error
  return new ApiError(error.kind, `${error.message}; ${left}`, { details: error.details ?? {}, cause: error })
}

const squashTo = ({ uid, gid }: State) => ({ uid: uid === 0 ? NOBODY : uid, gid: gid === 0 ? NOBODY : gid })

function hasFiles(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch (error) {
    // What cannot be read may hold everything.
    return errno(error) !== 'ENOENT'
  }
}
