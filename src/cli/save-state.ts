// Saves what a command changed, where the image runs from memory. Only root may start the image's tool, and the command
// has switched to the server's user by then; its real user is still root.
import { runsFromMemory, saveNow } from '../features/memory-image.ts'
import type { Folders } from '../folders.ts'
import { type Io, say } from './command.ts'

const ENDING = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Returns the exit status of the command: 1 if the change, which is in force anyway, could not be saved; standard error
 * has the reason. `what`: for example `the token`.
 */
export async function saveState({ root }: Folders, what: string, { env, stderr }: Io): Promise<number> {
  const prefix = env['EDGE_NETROOT']
  if (!runsFromMemory(prefix)) return 0
  const lost = (why: string) => {
    say(stderr, `${what} is in force but not saved, and is lost at the next boot: ${why}`)
    return 1
  }
  if (process.getuid?.() !== 0) return lost('only root can save it on the disk of this image; call the command as root')
  process.seteuid?.(0)
  process.setegid?.(0)
  // The tool may hang, and runs in another session, so a signal to this command does not reach it: it is stopped here.
  const ended = new AbortController()
  const end = () => ended.abort()
  for (const name of ENDING) process.on(name, end)
  try {
    const failure = await saveNow({ root, prefix, signal: ended.signal })
    return failure === undefined ? 0 : lost(failure)
  } finally {
    for (const name of ENDING) process.off(name, end)
  }
}
