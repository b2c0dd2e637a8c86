// What a new mount point would hide. The trap: ZFS mounts over anything without a warning (overlay=on), and what is shared from there then
// belongs to another filesystem.
import { readdirSync } from 'node:fs'
import { mounts } from '../../drivers/proc.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import { failedPrecondition } from '../../errors.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import { isInside } from '../zfs/names.ts'

/** Throws a 409 that names what would be hidden if the filesystem `name` was mounted at `path`. What is mounted with it may lie below it. */
export async function refuseHiding(zfs: Zfs, name: string, path: string): Promise<void> {
  const hidden = (object: string, what: string) =>
    failedPrecondition(`${what} would be out of sight below ${path}`, { details: { object } })
  const others: { name: string; mountpoint: string }[] = []
  await withZfsErrors(name, () =>
    zfs.datasets(undefined, (row) => {
      if (row.mountpoint !== undefined && isInside(row.mountpoint, path) && !isInside(row.name, name))
        others.push({ name: row.name, mountpoint: row.mountpoint })
    }),
  )
  const [other] = others
  if (other) throw hidden(other.name, `${other.name}, at ${other.mountpoint},`)
  const mount = mounts().find(({ device, place }) => isInside(place, path) && !isInside(device, name))
  if (mount) throw hidden(mount.place, `What is mounted at ${mount.place}`)
  if (hasContent(path)) throw hidden(path, 'What is in the folder')
}

function hasContent(path: string): boolean {
  try {
    return readdirSync(path).length > 0
  } catch {
    return false
  }
}
