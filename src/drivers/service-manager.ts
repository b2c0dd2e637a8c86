// Whether a service runs: asked from systemd, OpenRC or an init script, whichever the appliance has.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from './run.ts'

export interface ServiceManager {
  /** `name` must be checked by the caller: it becomes an argument, or the name of an init script. */
  isRunning: (name: string) => Promise<boolean>
}

export const SYSTEMCTL = '/usr/bin/systemctl'
export const RC_SERVICE = '/sbin/rc-service'

/** `auto` takes a service's init script when there is one, else systemd when it is the manager, else OpenRC. */
export function serviceManager(
  kind: 'auto' | 'systemd' | 'openrc' | 'init',
  initFolder: string,
  run: Run,
): ServiceManager {
  const ask = async (program: string, args: string[]): Promise<string> => {
    try {
      // A service that does not run is an answer: `status` says so with its exit status.
      const { stdout } = await run(program, args, { timeout: 5000, maxBytes: 65_536, accept: [1, 2, 3, 4, 8, 16, 32] })
      return stdout
    } catch {
      return ''
    }
  }
  const bySystemd = async (name: string) => (await ask(SYSTEMCTL, ['is-active', '--', name])).trim() === 'active'
  const byOpenrc = async (name: string) => (await ask(RC_SERVICE, [name, 'status'])).includes('started')
  const byInit = async (name: string) => /\bis running\b|\bonline\b/.test(await ask(join(initFolder, name), ['status']))
  const auto = (name: string) => {
    if (existsSync(join(initFolder, name))) return byInit(name)
    return existsSync('/run/systemd/system') ? bySystemd(name) : byOpenrc(name)
  }
  return { isRunning: { auto, systemd: bySystemd, openrc: byOpenrc, init: byInit }[kind] }
}
