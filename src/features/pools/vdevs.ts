// What a new pool is to be made of: ZFS's words and devices, checked as zpoolconcepts(7) reads them before any program is started. The trap:
// zpool reads options behind its operands too, so a word that begins with `-` must never get through.
import { lstatSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import * as z from 'zod'
import type { Lsblk } from '../../drivers/lsblk.ts'
import { invalid } from '../../http/errors.ts'

const MOST = 512
/** Characters that udev writes into its links; any other is `\x20` there. */
const LINK = '(?!\\.{1,2}(?:/|$))(?:[A-Za-z0-9_.:+=@,#~%-]|\\\\x[0-9a-f]{2})+'
const DEVICE = new RegExp(`^/dev/(?:${LINK}/){0,4}${LINK}$`)
const FILE = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const GROUP = /^(?:mirror|raidz[123]?)$/
const SECTIONS = ['log', 'cache', 'spare', 'special', 'dedup']

export const VdevWords = z
  .array(z.string().max(255))
  .min(1, 'A pool needs at least one device')
  .max(MOST, `More than ${MOST} words`)
  .meta({ example: ['mirror', '/dev/sdb', '/dev/sdc'] })

const wrong = (at: number, message: string) => invalid(message, { details: { field: `vdevs.${at}` } })

/** How many devices a group has at least. */
const least = (group: string) => (group === 'mirror' ? 2 : Number(group.slice(5) || 1) + 1)

/** Throws the 400 that names the first wrong word; gives back the devices. `folder`: where files may be vdevs. */
export function readVdevs(words: readonly string[], folder: string | undefined): string[] {
  const devices = new Map<string, number>()
  const seen = new Set<string>()
  let section = 'data'
  let open: { group: string; at: number; members: number } | undefined
  /** Devices since the last word for a section; the first section needs one as well, even where no word says so. */
  let inSection = 0
  let data = 0
  const close = () => {
    if (open && open.members < least(open.group))
      throw wrong(open.at, `${open.group} needs at least ${least(open.group)} devices`)
    open = undefined
  }
  words.forEach((word, at) => {
    if (SECTIONS.includes(word)) {
      close()
      if (seen.has(word)) throw wrong(at, `${word} can be there only once`)
      if (section !== 'data' && inSection === 0) throw wrong(at, `${section} needs at least one device`)
      seen.add(word)
      section = word
      inSection = 0
    } else if (GROUP.test(word)) {
      close()
      if (section === 'cache' || section === 'spare') throw wrong(at, `${section} takes devices only, no ${word}`)
      open = { group: word, at, members: 0 }
    } else {
      if (!isDevice(word) && !isFile(word, folder))
        throw wrong(at, 'Not an absolute path of a device, and no word of a vdev specification')
      if (devices.has(word)) throw wrong(at, 'This device is there twice')
      devices.set(word, at)
      inSection++
      if (open) open.members++
      if (section === 'data') data++
    }
  })
  close()
  if (section !== 'data' && inSection === 0) throw wrong(words.length - 1, `${section} needs at least one device`)
  if (data === 0) throw wrong(0, 'A pool needs at least one device for its data')
  return [...devices.keys()]
}

const isDevice = (word: string) => DEVICE.test(word)
const isFile = (word: string, folder: string | undefined) =>
  folder !== undefined &&
  dirname(word) === folder &&
  FILE.test(basename(word)) &&
  word === `${folder}/${basename(word)}`

/** Throws the 400 that names a device which is not there. */
export async function checkDevices(words: readonly string[], devices: string[], lsblk: Lsblk): Promise<void> {
  const missing =
    devices.find((path) => !isDevice(path) && !lstatSync(path, { throwIfNoEntry: false })?.isFile()) ??
    (await lsblk.firstMissing(devices.filter(isDevice)))
  if (missing !== undefined) throw wrong(words.indexOf(missing), 'There is no such block device')
}
