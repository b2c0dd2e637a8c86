// SMB shares: read from Samba, changed in its registry. A share without an id of this product was made by hand: it is shown, under an id
// made from its name, and never changed.
import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Effective, Samba } from '../../drivers/samba.ts'
import { formatList, parseFlag, parseList, type Section, serializeSection } from '../../drivers/smb-conf.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, exists, failedPrecondition, invalid, notFound, raise } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { writeAtomic } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { withToolErrors } from '../tool-failure.ts'
import { AllOrNothing } from './config-transaction.ts'
import { isOfHomes, withoutOwn } from './home-folders.ts'
import { placeOf } from './place.ts'
import { ShareId } from './rules.ts'
import { foldersOf, type ShareFolders } from './share-folders.ts'
import { type Get, readOptions, type SmbOptions, writeOptions } from './smb-options.ts'

export interface SmbShare extends SmbOptions {
  id: string
  name: string
  path?: string
  dataset?: string
  description: string
  read_only: boolean
  guest_ok: boolean
  valid_users: string[]
  enabled: boolean
  /** Made by us. */
  managed: boolean
}

export interface ShareChange extends SmbOptions {
  description?: string | undefined
  read_only?: boolean | undefined
  guest_ok?: boolean | undefined
  valid_users?: string[] | undefined
  enabled?: boolean | undefined
}

export interface NewShare extends Omit<ShareChange, 'enabled'> {
  name: string
  dataset: string
  path?: string | undefined
}

/** A share as it was; without its section: there was none. */
interface Before {
  name: string
  section?: string
}

const ID = 'edge-admin:id'
const DATASET = 'edge-admin:dataset'
const yes = (flag: boolean) => (flag ? 'yes' : 'no')
const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

export class SmbShares {
  private readonly samba: Samba
  private readonly zfs: Zfs
  private readonly shareFolders: ShareFolders
  /** Holds the section that `net conf import` reads. */
  private readonly folder: string
  private readonly changes: AllOrNothing<Before>

  constructor({
    samba,
    zfs,
    folders,
    shareFolders,
  }: { samba: Samba; zfs: Zfs; folders: Folders; shareFolders: ShareFolders }) {
    this.samba = samba
    this.zfs = zfs
    this.shareFolders = shareFolders
    this.folder = join(folders.state, 'shares')
    this.changes = new AllOrNothing<Before>({
      name: 'smb',
      file: join(this.folder, 'smb-before.json'),
      putBack: (before) => this.putBack(before),
    })
  }

  async all(): Promise<SmbShare[]> {
    const { shares, global } = await this.effective()
    return shares.map((share) => view(share, global))
  }

  /** Each share with all its parameters, as Samba has them. */
  async sections(): Promise<{ id: string; name: string; get: Get; global: Section }[]> {
    const { shares, global } = await this.effective()
    return shares.map((share) => ({ id: idOf(share), name: share.name, get: getter(share, global), global }))
  }

  private effective(): Promise<Effective> {
    return withToolErrors(undefined, async () => {
      await this.changes.settled()
      return this.samba.effective()
    })
  }

  async get(id: string): Promise<SmbShare> {
    return (await this.all()).find((share) => share.id === id) ?? raise(unknownShare(id))
  }

  recover(): Promise<void> {
    return withToolErrors(undefined, () => this.changes.settled())
  }

  /** Whether Samba serves. */
  isRunning(): Promise<boolean> {
    return this.samba.isRunning()
  }

  /** `parameters` are set besides; `id` is given where somebody has to find it again after a kill. */
  async create(
    { name, dataset, path, ...options }: NewShare,
    { id = newShareId(), parameters: more = {} }: { id?: string; parameters?: Readonly<Record<string, string>> } = {},
  ): Promise<SmbShare> {
    return withToolErrors(name, async () => {
      const place = await placeOf(this.zfs, dataset, path)
      return this.changes.alone(async () => {
        const { shares } = await this.served()
        if (shares.some((share) => sameName(share.name, name)) || (await this.samba.show(name)))
          throw exists('A share with this name already exists', { details: { field: 'name' } })
        const parameters = new Map([['path', place.path], [ID, id], [DATASET, dataset], ...Object.entries(more)])
        const defaults = { description: '', read_only: false, guest_ok: false, valid_users: [], enabled: true }
        set(parameters, { ...defaults, ...defined(options) })
        const section = { name, parameters }
        refuseGuestHomes(section)
        await this.shareFolders.make(view(section))
        return this.apply({ name }, section, { change: {}, makes: true })
      })
    })
  }

  async update(id: string, change: ShareChange): Promise<SmbShare> {
    return withToolErrors(undefined, () =>
      this.changes.alone(async () => {
        const section = await this.ours(id)
        const parameters = new Map(section.parameters)
        set(parameters, change)
        // What is written while the dataset is not mounted lands below it, and is out of sight at its next mount.
        if (change.enabled && !view(section).enabled)
          await placeOf(this.zfs, parameters.get(DATASET) ?? '', withoutOwn(parameters.get('path') ?? ''))
        const before = { name: section.name, section: serializeSection(section) }
        const after = { name: section.name, parameters }
        if (change.home_folders || change.guest_ok) refuseGuestHomes(after)
        const needs = foldersOf(view(after))
        const makes = needs !== undefined && needs !== foldersOf(view(section))
        if (makes) await this.shareFolders.make(view(after))
        return serializeSection(after) === before.section ? this.get(id) : this.apply(before, after, { change, makes })
      }),
    )
  }

  async remove(id: string): Promise<SmbShare> {
    return withToolErrors(undefined, () =>
      this.changes.alone(async () => {
        const section = await this.ours(id)
        const { name } = section
        await this.changes.change({ name, section: serializeSection(section) }, async () => {
          await this.samba.remove(name)
          checkpoint('smb-imported')
          await this.tellServer(name, 'all')
        })
        return view(section)
      }),
    )
  }

  /** Puts a section into the registry, checks that Samba accepts the whole configuration, and reloads the server. */
  private async apply(
    before: Before,
    section: Section,
    { change, makes }: { change: ShareChange; makes: boolean },
  ): Promise<SmbShare> {
    const { name } = section
    let applied: SmbShare | undefined
    await this.changes.change(before, async () => {
      await this.place(name, serializeSection(section))
      checkpoint('smb-imported')
      const { shares, global } = await this.samba.effective()
      const served = shares.find((share) => share.name === name)
      if (!served) throw new ApiError('command-failed', 'Samba does not show the share', { details: { object: name } })
      applied = view(served, global)
      // Once more: who made a user or opened the folder meanwhile did not find the share yet.
      if (makes && applied.home_folders) await this.shareFolders.make(applied)
      // A connection that the new addresses do not allow would go on.
      const { enabled, read_only } = change
      const other = change.hosts_allow ?? change.hosts_deny ?? change.home_folders
      const closed = enabled === false || read_only === true || other !== undefined
      await this.tellServer(name, closed ? 'all' : 'denied')
    })
    return applied as SmbShare
  }

  private async place(name: string, text: string): Promise<void> {
    ensureFolder(this.folder)
    const file = join(this.folder, 'smb-section.conf')
    writeAtomic(file, text, 0o600)
    await this.samba.replace(file, name)
  }

  private async putBack({ name, section }: Before): Promise<void> {
    if (section !== undefined) await this.place(name, section)
    else if (await this.samba.show(name)) await this.samba.remove(name)
    await this.tellServer(name, 'denied')
  }

  /** A server that does not run reads its configuration when it starts. */
  private async tellServer(name: string, disconnect: 'all' | 'denied'): Promise<void> {
    if (!(await this.samba.hasServer())) return
    await this.samba.reload()
    await this.samba.disconnect(name, disconnect)
  }

  /** The configuration, where shares of the registry are part of it. */
  private async served(): Promise<Effective> {
    const effective = await this.samba.effective()
    if (!effective.registry)
      throw new ApiError(
        'unavailable',
        'Samba does not read its registry: smb.conf needs `include = registry` in [global]',
      )
    return effective
  }

  /** The registry's section of a share that is ours. */
  private async ours(id: string): Promise<Section> {
    const { shares, global } = await this.served()
    const share = shares.map((one) => view(one, global)).find((one) => one.id === id) ?? raise(unknownShare(id))
    const section = share.managed ? await this.samba.show(share.name) : undefined
    return (
      section ??
      raise(
        failedPrecondition('This share was created by hand and cannot be changed here', { details: { object: id } }),
      )
    )
  }
}

export const newShareId = () => `smb-${randomBytes(6).toString('hex')}`

function refuseGuestHomes({ parameters }: Section): void {
  if (isOfHomes(parameters.get('path')) && parseFlag(parameters.get('guest ok'), false))
    throw invalid('Guests have no folder of their own: home_folders and guest_ok exclude each other', {
      details: { field: 'home_folders' },
    })
}

const unknownShare = (id: string) => notFound('share not found', { details: { object: id } })

const defined = (options: object): ShareChange =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** What is not named stays, whatever else stands in the section. */
function set(parameters: Map<string, string>, change: ShareChange): void {
  const { description, read_only, guest_ok, valid_users, enabled } = change
  const put = (name: string, value: string) => (value === '' ? parameters.delete(name) : parameters.set(name, value))
  if (description !== undefined) put('comment', description)
  if (read_only !== undefined) put('read only', yes(read_only))
  if (guest_ok !== undefined) put('guest ok', yes(guest_ok))
  if (valid_users !== undefined) put('valid users', formatList(valid_users))
  if (enabled !== undefined) put('available', yes(enabled))
  writeOptions(parameters, change)
}

/** `global` holds the defaults of all shares, where they are not Samba's own. */
const getter =
  ({ parameters }: Section, global?: Section): Get =>
  (parameter) =>
    parameters.get(parameter) ?? global?.parameters.get(parameter)

const isManaged = ({ parameters }: Section) =>
  ShareId.safeParse(parameters.get(ID)).success && parameters.get(DATASET) !== undefined

const idOf = (section: Section): string =>
  isManaged(section)
    ? (section.parameters.get(ID) as string)
    : `smb-${createHash('sha256').update(section.name.toLowerCase()).digest('hex').slice(0, 12)}`

function view(section: Section, global?: Section): SmbShare {
  const { name, parameters } = section
  const get = getter(section, global)
  const [path, dataset] = [parameters.get('path'), parameters.get(DATASET)]
  const managed = isManaged(section)
  return {
    id: idOf(section),
    name,
    ...(path !== undefined && { path: withoutOwn(path) }),
    ...(managed && { dataset }),
    description: get('comment') ?? '',
    read_only: parseFlag(get('read only'), true),
    guest_ok: parseFlag(get('guest ok'), false),
    valid_users: parseList(get('valid users') ?? ''),
    enabled: parseFlag(get('available'), true),
    ...readOptions(get),
    managed,
  }
}
