// What the kernel and udev say about block devices in /dev and /sys: their other names, the slot that a disk is in, and
// the devices that are exported over the network. `root` replaces `/` in tests.
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'

export interface Link {
  /** by-id, by-path, by-vdev …; `mapper` for /dev/mapper. */
  folder: string
  name: string
}

export interface Slot {
  /** The kernel's name of the enclosure: `0:0:8:0`. */
  enclosure: string
  /** `Slot 03` */
  name: string
  /** The folder of the slot in /sys. */
  folder: string
}

export type Devices = ReturnType<typeof createDevices>

/** Names in one folder that are read; a machine has some hundred. */
const MOST = 20_000

export function createDevices(root = '/') {
  const at = (...parts: string[]) => join(root, ...parts)
  return {
    /** Every link that udev made, by the kernel's name of its device. */
    async links(): Promise<Map<string, Link[]>> {
      const found = new Map<string, Link[]>()
      const folders = [...(await namesIn(at('dev/disk'))).map((name) => [name, at('dev/disk', name)] as const)]
      for (const [folder, path] of [...folders, ['mapper', at('dev/mapper')] as const])
        for (const name of await namesIn(path)) {
          const target = await readlink(join(path, name)).catch(() => undefined)
          if (target === undefined) continue
          const kernel = basename(target)
          found.set(kernel, [...(found.get(kernel) ?? []), { folder, name }])
        }
      return found
    },

    /** The slot of an enclosure (SES) that the disk is in, where the kernel knows it. */
    async slot(kernel: string): Promise<Slot | undefined> {
      const device = at('sys/block', kernel, 'device')
      const link = (await namesIn(device)).find((name) => name.startsWith('enclosure_device:'))
      const target = link && (await readlink(join(device, link)).catch(() => undefined))
      if (!link || !target) return undefined
      const parts = target.split('/')
      const [enclosure = '', name = ''] = parts.slice(-2)
      if (!isWord(enclosure) || !isWord(name)) return undefined
      return { enclosure, name, folder: at('sys/class/enclosure', enclosure, name) }
    },

    /** The devices that LIO and the NVMe target serve, as they were named to them. */
    async exported(): Promise<string[]> {
      const core = at('sys/kernel/config/target/core')
      const stores = (await namesIn(core)).filter((name) => /^(?:iblock|pscsi|fileio)_[0-9]+$/.test(name))
      const paths: string[] = []
      for (const store of stores)
        for (const name of await namesIn(join(core, store)))
          paths.push(await textIn(join(core, store, name, 'udev_path')))
      const subsystems = at('sys/kernel/config/nvmet/subsystems')
      for (const subsystem of await namesIn(subsystems))
        for (const name of await namesIn(join(subsystems, subsystem, 'namespaces')))
          paths.push(await textIn(join(subsystems, subsystem, 'namespaces', name, 'device_path')))
      return paths.filter((path) => path.startsWith('/'))
    },
  }
}

/** A name of sysfs: no step to another folder. */
const isWord = (name: string) => name !== '' && name !== '.' && name !== '..' && !name.includes('/')

/** Sorted; empty where there is no such folder, or it cannot be read. */
const namesIn = async (folder: string) => (await readdir(folder).catch(() => [])).sort().slice(0, MOST)

const textIn = async (file: string) => (await readFile(file, 'utf8').catch(() => '')).trim()
