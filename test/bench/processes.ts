// Programs under measurement: pinned to a processor where `taskset` is there, their cost read from /proc. Stat counts
// in ticks of 10 ms; schedstat counts nanoseconds, thread by thread, so it is taken where the kernel has it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const pinnable = spawnSync('taskset', ['-c', '1', 'true']).status === 0

export const pinned = (cpu: number, argv: string[]): string[] =>
  pinnable ? ['taskset', '-c', String(cpu), ...argv] : argv

export const running = new Set<ChildProcess>()

export function start(cpu: number, argv: string[], environment: Record<string, string> = {}): ChildProcess {
  const [program = '', ...args] = pinned(cpu, argv)
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** Runs a program to its end; its standard output. Throws when it fails. */
export function run(cpu: number, argv: string[], input?: string): Promise<string> {
  const [program = '', ...args] = pinned(cpu, argv)
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'] })
    running.add(child)
    child.stdin?.end(input)
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      running.delete(child)
      if (code === 0) resolve(text)
      else reject(new Error(`${argv.join(' ').slice(0, 200)} ended with ${code}`))
    })
  })
}

/** Microseconds of processor time that a process has used. */
export function cpuTime(pid: number): number {
  try {
    return (
      readdirSync(`/proc/${pid}/task`).reduce(
        (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
        0,
      ) / 1000
    )
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  }
}

/** A line of /proc/PID/status in megabytes: VmRSS, VmHWM. */
export const memory = (pid: number, name: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

/** How many processors a process may use. */
export const coresOf = (pid: number): number =>
  (/^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0')
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)

/** Lets VmHWM begin again at what is used now. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')
