// Which targets are being changed, written to disk before the kernel is touched. After a kill a mark means only that the target has to be
// checked; saveconfig.json says what is right.
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

  /** Skips temporary files that a kill left: their names begin with a dot. */
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
