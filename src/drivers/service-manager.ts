// Whether services are running, asked from systemd, OpenRC or init scripts. Each query is a program that may hang, so
// concurrent callers share one query per service, and only a few run at a time.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toolMessage } from './programs.ts'
import { CommandError, type Run } from './run.ts'

/** The query itself failed: the state of the services is unknown. */
export class ServicesUnknown extends Error {
  /** The message of the program that failed. */
  readonly why: string

  constructor(why: string, cause: unknown) {
    super(`the services cannot be asked as root: ${why}`, { cause })
    this.why = why
  }
}

export interface ServiceManager {
  /** The caller has to check `name`: it becomes an argument, or the name of an init script. */
  isRunning: (name: string) => Promise<boolean>
}

export const SYSTEMCTL = '/usr/bin/systemctl'
export const RC_SERVICE = '/sbin/rc-service'

const AT_ONCE = 8
const SECONDS = 5
/** `status` may exit with any of them. */
const ANY = Array.from({ length: 256 }, (_, status) => status)

/**
 * `auto` uses a service's init script if there is one, else systemd if it is the manager, else OpenRC. `asRoot`: the
 * start of a command line that queries the init scripts of the following names as root (scripts/services.sh), for a
 * server that is not root; `isRunning` then rejects with ServicesUnknown if they cannot be queried, and `warn` gets the
 * reason, once.
 */
export function serviceManager(
  kind: 'auto' | 'systemd' | 'openrc' | 'init',
  initFolder: string,
  run: Run,
  asRoot?: [string, ...string[]],
  warn: (text: string) => void = () => {},
): ServiceManager {
  const inTurn = turns(AT_ONCE)
  const ask = async (program: string, args: string[]): Promise<string> => {
    try {
      const { stdout } = await inTurn(() => run(program, args, { timeout: SECONDS * 1000, accept: ANY, foreign: true }))
      return stdout
    } catch {
      return ''
    }
  }
  const bySystemd = async (name: string) => (await ask(SYSTEMCTL, ['is-active', '--', name])).trim() === 'active'
  const byOpenrc = async (name: string) => (await ask(RC_SERVICE, [name, 'status'])).includes('started')
  const byScript = async (name: string) =>
    /\bis running\b|\bonline\b/.test(await ask(join(initFolder, name), ['status']))
  const byInit = asRoot ? together(rootAsker(run, asRoot, warn)) : byScript
  const auto = (name: string) => {
    if (existsSync(join(initFolder, name))) return byInit(name)
    return existsSync('/run/systemd/system') ? bySystemd(name) : byOpenrc(name)
  }
  return { isRunning: shared({ auto, systemd: bySystemd, openrc: byOpenrc, init: byInit }[kind]) }
}

function rootAsker(run: Run, [program, ...args]: [string, ...string[]], warn: (text: string) => void) {
  let told: string | undefined
  return async (names: string[]): Promise<string[]> => {
    // That script also runs eight at a time and has its own limits: this one is for what they cannot end.
    const seconds = (Math.ceil(names.length / AT_ONCE) + 1) * (SECONDS + 2)
    try {
      const { stdout } = await run(program, [...args, ...names], { timeout: seconds * 1000 })
      told = undefined
      return stdout.split('\n')
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      // Pages query repeatedly.
      const unknown = new ServicesUnknown(toolMessage(error) || error.message, error)
      if (unknown.message !== told) warn(unknown.message)
      told = unknown.message
      throw unknown
    }
  }
}

/** Concurrent callers share one query. */
function shared(ask: (name: string) => Promise<boolean>): (name: string) => Promise<boolean> {
  const asked = new Map<string, Promise<boolean>>()
  return (name) => {
    const known = asked.get(name) ?? ask(name).finally(() => asked.delete(name))
    asked.set(name, known)
    return known
  }
}

/**
 * Names that are asked for in the same turn of the event loop become one query; its result is the set of those that are
 * running.
 */
function together(ask: (names: string[]) => Promise<string[]>): (name: string) => Promise<boolean> {
  let names: string[] = []
  let answer: Promise<string[]> | undefined
  return async (name) => {
    names.push(name)
    answer ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      const all = names
      names = []
      answer = undefined
      return ask(all)
    })
    return (await answer).includes(name)
  }
}

/** At most so many at once; the others wait in order. */
function turns(free: number): <T>(act: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let left = free
  return async (act) => {
    if (left > 0) left--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await act()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else left++
    }
  }
}
