// Whether a service runs: asked from systemd, OpenRC or an init script, whichever the appliance has. The trap: each question is a program, which may
// hang; however many ask at once, a service is asked once, and only a few services at a time.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toolMessage } from './programs.ts'
import { CommandError, type Run } from './run.ts'

/** The question itself failed: nobody knows which services run. */
export class ServicesUnknown extends Error {
  /** What the program that was to ask them said. */
  readonly why: string

  constructor(why: string, cause: unknown) {
    super(`the services cannot be asked as root: ${why}`, { cause })
    this.why = why
  }
}

export interface ServiceManager {
  /** `name` must be checked by the caller: it becomes an argument, or the name of an init script. */
  isRunning: (name: string) => Promise<boolean>
}

export const SYSTEMCTL = '/usr/bin/systemctl'
export const RC_SERVICE = '/sbin/rc-service'

const AT_ONCE = 8
const SECONDS = 5
/** `status` says what it has to say with any of them. */
const ANY = Array.from({ length: 256 }, (_, status) => status)

/**
 * `auto` takes a service's init script when there is one, else systemd when it is the manager, else OpenRC. `asRoot`: the beginning of the command
 * line that asks the init scripts of the names behind it as root (scripts/services.sh), where this process is somebody else; then `isRunning` rejects
 * with ServicesUnknown where they cannot be asked, and `warn` hears why, once.
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
    // It goes by eights as well, and has its own limits: this is for what they cannot end.
    const seconds = (Math.ceil(names.length / AT_ONCE) + 1) * (SECONDS + 2)
    try {
      const { stdout } = await run(program, [...args, ...names], { timeout: seconds * 1000 })
      told = undefined
      return stdout.split('\n')
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      // Pages ask again and again.
      const unknown = new ServicesUnknown(toolMessage(error) || error.message, error)
      if (unknown.message !== told) warn(unknown.message)
      told = unknown.message
      throw unknown
    }
  }
}

/** Whoever asks for what is being asked already hears the same. */
function shared(ask: (name: string) => Promise<boolean>): (name: string) => Promise<boolean> {
  const asked = new Map<string, Promise<boolean>>()
  return (name) => {
    const known = asked.get(name) ?? ask(name).finally(() => asked.delete(name))
    asked.set(name, known)
    return known
  }
}

/** Names that are asked for in one turn of the event loop become one question, answered with those of which it is true. */
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

/** At most so many at once; the others wait, in the order they came. */
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
