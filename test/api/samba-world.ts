// Samba's real `net` and `testparm` under a world of fakes, where this machine has them. They are given a configuration
// of the world's own, with every folder in it; the machine's own registry is never opened.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot } from './appliance.ts'
import type { World } from './storage-world.ts'

/** Only root may open a registry. */
export const HAS_SAMBA_TOOLS = isRoot && ['net', 'testparm'].every((name) => existsSync(`/usr/bin/${name}`))

const FOLDERS = ['private dir', 'lock directory', 'state directory', 'cache directory', 'pid directory', 'ncalrpc dir']

/** From now on `net` and `testparm` of the world are the real ones. */
export function useRealSamba({ fakes }: World, include = 'include = registry'): void {
  if (!fakes) return
  // Short names: Samba's sockets lie in them, and the kernel takes no path of more than 107 bytes for a socket.
  const folders = FOLDERS.map((name, i) => [name, join(fakes.folder, 'samba', String(i))] as const)
  for (const [, folder] of folders) mkdirSync(folder, { recursive: true })
  const lines = folders.map(([name, folder]) => `\t${name} = ${folder}\n`)
  writeFileSync(join(fakes.folder, 'smb.conf'), `[global]\n${lines.join('')}\t${include}\n`)
}
