// Makes a filesystem, its permissions, and an export or a share of it: all of it, or nothing. What has to be undone is
// noted before the first step, under ids that are chosen before, so a kill between two steps is undone at the start.
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Acl } from '../../drivers/acl.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { errno, exists } from '../../errors.ts'
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
import { withToolErrors } from '../tool-failure.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { permissionsFor, usersOf } from './access.ts'
import type { NewShareInOne, SharePlan } from './rules.ts'

export interface ShareInOneOptions {
  zfs: Zfs
  acl: Acl
  shares: Shares
  permissions: Permissions
  tasks: Tasks
  folders: Folders
  warn: (text: string, error?: unknown) => void
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

  constructor(options: ShareInOneOptions) {
    this.options = options
    this.notes = new DatasetNotes<Before>({
      name: 'share-in-one',
      folder: join(options.folders.state, 'shares'),
      putBack: (before) => this.undo(before),
      warn: options.warn,
    })
  }

  recover(): Promise<void> {
    return this.notes.recover()
  }

  /** What `make` would do, in its order. Throws what it would be refused for. */
  async plan(wanted: NewShareInOne): Promise<SharePlan> {
    const { dataset, create_dataset: isNew, smb, nfs } = wanted
    await this.check(wanted)
    const change = this.permissionsOf(wanted)
    if (!isNew) await this.options.permissions.wantedOf(dataset, change)
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

  async make(wanted: NewShareInOne): Promise<Made> {
    const { dataset, create_dataset: isNew, smb, nfs } = wanted
    const { zfs, permissions } = this.options
    const turn = this.notes.of(dataset)
    const work = async () => {
      await this.check(wanted)
      const before: Before = {
        ...{ dataset, mark: randomBytes(8).toString('hex') },
        ...(!isNew && { permissions: await permissions.before(dataset) }),
        ...(smb && { smb: newShareId() }),
        ...(nfs && { nfs: newExportId() }),
      }
      let made: Made | undefined
      await turn.change(before, async () => {
        made = await this.steps(wanted, before)
      })
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

  /** What can be known before anything is changed. */
  private async check({ dataset, create_dataset: isNew, smb }: NewShareInOne): Promise<void> {
    const { zfs, shares, tasks } = this.options
    const found = await findDataset(zfs, dataset)
    if (isNew) {
      if (found) throw exists('A dataset with this name already exists', { details: { field: 'dataset' } })
    } else if (found?.type !== 'filesystem') throw noDataset(dataset)
    await refuseUnderWay(tasks, dataset)
    if (smb && (await shares.smb.all()).some(({ name }) => name.toLowerCase() === smb.name.toLowerCase()))
      throw exists('A share with this name already exists', { details: { field: 'smb.name' } })
  }

  private permissionsOf({ access, permissions, acltype }: NewShareInOne): PermissionsChange {
    const lists = this.options.acl.isInstalled()
    const change = access ? permissionsFor(access, lists) : (permissions ?? {})
    return { ...change, ...(acltype && { acltype }) }
  }

  /** From the last step to the first; each may have been done, or not. */
  private async undo({ dataset, mark, permissions, smb, nfs }: Before): Promise<void> {
    const { zfs, shares } = this.options
    if (smb !== undefined && (await shares.smb.all()).some(({ id }) => id === smb)) await shares.smb.remove(smb)
    if (nfs !== undefined && (await shares.nfs.all()).some(({ id }) => id === nfs)) await shares.nfs.remove(nfs)
    if (permissions) {
      await this.options.permissions.putBack(permissions)
      return
    }
    const all = await withZfsErrors(dataset, () => zfs.get(dataset))
    if (!all) await assertPoolThere(zfs, dataset)
    const own = all?.get(MARK)
    if (own?.value !== mark || own.source !== 'local') return
    // Somebody may have written into the share in its first moment: then the filesystem stays.
    if (all?.get('mounted')?.value === 'yes' && hasFiles(all.get('mountpoint')?.value ?? '')) {
      this.options.warn(`${dataset} stays: there are files in it already, though it is not shared`)
      return
    }
    await withZfsErrors(dataset, () => zfs.destroy(dataset))
  }
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
