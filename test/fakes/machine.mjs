// /dev/disk, /sys/block and /sys/class/enclosure of a fake world, laid from the model: links to the disks, and the slots
// of one enclosure with their LED.
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const ENCLOSURE = '6:0:12:0'

function link(target, path) {
  try {
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (readlinkSync(path) === target) return
    rmSync(path, { force: true })
    symlinkSync(target, path)
  }
}

function laySlot(root, name, slot) {
  const folder = join(root, 'sys/class/enclosure', ENCLOSURE, slot)
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'locate'))) writeFileSync(join(folder, 'locate'), '0\n')
  link(
    `../../../class/enclosure/${ENCLOSURE}/${slot}`,
    join(root, 'sys/block', name, 'device', `enclosure_device:${slot}`),
  )
}

/** Everything that the model has, and nothing else of what was laid before. */
export function layMachine(world, disks) {
  const root = join(world, 'root')
  const wanted = new Set()
  for (const [path, { links = [], slot }] of Object.entries(disks)) {
    for (const name of links) {
      wanted.add(name)
      link(`../../${basename(path)}`, join(root, name))
    }
    if (slot) laySlot(root, basename(path), slot)
  }
  const folder = join(root, 'dev/disk')
  for (const kind of existsSync(folder) ? readdirSync(folder) : [])
    for (const name of readdirSync(join(folder, kind)))
      if (!wanted.has(`/dev/disk/${kind}/${name}`)) rmSync(join(folder, kind, name), { force: true })
}
