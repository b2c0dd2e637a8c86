// Disk, memory and load in the documented format. Measuring may be slow (a file system that hangs), so it runs in the
// background and the last result is served. A vendor's health.json replaces it if it is a JSON object.
import { statfs } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { etc, type Folders } from '../../folders.ts'
import { readEdited } from '../../store/atomic.ts'
import { CachedFile } from '../../store/cached-file.ts'
import { objectText } from '../../store/json-text.ts'

export interface Health {
  disk: { used: string; total: string; percentage: number }
  memory: { used: string; total: string; percentage: number }
  cpu: { num: number; load: string; cpu5min: number }
}

/** Bytes as `3.4G`, `234G`, `260M`: one decimal below ten, powers of 1024. */
export function shortBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${units[unit]}`
}

const FRESH = 10_000

/** Samples on demand, at most every ten seconds, one at a time. */
export class HealthMonitor {
  private readonly folders: Folders
  private readonly warn: (text: string) => void
  private readonly vendor: CachedFile<string | undefined>
  private fault = ''
  private sample: { at: number; health: Health } | undefined
  private sampling: Promise<Health> | undefined

  constructor(folders: Folders, warn: (text: string) => void = () => {}) {
    this.folders = folders
    this.warn = warn
    const file = etc(folders, 'health.json')
    this.vendor = new CachedFile(file, (there) => (there ? this.vendors(file) : undefined))
  }

  /** The vendor's file unchanged, or our own sample. Synchronous except for the very first call. */
  read(): string | Promise<string> {
    const vendor = this.vendor.get()
    if (vendor !== undefined) return vendor
    const known = this.current()
    return known ? JSON.stringify(known) : this.refresh().then((health) => JSON.stringify(health))
  }

  /** A file that clients cannot parse is ignored; logged once, and again after it was valid in between. */
  private vendors(file: string): string | undefined {
    let fault = ''
    try {
      const text = readEdited(file)
      return text === undefined ? undefined : objectText(text)
    } catch (error) {
      fault = error instanceof Error ? error.message : 'it cannot be read'
      return undefined
    } finally {
      if (fault && fault !== this.fault) this.warn(`health.json is not used: ${fault}`)
      this.fault = fault
    }
  }

  /** Our own sample, even if there is a vendor's file. */
  async own(): Promise<Health> {
    return this.current() ?? this.refresh()
  }

  /** The last sample; an old one is refreshed in the background. */
  private current(): Health | undefined {
    const known = this.sample
    if (!known || performance.now() - known.at > FRESH) this.refresh().catch(() => {})
    return known?.health
  }

  private refresh(): Promise<Health> {
    this.sampling ??= measure(this.folders.data)
      .then((health) => {
        this.sample = { at: performance.now(), health }
        return health
      })
      .finally(() => {
        this.sampling = undefined
      })
    return this.sampling
  }
}

async function measure(data: string): Promise<Health> {
  // Only this part: the whole package would be half of what we ship.
  const { mem } = await import('systeminformation/lib/memory.js')
  // From the file system that contains the data, not from `df`, which may not find the mount.
  const [disk, memory] = await Promise.all([statfs(data).catch(() => statfs('/')), mem()])
  const taken = disk.blocks - disk.bfree
  const used = memory.total - memory.available
  const load = loadavg()
  return {
    disk: {
      used: shortBytes(taken * disk.bsize),
      total: shortBytes(disk.blocks * disk.bsize),
      percentage: Math.round((taken / Math.max(1, taken + disk.bavail)) * 100),
    },
    memory: {
      used: shortBytes(used),
      total: shortBytes(memory.total),
      percentage: Math.round((used / memory.total) * 100),
    },
    cpu: {
      num: cpus().length,
      load: load.map((value) => value.toFixed(2)).join(', '),
      cpu5min: Math.floor(load[1] ?? 0),
    },
  }
}
