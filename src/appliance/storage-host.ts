// Storage as the appliance runs it. Where a surface needs it, it is there before the port opens; where none does, its policies and recovery run all the
// same, but it is loaded only once the port is open, and only on a machine with ZFS.
import type { Storage, StorageOptions } from './storage.ts'

export interface StorageHost {
  /** For the surfaces; undefined where none that is on needs it. */
  needed: Storage | undefined
  /** Once the port is open: what a killed server left is put in order. */
  recover: () => void
  /** A pool is there that was not: what stands on it may come back. */
  imported: () => void
  runPolicies: () => Promise<void>
  close: () => void
}

export interface StorageHostOptions extends StorageOptions {
  isNeeded: boolean
}

export async function hostStorage({ isNeeded, ...options }: StorageHostOptions): Promise<StorageHost> {
  const { config, tool } = options
  const open = async () => (await import('./storage.ts')).createStorage(options)
  let storage = isNeeded ? await open() : undefined
  let isClosed = false
  return {
    needed: storage,
    recover() {
      storage?.recoverShares()
      storage?.restoreTargets()
    },
    imported: () => storage?.restoreTargets(),
    async runPolicies() {
      if (!storage) {
        if (!tool.identity?.('zpool')) return
        const opened = await open()
        if (isClosed) return
        storage = opened
        storage.recoverShares()
        // Under sudo the server may neither read what is saved nor change the kernel.
        if (config.privilege !== 'sudo') storage.restoreTargets()
      }
      if (!isClosed) storage.scheduler.start()
    },
    close() {
      isClosed = true
      storage?.close()
    },
  }
}
