// Another process that holds the lock of a folder, as a command that was suspended does.
import { spawn } from 'node:child_process'

/** Resolves once it has the lock, to what ends it. */
export async function lockHeld(folder: string): Promise<() => Promise<void>> {
  const other = spawn('flock', ['-x', folder, 'sh', '-c', 'echo held; read line'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => other.once('close', () => resolve()))
  await new Promise((resolve) => other.stdout.once('data', resolve))
  return () => {
    other.stdin.end('\n')
    return ended
  }
}
