// Runs the storage part. If a surface needs it, it is loaded before the port opens. Otherwise its policies and recovery
// still run, but it is loaded only once the port is open, and only on a machine with ZFS.
import type { Storage, StorageOptions } from './storage.ts'

export interface StorageHost {
  /** For the surfaces; undefined if no enabled one needs it. */
  needed: Storage | undefined
  /** Once the port is open: cleans up after a killed server. */
  recover: () => void
  /** A pool was imported: shares and targets on it may come back. */
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
      storage?.restoreShareAccounts()
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
        storage.restoreShareAccounts()
        // Under sudo the server can neither read the saved targets nor change the kernel.
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
