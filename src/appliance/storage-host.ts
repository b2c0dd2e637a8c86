// Runs the storage part. It is loaded once the port is open: with the first request that needs it, or for the snapshot
// policies, which run whatever surface is on (without one that needs storage, only on a machine with ZFS).
import { loadLater } from '../loaded-later.ts'
import type { Storage, StorageOptions } from './storage.ts'

export interface StorageHost {
  /** For the surfaces: loads it, if nothing has; undefined if no enabled one needs it. */
  needed: (() => Promise<Storage>) | undefined
  /** Once the port is open: cleans up after a killed server, as soon as it is loaded. */
  recover: () => void
  /** A pool was imported: shares and targets on it may come back. */
  imported: () => void
  runPolicies: () => Promise<void>
  close: () => void
}

export interface StorageHostOptions extends StorageOptions {
  isNeeded: boolean
}

/** Milliseconds after which a part that could not be loaded is tried again. */
const AGAIN = 60_000

export function hostStorage({ isNeeded, ...options }: StorageHostOptions): StorageHost {
  const { config, tool } = options
  let storage: Storage | undefined
  let opening: Promise<Storage> | undefined
  /** Another server may have the port until it is open. */
  let mayRecover = !isNeeded
  let isRecovered = false
  let mayRun = false
  let again: NodeJS.Timeout | undefined
  let isClosed = false
  const recover = () => {
    if (!storage || !mayRecover || isRecovered || isClosed) return
    isRecovered = true
    storage.recoverShares()
    storage.restoreShareAccounts()
    storage.restoreProperties()
    // Under sudo the server can neither read the saved targets nor change the kernel.
    if (isNeeded || config.privilege !== 'sudo') storage.restoreTargets()
  }
  const run = () => {
    if (mayRun && !isClosed) storage?.scheduler.start()
  }
  const load = async () => {
    const { createStorage } = await loadLater(() => import('./storage.ts'))
    storage = createStorage(options)
    // Before any request that waits for it.
    recover()
    run()
    return storage
  }
  const open = () => {
    opening ??= load().catch((error) => {
      opening = undefined
      throw error
    })
    return opening
  }
  const runPolicies = async (): Promise<void> => {
    if (isClosed || (!isNeeded && !tool.identity?.('zpool'))) return
    mayRun = true
    const isOpen = storage !== undefined
    try {
      await open()
    } catch (error) {
      // Nobody may ever ask for storage, and snapshots must not wait for that.
      again = setTimeout(() => void runPolicies().catch(() => {}), AGAIN).unref()
      throw error
    }
    if (isOpen) run()
  }
  return {
    needed: isNeeded ? open : undefined,
    recover() {
      mayRecover = true
      recover()
    },
    imported() {
      storage?.restoreTargets()
      storage?.restoreProperties()
      void storage?.shares.makeFolders()
    },
    runPolicies,
    close() {
      isClosed = true
      clearTimeout(again)
      storage?.close()
    },
  }
}
