// Kernel locks: whether a script holds one, which tells reliably whether a task is running, and locks of this process.
// /proc/locks hides locks of other pid namespaces (containers), so it only proves that a lock is held; otherwise
// flock(1) decides.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { ApiError } from '../errors.ts'
import { SYSTEM_PATH } from '../folders.ts'
import { filesMayHaveChanged } from './cached-file.ts'

/** Who locks for us: without it nothing can be told, and nothing be done. */
const MISSING = 'the program flock is missing: util-linux and BusyBox have one'
export class FlockMissing extends Error {}
const isMissing = (error: Error | undefined) => error !== undefined && 'code' in error && error.code === 'ENOENT'

/** Whether somebody holds a flock on `file`; undefined when that cannot be told. 10 µs when so, a process of 1.5 ms when not. */
export function isHeld(file: string): boolean | undefined {
  const known = seenHeld(file)
  return known ?? answered(spawnSync('flock', tryIt(file), LOOK).status)
}

/** The same, while the event loop goes on. */
export async function isHeldLater(file: string): Promise<boolean | undefined> {
  const known = seenHeld(file)
  if (known !== undefined) return known
  const child = spawn('flock', tryIt(file), LOOK)
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('exit', resolve)
  })
  return answered(status)
}

const LOOK = { stdio: 'ignore', timeout: 5000, env: { PATH: SYSTEM_PATH } } as const
const tryIt = (file: string) => ['-n', '-s', file, 'true']
const answered = (status: number | null) => (status === 1 ? true : status === 0 ? false : undefined)

/** What can be told without another process. */
function seenHeld(file: string): boolean | undefined {
  const info = statSync(file, { throwIfNoEntry: false })
  if (!info) return false
  return inProcLocks(info.ino, info.dev) || undefined
}

/**
 * Runs `act` while nobody else who asks for this folder's lock does, in any process; throws when it is not ours within five seconds. Kept by
 * the kernel on our open file, so it ends with us, however we end. For steps of milliseconds: this process stands still meanwhile.
 */
export function exclusively<T>(folder: string, act: () => T): T {
  const fd = openSync(folder, 'r')
  try {
    const stdio = ['ignore', 'ignore', 'ignore', fd] as const
    const { status, error } = spawnSync('flock', ['-x', '3'], {
      stdio: [...stdio],
      timeout: 5000,
      env: { PATH: SYSTEM_PATH },
    })
    if (isMissing(error)) throw new FlockMissing(MISSING, { cause: error })
    if (status !== 0)
      throw new ApiError('unavailable', 'Another program is changing this. Try again', { retryAfter: 5 })
    // By the process that had the lock until now: what was read before is not what is to be changed.
    filesMayHaveChanged()
    return act()
  } finally {
    closeSync(fd)
  }
}

/**
 * Takes the lock of a folder for as long as this process lives; false when another process has it. The kernel keeps it on our open file,
 * which no program that we start inherits: a task that outlives us does not keep it.
 */
export function hold(folder: string): boolean {
  const fd = openSync(folder, 'r')
  const stdio = ['ignore', 'ignore', 'ignore', fd] as const
  const { status, error } = spawnSync('flock', ['-n', '-x', '3'], {
    stdio: [...stdio],
    timeout: 5000,
    env: { PATH: SYSTEM_PATH },
  })
  if (status === 0) return true
  closeSync(fd)
  if (status === 1) return false
  if (isMissing(error)) throw new FlockMissing(`${folder} cannot be locked: ${MISSING}`, { cause: error })
  throw new Error(`${folder} cannot be locked: flock failed`, { cause: error })
}

function inProcLocks(inode: number, device: number): boolean {
  let text: string
  try {
    text = readFileSync('/proc/locks', 'latin1')
  } catch {
    return false
  }
  // `1: FLOCK  ADVISORY  WRITE 5774 fe:00:2146373 0 EOF`; the device is major:minor in hexadecimal (proc(5)).
  const hex = (n: number) => n.toString(16).padStart(2, '0')
  const major = ((device >>> 8) & 0xfff) | (Math.floor(device / 2 ** 32) & ~0xfff)
  const minor = (device & 0xff) | (Math.floor(device / 2 ** 12) & 0xfff00)
  return (
    text.includes(` ${hex(major)}:${hex(minor)}:${inode} `) &&
    text.split('\n').some((line) => /^\d+: FLOCK/.test(line) && line.includes(`:${inode} `))
  )
}
