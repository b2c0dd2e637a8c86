// What the shares need in their folders: home folders and recycle bins. It is made before a share is there, and what is
// missing then, as that of a dataset that is locked, as soon as it can be: nobody says when a dataset is unlocked by hand.
import type { HomeFolders } from './home-folders.ts'
import type { RecycleBins } from './recycle-bin.ts'

/** A share, as far as its folder goes. */
export interface FolderShare {
  name: string
  dataset?: string | undefined
  path?: string | undefined
  home_folders?: boolean | undefined
  recycle_bin?: boolean | undefined
  enabled: boolean
  managed: boolean
}

export interface ShareFoldersOptions {
  homes: HomeFolders
  bins: RecycleBins
  /** The server is root. */
  privileged: boolean
  shares: () => Promise<readonly FolderShare[]>
  /** A task works on the dataset, which an open folder would keep from being unmounted. */
  isAtWork: (dataset: string) => Promise<boolean>
  warn: (text: string, error?: unknown) => void
  /** Milliseconds until what could not be made is tried again for the first time. */
  pause?: number | undefined
}

const PAUSE = 60_000
/** Pauses between two attempts become longer up to so many times the first. */
const LONGEST = 10

/** Which folders a share needs. In a home share, Samba makes the bin in the folder of each user, who alone can look into it. */
export const foldersOf = ({ enabled, home_folders, recycle_bin }: FolderShare): 'homes' | 'bin' | undefined =>
  !enabled ? undefined : home_folders ? 'homes' : recycle_bin ? 'bin' : undefined

export class ShareFolders {
  private readonly options: ShareFoldersOptions
  /** The shares whose folders could not be made, and whether that was said. */
  private readonly waiting = new Map<string, boolean>()
  /** Which shares there are. */
  private isKnown = true
  private pauses = 1
  private again: NodeJS.Timeout | undefined
  private isClosed = false

  constructor(options: ShareFoldersOptions) {
    this.options = options
  }

  async make(share: FolderShare): Promise<void> {
    const { homes, bins } = this.options
    const { dataset = '', path } = share
    const needs = foldersOf(share)
    if (needs === 'homes') await homes.make(dataset, path)
    if (needs === 'bin') await bins.make(dataset, path)
  }

  /** Of every share; what cannot be made is a warning, and tried again. */
  async makeAll(): Promise<void> {
    this.pauses = 1
    if (this.options.privileged) await this.look(() => true)
  }

  private async look(isMeant: (name: string) => boolean): Promise<void> {
    const { shares, warn } = this.options
    try {
      const all = (await shares()).filter((share) => share.managed && foldersOf(share))
      for (const name of this.waiting.keys()) if (!all.some((share) => share.name === name)) this.waiting.delete(name)
      for (const share of all) if (isMeant(share.name)) await this.makeLater(share)
      this.isKnown = true
    } catch (error) {
      if (this.isKnown) warn('the folders of shares could not be looked at', error)
      this.isKnown = false
    }
    if (!this.isKnown || this.waiting.size > 0) this.tryAgain()
  }

  private async makeLater(share: FolderShare): Promise<void> {
    const { isAtWork, warn } = this.options
    const { name, dataset = '' } = share
    if (await isAtWork(dataset)) {
      this.waiting.set(name, this.waiting.get(name) ?? false)
      return
    }
    try {
      await this.make(share)
      this.waiting.delete(name)
    } catch (error) {
      if (!this.waiting.get(name)) warn(`the folders of the share ${name} could not be made`, error)
      this.waiting.set(name, true)
    }
  }

  private tryAgain(): void {
    clearTimeout(this.again)
    if (this.isClosed) return
    const isMeant = this.isKnown ? (name: string) => this.waiting.has(name) : () => true
    const pause = (this.options.pause ?? PAUSE) * this.pauses
    this.pauses = Math.min(this.pauses * 2, LONGEST)
    this.again = setTimeout(() => void this.look(isMeant), pause).unref()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.again)
  }
}
