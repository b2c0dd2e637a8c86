// The block devices of this machine, from `lsblk`, and waiting for udev, which makes their names. A disk with
// partitions, a file system or a holder is listed like any other; the caller decides which are free.

import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export interface BlockDevice {
  path: string
  type: string
  /** Bytes. */
  size: number
  readOnly: boolean
  model: string | undefined
  serial: string | undefined
  fstype: string | undefined
  mountpoints: string[]
  children: BlockDevice[]
}

export type Lsblk = ReturnType<typeof createLsblk>

const COLUMNS = ['PATH', 'TYPE', 'SIZE', 'RO', 'MODEL', 'SERIAL', 'FSTYPE', 'MOUNTPOINTS'] as const
/** What older versions offer instead of a column: before util-linux 2.37, and before 2.33 (with -p the same text). */
const OLDER: Readonly<Record<string, string>> = { MOUNTPOINTS: 'MOUNTPOINT', PATH: 'NAME' }
const TIMEOUT = 15_000
/** Seconds. */
const SETTLED = 10

export function createLsblk(tool: Tool) {
  /** Runs it with these columns; if one is unknown, with its older name. */
  async function withColumns<T>(columns: readonly string[], run: (columns: string) => Promise<T>): Promise<T> {
    try {
      return await run(columns.join(','))
    } catch (error) {
      const unknown = error instanceof CommandError ? /unknown column: ([A-Z]+)/.exec(error.stderr)?.[1] : undefined
      if (unknown === undefined || !columns.includes(unknown) || !Object.hasOwn(OLDER, unknown)) throw error
      return withColumns(
        columns.map((column) => (column === unknown ? (OLDER[column] ?? column) : column)),
        run,
      )
    }
  }
  return {
    /**
     * Waits until udev has processed new and changed devices; until then the partitions of a disk that was just
     * released are missing.
     */
    async settle(): Promise<void> {
      try {
        await tool('udevadm', ['settle', '-t', `${SETTLED}`], { timeout: 2 * SETTLED * 1000 })
      } catch (error) {
        // udev is not installed, or it does not finish in time.
        if (!(error instanceof CommandError)) throw error
      }
    },

    async list(): Promise<BlockDevice[]> {
      return withColumns(COLUMNS, async (columns) => {
        const args = ['-Jbp', '-o', columns]
        const { stdout } = await tool('lsblk', args, { timeout: TIMEOUT, maxBytes: 1 << 24 })
        return readList(stdout, args)
      })
    },

    /** Those of these paths that are not block devices; if `lsblk` does not tell which, the first. */
    async missing(paths: string[]): Promise<string[]> {
      if (paths.length === 0) return []
      try {
        await withColumns(['PATH'], (columns) =>
          tool('lsblk', ['-dn', '-o', columns, '--', ...paths], { timeout: TIMEOUT }),
        )
        return []
      } catch (error) {
        // 32: none of them is a block device; 64: some are. Older versions exit with 1.
        const says = error instanceof CommandError && /: not a block device$/m.test(error.stderr)
        if (!(error instanceof CommandError) || !(error.status === 32 || error.status === 64 || says)) throw error
        const words = error.stderr.split('\n')
        const named = paths.filter((path) => words.includes(`lsblk: ${path}: not a block device`))
        return named.length > 0 ? named : paths.slice(0, 1)
      }
    },
  }
}

function readList(text: string, args: string[]): BlockDevice[] {
  try {
    return (JSON.parse(text) as { blockdevices: unknown[] }).blockdevices.map(readDevice)
  } catch {
    throw new CommandError(['lsblk', ...args], 'output')
  }
}

const textOf = (value: unknown) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined)

function readDevice(value: unknown): BlockDevice {
  const row = value as Record<string, unknown>
  const { type, size, ro, model, serial, fstype, children } = row
  const [path, mounted] = [row['path'] ?? row['name'], row['mountpoints'] ?? [row['mountpoint']]]
  if (typeof path !== 'string' || typeof type !== 'string') throw new Error('no block device')
  return {
    path,
    type,
    size: Number(size) || 0,
    readOnly: ro === true || ro === 1 || ro === '1',
    model: textOf(model),
    serial: textOf(serial),
    fstype: textOf(fstype),
    mountpoints: (Array.isArray(mounted) ? mounted : []).flatMap((place) => textOf(place) ?? []),
    children: (Array.isArray(children) ? children : []).map(readDevice),
  }
}
