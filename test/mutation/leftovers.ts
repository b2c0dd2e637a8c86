// Ends what a run of tests has left behind.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const NUL = '\0'

/** Ends every process that was started with a path below `folder`, works there, or has it in its environment. Those of others are left alone. */
export function endProcessesOf(folder: string): void {
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    if (pid === process.pid || !belongs(pid, folder)) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
}

function belongs(pid: number, folder: string): boolean {
  const read = (what: () => string) => {
    try {
      return what()
    } catch {
      return ''
    }
  }
  const words = ['cmdline', 'environ'].flatMap((name) =>
    read(() => readFileSync(`/proc/${pid}/${name}`, 'utf8')).split(NUL),
  )
  return [...words, read(() => readlinkSync(`/proc/${pid}/cwd`))].some((word) => word.includes(`${folder}/`))
}
