// Handles the start of a server after an export to the original's form was killed. It has to be undone first: if the
// server changed these files, a later export would restore the old ones over them.
import { lstatSync } from 'node:fs'
import { errno } from '../errors.ts'
import { exportStage, type Folders } from '../folders.ts'
import { Failure } from './command.ts'

/**
 * Undoes the export if run as root; otherwise throws a message that says who can. Returns whether there was one. Needs
 * the server's lock.
 */
export async function endInterruptedExport(folders: Folders): Promise<boolean> {
  if (!lstatSync(exportStage(folders), { throwIfNoEntry: false })) return false
  const { root, sysconf, state } = folders
  const mend = `run as root: edge-admin export-original --undo --root ${root} --sysconfdir ${sysconf} --statedir ${state}`
  if (process.geteuid?.() !== 0)
    throw new Failure(`an export-original was interrupted, and only root can put back what it had done; ${mend}`)
  // Loaded only here, because it is hardly ever needed.
  const { putBackHalf } = await import('../features/original/export.ts')
  try {
    return putBackHalf(folders)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (errno(error) === undefined) throw new Failure(why, { cause: error })
    throw new Failure(`what an export-original that was interrupted had done cannot be put back: ${why}; ${mend}`, {
      cause: error,
    })
  }
}
