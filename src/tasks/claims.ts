// Which locks are taken: those of tasks that this process starts, and those that a script holds in the kernel. A script takes its kernel lock a
// moment after it was started; before that only the claim says that the lock is taken.
import type { Folders } from '../folders.ts'
import { isHeld, isHeldLater } from '../store/lock.ts'
import { lockFile } from './task.ts'

export class Claims {
  private readonly folders: Folders
  /** By lock, the task that this process starts or started under it and that has not ended. */
  private readonly claimed = new Map<string, string>()

  constructor(folders: Folders) {
    this.folders = folders
  }

  claim(lock: string, id: string): void {
    this.claimed.set(lock, id)
  }

  release(lock: string): void {
    this.claimed.delete(lock)
  }

  /** The task that this process starts or started under `lock` and that has not ended. */
  idOf(lock: string): string | undefined {
    return this.claimed.get(lock)
  }

  has(lock: string): boolean {
    return this.claimed.has(lock)
  }

  hasTask(id: string): boolean {
    return [...this.claimed.values()].includes(id)
  }

  /** Whether a task holds `lock`: one of ours, or one that an operator started by hand. */
  isRunning(lock: string): boolean {
    return this.has(lock) || isHeld(lockFile(this.folders, lock)) === true
  }

  /** Whether a script holds `lock` in the kernel, whatever this process claims. */
  async isHeldElsewhere(lock: string): Promise<boolean> {
    return (await isHeldLater(lockFile(this.folders, lock))) === true
  }

  /** Whether certainly no task holds `lock`. False where that cannot be told. */
  isFree(lock: string): boolean {
    return !this.has(lock) && isHeld(lockFile(this.folders, lock)) === false
  }
}
