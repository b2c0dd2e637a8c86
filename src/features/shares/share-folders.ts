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
  warn: (text: string, error?: unknown) => void
  /** Milliseconds until what could not be made is tried again. */
  pause?: number | undefined
}

const PAUSE = 60_000

export class ShareFolders {
  private readonly options: ShareFoldersOptions
  /** The shares whose folders could not be made. Each is said once. */
  private readonly waiting = new Set<string>()
  private again: NodeJS.Timeout | undefined
  private isClosed = false

  constructor(options: ShareFoldersOptions) {
    this.options = options
  }

  /** In a home share, Samba makes the bin in the folder of each user, who alone can look into it. */
  async make({ dataset = '', path, home_folders, recycle_bin }: FolderShare): Promise<void> {
    const { homes, bins } = this.options
    if (home_folders) await homes.make(dataset, path)
    else if (recycle_bin) await bins.make(dataset, path)
  }

  /** Of every share; what cannot be made is a warning. */
  async makeAll(): Promise<void> {
    const { shares, warn, privileged } = this.options
    if (!privileged) return
    try {
      for (const share of await shares()) if (share.managed && share.enabled) await this.makeLater(share)
    } catch (error) {
      warn('the folders of shares could not be looked at', error)
    }
  }

  /** Of a share that is there: a user who was made at the same moment did not find it yet, and was not found before. */
  async makeLater(share: FolderShare): Promise<void> {
    const { name } = share
    try {
      await this.make(share)
      this.waiting.delete(name)
    } catch (error) {
      if (!this.waiting.has(name)) this.options.warn(`the folders of the share ${name} could not be made`, error)
      this.waiting.add(name)
      this.tryAgain()
    }
  }

  private tryAgain(): void {
    clearTimeout(this.again)
    if (this.isClosed) return
    this.again = setTimeout(() => void this.makeAll(), this.options.pause ?? PAUSE).unref()
  }

  close(): void {
    this.isClosed = true
    clearTimeout(this.again)
  }
}
