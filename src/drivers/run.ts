// The one function that starts programs: an argv array, an absolute program from the allow-list, a clean environment, a
// time limit, an output limit. Never a shell. A value from a user goes after `--`, or has to be checked for a leading
// dash first.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { SYSTEM_PATH } from '../folders.ts'
import { endAll } from './end-all.ts'

export interface RunOptions {
  /** Milliseconds; then the program gets SIGKILL. */
  timeout?: number
  /** Bytes of standard output that are kept; more output ends the program. */
  maxBytes?: number
  env?: Record<string, string>
  input?: string
  /** Ends the program and everything that it started. */
  signal?: AbortSignal
  /** Exit statuses that are results, not failures. */
  accept?: number[]
  /** Receives standard output in pieces; nothing of it is kept then. */
  onOutput?: (chunk: Buffer) => void
  /** For a vendor's script: processes that it started are ended with it, even outside its session. */
  foreign?: boolean
  /** It stays in our session, so that it is ended together with all of ours. */
  inSession?: boolean
}

export interface Output {
  stdout: string
  /** The last part of it. */
  stderr: string
  status: number
}

/** A program that could not start, was killed, or exited with an unexpected status. For the log, never for a client. */
export class CommandError extends Error {
  readonly argv: string[]
  readonly status: number | undefined
  readonly stderr: string
  readonly reason: 'missing' | 'start' | 'timeout' | 'output' | 'status' | 'signal' | 'not-allowed'

  constructor(argv: string[], reason: CommandError['reason'], stderr = '', status?: number) {
    super(`${argv[0]}: ${reason}${status === undefined ? '' : ` ${status}`}`)
    this.name = 'CommandError'
    this.argv = argv
    this.reason = reason
    this.stderr = stderr
    this.status = status
  }
}

/** Whether an absolute path is a program that this server may start. */
export type AllowList = (program: string) => boolean

/** Why a program is killed. */
type Cut = 'timeout' | 'output' | 'signal'

/** Milliseconds that a killed program may take to end. */
const LAST_WORDS = 2000

/** Makes the `run` of one server: `allowed` is fixed at the start, from the configuration and the folders. */
export function createRun(allowed: AllowList) {
  return function run(program: string, args: string[], options: RunOptions = {}): Promise<Output> {
    const argv = [program, ...args]
    if (!isAbsolute(program) || !allowed(program) || argv.some((part) => part.includes('\0'))) {
      return Promise.reject(new CommandError(argv, 'not-allowed'))
    }
    const mark = options.foreign ? randomBytes(8).toString('hex') : undefined
    return new Promise((resolve, reject) => {
      const start = () =>
        spawn(program, args, {
          cwd: '/',
          env: { PATH: SYSTEM_PATH, LC_ALL: 'C', ...options.env, ...(mark && { EDGE_RUN: mark }) },
          stdio: ['pipe', 'pipe', 'pipe'],
          shell: false,
          detached: !options.inSession,
        })
      let child: ReturnType<typeof start>
      try {
        child = start()
      } catch (error) {
        // More arguments than the kernel accepts, or out of memory: spawn throws instead of emitting an event.
        reject(new CommandError(argv.slice(0, 3), 'start', String(error)))
        return
      }
      const out: Buffer[] = []
      let size = 0
      let stderr = ''
      let cut: Cut | undefined
      let gone: NodeJS.Timeout | undefined
      // Even SIGKILL does not end a process that hangs in the kernel, or one that left the group and holds the pipes.
      const leave = (why: Cut) => {
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
        child.unref()
        reject(new CommandError(argv, why, stderr))
      }
      // The hanging process is usually a child.
      const end = (why: Cut) => {
        cut ??= why
        gone ??= setTimeout(leave, LAST_WORDS, cut)
        // The process ID may have been reused by now.
        const lives = child.exitCode === null && child.signalCode === null
        endAll(lives ? child.pid : undefined, mark && `EDGE_RUN=${mark}`)
        try {
          if (child.pid && !options.inSession) process.kill(-child.pid, 'SIGKILL')
        } catch {
          child.kill('SIGKILL')
        }
      }
      const timer = setTimeout(end, options.timeout ?? 10_000, 'timeout')
      const abort = () => end('signal')
      if (options.signal?.aborted) abort()
      options.signal?.addEventListener('abort', abort)
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > (options.maxBytes ?? 1 << 20)) end('output')
        else if (options.onOutput) options.onOutput(chunk)
        else out.push(chunk)
      })
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString('utf8')).slice(-4096)
      })
      child.stdin.on('error', () => {})
      child.stdin.end(options.input ?? '')
      child.on('error', () => {
        clearTimeout(timer)
        options.signal?.removeEventListener('abort', abort)
        reject(new CommandError(argv, 'missing', stderr))
      })
      const over = (status: number | null) => {
        clearTimeout(timer)
        clearTimeout(gone)
        options.signal?.removeEventListener('abort', abort)
        if (cut) reject(new CommandError(argv, cut, stderr))
        else if (status === null) reject(new CommandError(argv, 'signal', stderr))
        else if (status !== 0 && !options.accept?.includes(status))
          reject(new CommandError(argv, 'status', stderr, status))
        else resolve({ stdout: Buffer.concat(out).toString('utf8'), stderr, status })
      }
      child.on('close', over)
      // A service that it started may hold its output open for years. Waiting twice makes sure that all available
      // output is read, even if this process was busy for a long time.
      child.on('exit', (status) => {
        if (cut) return
        clearTimeout(timer)
        const giveUp = () => {
          for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
          over(status)
        }
        gone = setTimeout(() => {
          gone = setTimeout(giveUp, LAST_WORDS / 2)
        }, LAST_WORDS / 2)
      })
    })
  }
}
export type Run = ReturnType<typeof createRun>
