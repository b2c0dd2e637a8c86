// The block devices of this machine, from `lsblk`, and waiting for udev, which makes their names. A disk with
// partitions, a file system or a holder is listed like any other; the caller decides which are free.

import type { Tool } from './programs.ts'
import { CommandError } from './run.ts'

export interface BlockDevice {
  path: string
  /** The kernel's name: `sda`, `dm-0`. */
  kernel: string
  type: string
  /** Bytes. */
  size: number
  readOnly: boolean
  model: string | undefined
  serial: string | undefined
  wwn: string | undefined
  firmware: string | undefined
  /** sata, sas, nvme, usb, virtio … */
  transport: string | undefined
  rotational: boolean | undefined
  fstype: string | undefined
  /** The label of the file system; of a ZFS member the name of its pool. */
  label: string | undefined
  /** gpt, dos. */
  table: string | undefined
  mountpoints: string[]
  children: BlockDevice[]
}

export type Lsblk = ReturnType<typeof createLsblk>

/**
 * With NAME, lsblk lists what is on a disk below it, and without NAME beside it: then a disk whose partitions are in use
 * would seem to be free. With -p the name is the path.
 */
const COLUMNS = 'NAME,KNAME,TYPE,SIZE,RO,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINTS,WWN,REV,TRAN,ROTA,PTTYPE'.split(',')
/**
 * What older versions offer instead of a column: before util-linux 2.37, and before 2.33 for PATH (with -p the same text). A
 * column with no replacement is left out.
 */
const OLDER: Readonly<Record<string, string | undefined>> = {
  ...{ MOUNTPOINTS: 'MOUNTPOINT', PATH: 'NAME' },
  ...{ PTTYPE: undefined, WWN: undefined, REV: undefined, TRAN: undefined },
}
/** Characters of a text that a disk or its content gives; longer ones are cut. */
const LONGEST = 256
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
        columns.flatMap((column) => (column === unknown ? (OLDER[column] ?? []) : column)),
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

/** A disk's or label's own text may hold anything: control and direction characters become blanks. */
function textOf(value: unknown): string | undefined {
  const text =
    typeof value === 'string'
      ? value
          .slice(0, 4 * LONGEST)
          .replace(/[\p{C}\u2028\u2029]/gu, ' ')
          .trim()
      : ''
  return text === '' ? undefined : text.slice(0, LONGEST)
}
/** A mount point is a path: it is not changed. */
const pathsOf = (value: unknown) =>
  (Array.isArray(value) ? value : []).flatMap((place) =>
    typeof place === 'string' && place.trim() !== '' ? place : [],
  )

const isSet = (value: unknown) => value === true || value === 1 || value === '1'

function readDevice(value: unknown): BlockDevice {
  const row = value as Record<string, unknown>
  const { type, size, ro, model, serial, wwn, rev, tran, rota, fstype, label, pttype, children } = row
  const [path, mounted] = [row['path'] ?? row['name'], row['mountpoints'] ?? [row['mountpoint']]]
  if (typeof path !== 'string' || typeof type !== 'string') throw new Error('no block device')
  const kernel = typeof row['kname'] === 'string' ? row['kname'] : path
  return {
    path,
    kernel: kernel.replace(/^\/dev\//, ''),
    type,
    size: Number(size) || 0,
    readOnly: isSet(ro),
    model: textOf(model),
    serial: textOf(serial),
    wwn: textOf(wwn),
    firmware: textOf(rev),
    transport: textOf(tran),
    rotational: rota === undefined || rota === null ? undefined : isSet(rota),
    fstype: textOf(fstype),
    label: textOf(label),
    table: textOf(pttype),
    mountpoints: pathsOf(mounted),
    children: (Array.isArray(children) ? children : []).map(readDevice),
  }
}
