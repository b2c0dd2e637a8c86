// The storage programs, as an operator uses them behind the API's back: for pools, holds and clones that a test needs
// to begin with. On the fakes they are a folder's, never this machine's.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { World } from './storage-world.ts'

/** As udev makes them fail, which looks at every disk that was just given back, and at every volume that is new. */
const PASSING =
  /busy|no such pool or dataset|unavailable|same device|failed to rescan|cannot label|missing link|No such /

/** Runs one of them; its output, or an error with what it said. On real disks, what udev stands in the way of is tried again. */
export function tool(world: World, name: string, ...args: string[]): string {
  const program = world.fakes ? join(world.fakes.programs, name) : name
  for (let tries = world.fakes ? 1 : 20; ; tries--) {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 })
    if (status === 0) return stdout
    const error = `${name} ${args.join(' ')}: ${stdout}${stderr}`
    if (tries <= 1 || !PASSING.test(stderr)) throw new Error(error)
    console.error(`tried again: ${error}`)
    spawnSync('udevadm', ['settle'], { timeout: 30_000 })
    spawnSync('sleep', ['1'])
  }
}

/** A pool of one disk, mounted out of the way. */
export const makePool = (world: World, name = 'tank'): string =>
  createPool(world, '-O', `mountpoint=/mnt/${name}`, name)

/** `zpool create -f OPTION... NAME` of one disk. */
export const createPool = (world: World, ...words: string[]): string =>
  tool(world, 'zpool', 'create', '-f', ...words, ...world.disks(1))

/** What `zfs` knows by now: every dataset and snapshot with its own properties. Equal texts are an untouched system. */
export const everything = (world: World) =>
  tool(world, 'zfs', 'list', '-Hp', '-t', 'all', '-o', 'name,type,guid,userrefs') +
  tool(world, 'zfs', 'get', '-Hp', '-s', 'local', '-t', 'filesystem,volume', '-o', 'name,property,value', 'all')

/** Empties a pool: no holds, no snapshots, no datasets. */
export function clearPool(world: World, pool = 'tank'): void {
  world.fakes?.faults()
  const lines = tool(world, 'zfs', 'list', '-Hp', '-t', 'all', '-r', '-o', 'name,userrefs', pool).split('\n')
  for (const line of lines.filter(Boolean)) {
    const [name = '', holds] = line.split('\t')
    if (!/^[1-9]/.test(holds ?? '')) continue
    for (const held of tool(world, 'zfs', 'holds', '-H', name).split('\n').filter(Boolean))
      tool(world, 'zfs', 'release', held.split('\t')[1] ?? '', name)
  }
  for (const name of lines.map((line) => line.split('\t')[0] ?? ''))
    if (name.startsWith(`${pool}@`) || /^[^/@]+\/[^/@]+$/.test(name)) {
      // One that hung on another may be gone already.
      const left = tool(world, 'zfs', 'list', '-H', '-t', 'all', '-o', 'name').split('\n')
      if (left.includes(name)) tool(world, 'zfs', 'destroy', '-R', name)
    }
}

/** Keeps a mounted filesystem in use; the function given back ends that. */
export async function occupy(world: World, name: string): Promise<() => Promise<void>> {
  if (world.fakes) {
    const { change } = world.fakes
    const set = (busy: boolean) =>
      change((model) => {
        model.datasets[name]!['busy'] = busy
      })
    set(true)
    return async () => set(false)
  }
  const cwd = tool(world, 'zfs', 'get', '-H', '-o', 'value', 'mountpoint', name).trim()
  const child = spawn('sleep', ['600'], { cwd, stdio: 'ignore' })
  await new Promise((resolve, reject) => child.once('spawn', () => resolve(undefined)).once('error', reject))
  return () =>
    new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
}

/** Accounts of the system, for owners and lists: the users alice and bob, the groups staff and guests. */
export function makeAccounts(world: World): void {
  const more = { full_name: '', home: '/nonexistent', shell: '/usr/sbin/nologin' }
  const group = (gid: number) => ({ gid, members: [] })
  world.fakes?.change((model) => {
    model['accounts'] = {
      users: {
        root: { uid: 0, gid: 0, ...more },
        alice: { uid: 1001, gid: 100, ...more },
        bob: { uid: 1002, gid: 100, ...more },
      },
      groups: { root: group(0), staff: group(2001), guests: group(2002) },
      ...{ samba: {}, policy: 5 },
    }
  })
}
