// What a new pool is to be made of: ZFS's words and devices, checked as zpoolconcepts(7) reads them before any program is started. The trap:
// zpool reads options behind its operands too, so a word that begins with `-` must never get through.
import { lstatSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import * as z from 'zod'
import type { Lsblk } from '../../drivers/lsblk.ts'
import { type FieldError, invalidFields } from '../../field-errors.ts'
import { didYouMean } from '../../nearest.ts'

const MOST = 512
/** Characters that udev writes into its links; any other is `\x20` there. */
const LINK = '(?!\\.{1,2}(?:/|$))(?:[A-Za-z0-9_.:+=@,#~%-]|\\\\x[0-9a-f]{2})+'
const DEVICE = new RegExp(`^/dev/(?:${LINK}/){0,4}${LINK}$`)
const FILE = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const GROUP = /^(?:mirror|raidz[123]?|draid[123]?(?::[0-9]{1,3}[dcs]){0,3})$/
const SECTIONS = ['log', 'cache', 'spare', 'special', 'dedup']

const wordsOf = (added?: 'added') =>
  z
    .array(z.string().max(255))
    .min(1, added ? 'At least one device is needed' : 'A pool needs at least one device')
    .max(MOST, `More than ${MOST} words`)
    // Which folder may hold files is not known here; whether it is this one is asked later.
    .superRefine((words, context) => {
      if (words.length === 0 || words.length > MOST) return
      for (const { field, message } of readVdevs(words, (word) => isFileIn(dirname(word))(word), added).errors)
        context.addIssue({ code: 'custom', path: [Number(field.slice(6))], message })
    })
    .meta({ example: ['mirror', '/dev/sdb', '/dev/sdc'] })
export const VdevWords = wordsOf()
/** For a pool that exists: a log alone is enough. */
export const AddedWords = wordsOf('added')
/** What zpool may be told to accept, in so many words. */
export const Allowed = z.array(z.enum(['layout-mismatch'])).max(1)
export type Allowed = z.infer<typeof Allowed>

const fieldOf = (at: number) => `vdevs.${at}`

/** How many devices a group has at least. */
const least = (group: string) =>
  group === 'mirror' ? 2 : Number(/[0-9]?$/.exec(group.split(':', 1)[0] ?? '')?.[0] || 1) + 1

/** The devices, and each word that is wrong. `isFile`: which other paths may be vdevs; `added`: to a pool that has data. */
export function readVdevs(words: readonly string[], isFile: (path: string) => boolean, added?: 'added'): Vdevs {
  const wrongs = new Map<number, string>()
  // One thing of each word: what comes behind follows from it.
  const wrong = (at: number, message: string) => {
    if (!wrongs.has(at)) wrongs.set(at, message)
  }
  const devices = new Map<string, number>()
  const seen = new Set<string>()
  let section = 'data'
  let open: { group: string; at: number; members: number } | undefined
  /** Devices since the last word for a section; the first section needs one as well, even where no word says so. */
  let inSection = 0
  let data = 0
  const close = () => {
    if (open && open.members < least(open.group))
      wrong(open.at, `${open.group} needs at least ${least(open.group)} devices, found ${open.members}`)
    open = undefined
  }
  words.forEach((word, at) => {
    if (SECTIONS.includes(word)) {
      close()
      if (seen.has(word)) wrong(at, `${word} can be there only once`)
      if (section !== 'data' && inSection === 0) wrong(at, `${section} needs at least one device`)
      seen.add(word)
      section = word
      inSection = 0
    } else if (GROUP.test(word)) {
      close()
      if (section === 'cache' || section === 'spare') wrong(at, `${section} takes devices only, no ${word}`)
      else open = { group: word, at, members: 0 }
    } else {
      if (!isDevice(word) && !isFile(word)) wrong(at, notADevice(word))
      else if (devices.has(word)) wrong(at, 'This device is there twice')
      else devices.set(word, at)
      // One that is wrong was meant as a device all the same.
      inSection++
      if (open) open.members++
      if (section === 'data') data++
    }
  })
  close()
  if (section !== 'data' && inSection === 0) wrong(words.length - 1, `${section} needs at least one device`)
  if (data === 0 && !added) wrong(0, 'A pool needs at least one device for its data')
  const errors = [...wrongs].sort(([a], [b]) => a - b).map(([at, message]) => ({ field: fieldOf(at), message }))
  return { devices: [...devices.keys()], errors }
}

export interface Vdevs {
  devices: string[]
  errors: FieldError[]
}

const KNOWN = ['mirror', 'raidz', 'raidz1', 'raidz2', 'raidz3', 'draid', ...SECTIONS]
const notADevice = (word: string) =>
  `Not an absolute path of a device, and no word of a vdev specification${didYouMean(word, KNOWN)}`

const isDevice = (word: string) => DEVICE.test(word)
/** `folder`: where files may be vdevs. */
export const isFileIn = (folder: string | undefined) => (word: string) =>
  folder !== undefined &&
  dirname(word) === folder &&
  FILE.test(basename(word)) &&
  word === `${folder}/${basename(word)}`

/** Throws the 400 that names each device which is not there. */
export async function checkDevices(words: readonly string[], devices: string[], lsblk: Lsblk): Promise<void> {
  const files = devices.filter((path) => !isDevice(path) && !lstatSync(path, { throwIfNoEntry: false })?.isFile())
  const missing = new Set([...files, ...(await lsblk.missing(devices.filter(isDevice)))])
  const errors = words.flatMap((word, at) =>
    missing.has(word) ? [{ field: fieldOf(at), message: 'There is no such block device' }] : [],
  )
  if (errors.length > 0) throw invalidFields(errors)
}
