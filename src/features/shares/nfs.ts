// NFS exports: ours in one file of /etc/exports.d, all others as the kernel shows them. The trap: `exportfs -ra` reads every file, so its
// complaint may concern another export; a change fails only when the complaint is about its own, or when that is missing afterwards.
import { createHash, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Active, type Export, parseExports, type Squash, serializeExports } from '../../drivers/exports-file.ts'
import type { Nfs } from '../../drivers/nfs.ts'
import { toolMessage } from '../../drivers/programs.ts'
import type { CommandError } from '../../drivers/run.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, exists, failedPrecondition, notFound, raise } from '../../errors.ts'
import type { Folders } from '../../folders.ts'
import { readText, writeAtomic } from '../../store/atomic.ts'
import { checkpoint } from '../../store/checkpoint.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { withToolErrors } from '../tool-failure.ts'
import { isClientName } from './clients.ts'
import { AllOrNothing } from './config-transaction.ts'
import { placeOf } from './place.ts'

export interface NfsExport {
  id: string
  path: string
  dataset?: string
  clients: string[]
  read_only: boolean
  root_squash: boolean
  /** Every client user is mapped to this uid and gid (`all_squash`, `anonuid`, `anongid`). */
  squash_to?: Squash
  enabled: boolean
  /** Made by us. */
  managed: boolean
}

export interface ExportChange {
  clients?: string[] | undefined
  read_only?: boolean | undefined
  root_squash?: boolean | undefined
  squash_to?: Squash | null | undefined
  enabled?: boolean | undefined
}

export interface NewExport extends Omit<ExportChange, 'enabled'> {
  dataset: string
  path?: string | undefined
}

type File = ReturnType<typeof parseExports>

export class NfsExports {
  private readonly nfs: Nfs
  private readonly zfs: Zfs
  private readonly file: string
  /** The text of our file as it was; null: there was none. */
  private readonly changes: AllOrNothing<{ text: string | null }>

  /** `folder`: /etc/exports.d. */
  constructor(nfs: Nfs, zfs: Zfs, { folders, folder }: { folders: Folders; folder: string }) {
    this.nfs = nfs
    this.zfs = zfs
    this.file = join(folder, 'edge-admin.exports')
    this.changes = new AllOrNothing({
      name: 'nfs',
      file: join(folders.state, 'shares/nfs-before.json'),
      putBack: async ({ text }) => {
        if (text === null) rmSync(this.file, { force: true })
        else this.write(text)
        await this.nfs.apply()
      },
    })
  }

  async all(): Promise<NfsExport[]> {
    return withToolErrors(undefined, async () => {
      await this.changes.settled()
      const { exports } = this.read()
      return [...exports.map(view), ...foreign(await this.nfs.active(), exports)]
    })
  }

  async get(id: string): Promise<NfsExport> {
    return (await this.all()).find((one) => one.id === id) ?? raise(unknownExport(id))
  }

  recover(): Promise<void> {
    return withToolErrors(undefined, () => this.changes.settled())
  }

  /** Whether the kernel serves. */
  isRunning(): boolean {
    return this.nfs.isRunning()
  }

  /** `id` is given where somebody has to find it again after a kill. */
  async create({ dataset, path, ...options }: NewExport, id = newExportId()): Promise<NfsExport> {
    return withToolErrors(dataset, async () => {
      const place = await placeOf(this.zfs, dataset, path)
      return this.changes.alone(async () => {
        const { clients = ['*'], read_only: readOnly = false, root_squash: rootSquash = true } = options
        const squash = options.squash_to ?? undefined
        const made = { id, dataset, ...place, clients, readOnly, rootSquash, squash, enabled: true }
        const before = this.read()
        await this.apply(before, made)
        return view(made)
      })
    })
  }

  async update(id: string, change: ExportChange): Promise<NfsExport> {
    return withToolErrors(id, () =>
      this.changes.alone(async () => {
        const before = this.read()
        const old = await this.ours(before, id)
        const { clients, read_only: readOnly, root_squash: rootSquash, enabled } = change
        const made = {
          ...old,
          clients: clients ?? old.clients,
          readOnly: readOnly ?? old.readOnly,
          rootSquash: rootSquash ?? old.rootSquash,
          squash: change.squash_to === undefined ? old.squash : (change.squash_to ?? undefined),
          enabled: enabled ?? old.enabled,
        }
        if (JSON.stringify(made) !== JSON.stringify(old)) await this.apply(before, made)
        return view(made)
      }),
    )
  }

  async remove(id: string): Promise<void> {
    await withToolErrors(id, () =>
      this.changes.alone(async () => {
        const before = this.read()
        const old = await this.ours(before, id)
        await this.apply(before, { ...old, enabled: false }, 'removed')
      }),
    )
  }

  private async ours({ exports }: File, id: string): Promise<Export> {
    const found = exports.find((one) => one.id === id)
    if (found) return found
    if (foreign(await this.nfs.active(), exports).some((one) => one.id === id))
      throw failedPrecondition('This export was created by hand and cannot be changed here', {
        details: { object: id },
      })
    throw unknownExport(id)
  }

  private async apply({ exports, others }: File, changed: Export, removed?: 'removed'): Promise<void> {
    const rest = exports.filter(({ id }) => id !== changed.id)
    if (!removed) refuseTwice(changed, [...rest.map(view), ...foreign(await this.nfs.active(), exports)])
    const at = exports.findIndex(({ id }) => id === changed.id)
    const after = removed ? rest : at < 0 ? [...exports, changed] : exports.with(at, changed)
    const text = serializeExports(after, others)
    await this.changes.change({ text: readText(this.file) ?? null }, async () => {
      this.write(text)
      checkpoint('nfs-written')
      const complaint = await this.nfs.apply()
      if (complaint) await this.judge(complaint, changed, after)
    })
  }

  /** Throws when a complaint of `exportfs` is about this export, or kept it from being what it should be. */
  private async judge(complaint: CommandError, { path, clients, enabled }: Export, after: Export[]): Promise<void> {
    const lines = complaint.stderr.split('\n')
    const words = enabled ? [path, ...clients.filter((client) => isClientName(client))] : []
    const about = lines.find((line) => words.some((word) => mentions(line, word)))
    if (about !== undefined) throw new ApiError('command-failed', oneLine(about), { cause: complaint })
    const wanted = enabled || after.some((one) => one.enabled && one.path === path)
    const active = (await this.nfs.active()).some((one) => one.path === path)
    if (active !== wanted) throw new ApiError('command-failed', toolMessage(complaint), { cause: complaint })
  }

  private read(): File {
    return parseExports(readText(this.file) ?? '')
  }

  private write(text: string): void {
    ensureFolder(dirname(this.file), 0o755)
    writeAtomic(this.file, text, 0o644)
  }
}

export const newExportId = () => `nfs-${randomBytes(6).toString('hex')}`

const unknownExport = (id: string) => notFound('export not found', { details: { object: id } })

const oneLine = (text: string) =>
  text
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, 300)

/** Whether a word stands in a line by itself: `/tank/a` is not in `/tank/ab`. */
export function mentions(line: string, word: string): boolean {
  const isApart = (at: number) => !/[\w/-]/.test(line[at - 1] ?? ' ') && !/[\w/-]/.test(line[at + word.length] ?? ' ')
  for (let at = line.indexOf(word); at >= 0; at = line.indexOf(word, at + 1)) if (isApart(at)) return true
  return false
}

/** The kernel takes one of two entries for the same path and client, and does not say which. */
function refuseTwice({ path, clients }: Export, others: NfsExport[]): void {
  const twice = others.find((one) => one.path === path && one.clients.some((client) => clients.includes(client)))
  if (twice) throw exists('The path is already exported to such a client', { details: { object: twice.id } })
}

const view = ({ id, path, dataset, clients, readOnly, rootSquash, squash, enabled }: Export): NfsExport => ({
  id,
  path,
  dataset,
  clients,
  read_only: readOnly,
  root_squash: rootSquash,
  ...(squash && { squash_to: squash }),
  enabled,
  managed: true,
})

/** What is exported and not ours, one for each path and set of options. */
function foreign(active: Active[], ours: Export[]): NfsExport[] {
  const found = new Map<string, NfsExport>()
  for (const { path, client, options } of active) {
    if (ours.some((one) => one.enabled && one.path === path && one.clients.some((own) => isSame(own, client)))) continue
    const [read_only, root_squash] = [!options.includes('rw'), !options.includes('no_root_squash')]
    const key = `${path}\0${read_only}\0${root_squash}`
    const id = `nfs-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`
    const one = found.get(key) ?? { id, path, clients: [], read_only, root_squash, enabled: true, managed: false }
    one.clients.push(client)
    found.set(key, one)
  }
  return [...found.values()]
}

/** A host name comes back as the resolver's own name for it. */
const isSame = (own: string, client: string) =>
  own.toLowerCase() === client.toLowerCase() || (isClientName(own) && isClientName(client))
