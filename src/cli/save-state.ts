// What a command changed is saved where the image runs from memory. The trap: only root may start the image's tool, and the command has stepped
// down to the server's user by then; its real user is still root.
import { runsFromMemory, saveNow } from '../features/memory-image.ts'
import type { Folders } from '../folders.ts'
import { type Io, say } from './command.ts'

/** Says on standard error what could not be saved: the change is in force all the same. `what`: `the token`. */
export async function saveState({ root }: Folders, what: string, { env, stderr }: Io): Promise<void> {
  const prefix = env['EDGE_NETROOT']
  if (!runsFromMemory(prefix)) return
  const lost = (why: string) => say(stderr, `${what} is in force, and is lost at the next boot: ${why}`)
  if (process.getuid?.() !== 0) {
    lost('only root can save it on the disk of this image; call the command as root')
    return
  }
  process.seteuid?.(0)
  process.setegid?.(0)
  const failure = await saveNow(root, prefix)
  if (failure !== undefined) lost(failure)
}
