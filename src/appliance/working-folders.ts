// The folders that requests need, and leftovers of an earlier server in them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Folders, uploads } from '../folders.ts'
import { ensureFolder } from '../store/ensure-folder.ts'

/** Folders for files while they arrive, by destination. */
export type Incoming = Record<'uploads' | 'task', string>

export function makeWorkingFolders(folders: Folders): Incoming {
  const incoming = { uploads: join(folders.root, 'tmp/incoming'), task: join(folders.state, 'incoming') }
  for (const folder of [uploads(folders), join(folders.root, 'log'), folders.state, ...Object.values(incoming)])
    ensureFolder(folder)
  return incoming
}

/** Uploads that were cut off. Only the server that has the port may remove them: another one may be receiving them. */
export const cutOffUploads = (incoming: Incoming): string[] =>
  Object.values(incoming).flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
