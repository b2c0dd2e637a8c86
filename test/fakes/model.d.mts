// What TypeScript sees of model.mjs.
export interface Disk {
  size: number
  fstype?: string
  mountpoint?: string
  broken?: boolean
  links?: string[]
  /** The slot of the one enclosure that there is: `Slot 01`. */
  slot?: string
  /** Any column of lsblk, and `children`. */
  // biome-ignore lint/suspicious/noExplicitAny: as lsblk has them
  [member: string]: any
}
export interface Model {
  clock: number
  disks: Record<string, Disk>
  pools: Record<string, Record<string, unknown>>
  datasets: Record<string, Record<string, unknown>>
  exported: Record<string, unknown>
  /** Percent that a scrub moves on with each look at it; 0 stops it. */
  scrubStep: number
  /** Where datasets are mounted that say nothing else; `/` without it. */
  mounts?: string
  // biome-ignore lint/suspicious/noExplicitAny: each fake keeps its own member here
  [member: string]: any
}
export interface Called {
  program: string
  args: string[]
}
export function readModel(folder: string): Model
export function changeModel<T>(folder: string, change: (model: Model) => T): T
export function readCalls(folder: string): Called[]
