// Which targets are being changed, on disk before the kernel is touched: what a killed server left half made. The trap: a mark says only
// "look here"; what is right is in saveconfig.json.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readLine, syncFolder, writeAtomic } from '../../store/atomic.ts'
import { ensureFolder } from '../../store/ensure-folder.ts'
import { targetId } from './names.ts'

export class Marks {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  set(iqn: string): void {
    ensureFolder(this.folder, 0o700)
    writeAtomic(join(this.folder, targetId(iqn)), `${iqn}\n`, 0o600)
  }

  clear(iqn: string): void {
    rmSync(join(this.folder, targetId(iqn)), { force: true })
    syncFolder(this.folder)
  }

  /** A temporary file that a kill left is none: its name begins with a dot. */
  all(): string[] {
    const names = readdirIfThere(this.folder).filter((name) => /^iscsi-[0-9a-f]+$/.test(name))
    return names.map((name) => readLine(join(this.folder, name)) ?? '').filter(Boolean)
  }
}

function readdirIfThere(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
