// The content of a vendor's folder in packing order: plain files, folders, and links that stay inside. Links are never
// followed during the walk, so the folder of a link is a real one and its leading `..` can be resolved.
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { PackageError } from './failure.ts'

export interface PayloadEntry {
  /** Relative to the folder, with slashes. */
  name: string
  type: 'file' | 'directory' | 'symlink'
  mode: number
  size: number
  linkname?: string
}

/**
 * Every entry of `folder`, sorted by the bytes of its name, so that the same folder gives the same archive everywhere.
 */
export function listPayload(folder: string): PayloadEntry[] {
  const entries: PayloadEntry[] = []
  const walk = (parent: string) => {
    for (const name of readdirSync(join(folder, parent))) entries.push(...visit(parent ? `${parent}/${name}` : name))
  }
  const visit = (name: string): PayloadEntry[] => {
    const path = join(folder, name)
    const info = lstatSync(path)
    // The appliance unpacks without set-user-id and similar bits; only these are promised.
    const entry = { name, mode: info.mode & 0o777, size: 0 }
    if (info.isFile()) return [{ ...entry, type: 'file', size: info.size }]
    if (info.isSymbolicLink()) return [{ ...entry, type: 'symlink', linkname: checkedLink(path, name) }]
    if (!info.isDirectory()) throw new PackageError(`${path}: neither a file, a folder nor a link`)
    walk(name)
    return [{ ...entry, type: 'directory' }]
  }
  walk('')
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

function checkedLink(path: string, name: string): string {
  const target = readlinkSync(path)
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const up = parts.findIndex((part) => part !== '..')
  const climbs = up < 0 ? parts.length : up
  // A `..` after a name could climb out of the target of a second link.
  const bent = parts.slice(climbs).includes('..')
  if (isAbsolute(target) || bent || climbs > name.split('/').length - 1) {
    throw new PackageError(`${path}: a link that leaves the folder`)
  }
  return target
}
