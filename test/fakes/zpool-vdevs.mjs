// The vdev words of `zpool create`: from a flat list to a tree, refused as ZFS 2.3 refuses. What `-f` overrides (a
// device in use by something, unequal redundancy) is refused all together, and an active pool's device even then.
import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { newGuid, refuse } from './model.mjs'

const GROUP = /^(mirror|raidz[1-3]?|draid[1-3]?(:\d+[dcs])*)$/
const SECTION = ['log', 'cache', 'spare', 'special', 'dedup']
const parityOf = (type) => Number(/^(?:raidz|draid)(\d?)/.exec(type)?.[1] || 1)
const least = (type) => (type === 'mirror' ? 2 : parityOf(type) + 1)
const MINIMUM = 64 * 1024 ** 2

/** The disk behind a path: `/dev/sdb`, a link to it, or a file. */
export function diskOf(model, path) {
  const name = Object.keys(model.disks).find((disk) => disk === path || model.disks[disk].links?.includes(path))
  if (name) return { id: name, size: model.disks[name].size, disk: model.disks[name] }
  return isFile(path) ? { id: path, size: statSync(path).size } : undefined
}
/** Also in /dev/shm, where tests keep theirs. */
const isFile = (path) => existsSync(path) && statSync(path).isFile()

export const leaves = (vdev) => (vdev.children ? vdev.children.flatMap(leaves) : [vdev])
export const allLeaves = (pool) => pool.vdevs.flatMap(leaves)

/** Who uses a disk now: the pool's name. */
export function userOf(pools, id) {
  return Object.values(pools).find((pool) => allLeaves(pool).some((leaf) => leaf.id === id))?.name
}

/** The group that a vdev is in. */
export function parentOf(pool, vdev) {
  const search = (group) => (group.children?.includes(vdev) ? group : (group.children ?? []).map(search).find(Boolean))
  return pool.vdevs.map(search).find(Boolean)
}

/** Puts new vdevs into a pool, with the next numbers. */
export function addedTo(pool, vdevs) {
  const next = 1 + Math.max(-1, ...pool.vdevs.map(({ name }) => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)))
  vdevs.forEach((vdev, at) => {
    if (vdev.children) vdev.name = `${vdev.type}-${next + at}`
  })
  pool.vdevs.push(...vdevs)
  return vdevs
}

/** ZFS keeps the port in its label, so it says of a missing disk where that was. */
function portOf(disk) {
  const [port] = (disk?.links ?? [])
    .filter((link) => link.startsWith('/dev/disk/by-path/'))
    .map((link) => basename(link))
  return port === undefined ? {} : { port }
}

export function leafOf(model, path) {
  const absolute = path.startsWith('/') ? path : `/dev/${path}`
  const found = diskOf(model, absolute)
  if (!found && path.startsWith('/')) refuse(`cannot resolve path '${path}'`)
  if (!found) refuse(`cannot open '${path}': no such device in /dev\nmust be a full path or shorthand device name`)
  const type = absolute.startsWith('/dev/') && !isFile(absolute) ? 'disk' : 'file'
  return {
    type,
    name: type === 'disk' ? basename(absolute) : absolute,
    path: absolute,
    id: found.id,
    size: found.size,
    ...portOf(found.disk),
    guid: newGuid(),
  }
}

/** `draid1:2d:5c:1s` */
function draidOf(word, children) {
  const part = (letter, otherwise) => Number(new RegExp(`:(\\d+)${letter}`).exec(word)?.[1] ?? otherwise)
  const spares = part('s', 0)
  const most = children - parityOf(word) - spares
  const data = part('d', Math.min(8, most))
  if (data > most)
    refuse(
      `requested number of dRAID data disks per group ${data} is too high,\nat most ${most} disks are available for data`,
    )
  return `draid${parityOf(word)}:${data}d:${children}c:${spares}s`
}

/** Reads the words; `section` of each top-level vdev is data, log, cache, spare, special or dedup. */
export function readVdevs(model, words) {
  const vdevs = []
  const seen = new Set()
  let section = 'data'
  for (let i = 0; i < words.length; ) {
    const word = words[i]
    if (SECTION.includes(word)) {
      if (seen.has(word)) refuse(`invalid vdev specification: '${word}' can be specified only once`)
      seen.add(word)
      section = word
      i++
      const next = words[i]
      if (next === undefined || SECTION.includes(next))
        refuse(`invalid vdev specification: '${word}' requires at least 1 devices`)
      continue
    }
    if (!GROUP.test(word)) {
      vdevs.push({ ...leafOf(model, word), section })
      i++
      continue
    }
    if (section === 'cache' || section === 'spare')
      refuse(`invalid vdev specification: unsupported '${section}' device: ${word}`)
    const children = []
    for (i++; i < words.length && !GROUP.test(words[i]) && !SECTION.includes(words[i]); i++)
      children.push(leafOf(model, words[i]))
    const type = word === 'raidz' ? 'raidz1' : word.startsWith('draid') ? draidOf(word, children.length) : word
    if (children.length < least(type))
      refuse(
        `invalid vdev specification: ${word === 'raidz1' ? 'raidz' : word} requires at least ${least(type)} devices`,
      )
    vdevs.push({ type, section, guid: newGuid(), children })
  }
  // ZFS numbers them through, in the order of the words.
  const numbered = vdevs.filter(({ section }) => section !== 'cache' && section !== 'spare')
  numbered.forEach((vdev, at) => {
    if (vdev.children) vdev.name = `${vdev.type}-${at}`
  })
  return vdevs
}

/** How many devices of a vdev may fail. */
const redundancy = (vdev) =>
  /^(raidz|draid)/.test(vdev.type) ? parityOf(vdev.type) : vdev.children ? vdev.children.length - 1 : 0

/** Why `-f` would be needed for vdevs of different redundancy or size, if so. */
function mismatch(vdevs) {
  const data = vdevs.filter((vdev) => vdev.section === 'data')
  const uneven = data.find((vdev) => vdev.children && new Set(vdev.children.map((leaf) => leaf.size)).size > 1)
  if (uneven) return `${uneven.type.replace(/\d$/, '')} contains devices of different sizes`
  const [first] = data
  for (const vdev of data.slice(1)) {
    const [a, b] = [first, vdev].map((one) => (one.children ? one.type.replace(/\d$/, '') : one.type))
    if (Boolean(first.children) !== Boolean(vdev.children))
      return `mismatched replication level: both ${a} and ${b} vdevs are present`
    if (redundancy(first) === redundancy(vdev)) {
      if (a === b && a !== 'mirror' && first.children && first.children.length !== vdev.children.length)
        return `mismatched replication level: both ${first.children.length}-way and ${vdev.children.length}-way ${a} vdevs are present`
      continue
    }
    if (a === b)
      return `mismatched replication level: both ${a === 'mirror' ? `${first.children.length}-way and ${vdev.children.length}-way mirror` : `${redundancy(first)} and ${redundancy(vdev)} device parity ${a}`} vdevs are present`
    const [raidz, mirror] = a === 'raidz' ? [first, vdev] : [vdev, first]
    return `mismatched replication level: raidz and mirror vdevs with different redundancy, ${redundancy(raidz)} vs. ${redundancy(mirror)} (${mirror.children.length}-way) are present`
  }
  return undefined
}

/** Why `-f` would be needed to add vdevs to a pool of another layout. */
function mismatchWith(pool, vdevs) {
  const mine = mismatch(vdevs)
  const [old, fresh] = [pool.vdevs, vdevs].map((all) => all.filter(({ section }) => section === 'data'))
  if (mine || fresh.length === 0) return mine
  const [first, last] = [old.at(-1), fresh[0]]
  const [a, b] = [first, last].map((one) => (one.children ? one.type.replace(/\d?(:.*)?$/, '') : one.type))
  const start = 'mismatched replication level: pool'
  if (first.children && last.children && a !== b) {
    const [raidz, mirror] = a === 'mirror' ? [last, first] : [first, last]
    if (redundancy(raidz) === redundancy(mirror)) return undefined
    return `${start} and new vdev with different redundancy, ${a} and ${b} vdevs, ${redundancy(raidz)} vs. ${redundancy(mirror)} (${mirror.children.length}-way)`
  }
  if (a !== b) return `${start} uses ${a} and new vdev is ${b}`
  if (a !== 'mirror' && redundancy(first) !== redundancy(last))
    return `${start} uses ${redundancy(first)} device parity and new vdev uses ${redundancy(last)}`
  if (first.children && first.children.length !== last.children.length)
    return `${start} uses ${first.children.length}-way ${a} and new vdev uses ${last.children.length}-way ${b}`
  return undefined
}

/**
 * What speaks against using these devices; `force` overrides all but an active pool and a mount. `pool`: they are added
 * to it.
 */
export function checkVdevs(model, vdevs, force, name, pool) {
  const errors = []
  const all = vdevs.flatMap(leaves)
  for (const leaf of all) {
    const active = userOf(model.pools, leaf.id)
    const exported = userOf(model.exported, leaf.id)
    const { fstype, mountpoint } = model.disks[leaf.id] ?? {}
    // A disk of an active pool is busy before anybody reads its label.
    if ((active && leaf.type === 'disk') || mountpoint)
      refuse(`${leaf.path} is in use and contains a ${active ? 'unknown' : (fstype ?? 'unknown')} filesystem.`)
    if (active) errors.push(`${leaf.path} is part of active pool '${active}'`)
    else if (force) continue
    else if (exported) errors.push(`${leaf.path} is part of exported pool '${exported}'`)
    else if (fstype && leaf.type === 'disk') errors.push(`${leaf.path} contains a filesystem of type '${fstype}'`)
  }
  const uneven = force || errors.length > 0 ? undefined : pool ? mismatchWith(pool, vdevs) : mismatch(vdevs)
  if (uneven) errors.push(uneven)
  if (!pool && !vdevs.some((vdev) => vdev.section === 'data'))
    errors.push('at least one general top-level vdev must be specified')
  if (errors.length > 0)
    refuse(
      `invalid vdev specification\n${force ? 'the following errors must be manually repaired:' : "use '-f' to override the following errors:"}\n${errors.join('\n')}`,
    )
  if (new Set(all.map((leaf) => leaf.id)).size < all.length)
    refuse(
      `cannot create '${name}': one or more vdevs refer to the same device, or one of\nthe devices is part of an active md or lvm device`,
    )
  if (all.some((leaf) => leaf.size < MINIMUM))
    refuse(`cannot create '${name}': one or more devices is less than the minimum size (64M)`)
}

const sizeOf = (vdev) => (vdev.children ? Math.min(...vdev.children.map(sizeOf)) : vdev.size)

/** Raw and usable bytes of a pool. */
export function sizes(pool) {
  let raw = 0
  let usable = 0
  for (const vdev of pool.vdevs) {
    if (vdev.section !== 'data' && vdev.section !== 'special') continue
    const parts = (vdev.children ?? [vdev]).map(sizeOf)
    const one = Math.min(...parts)
    const isWide = /^(raidz|draid)/.test(vdev.type)
    // What zpool calls the size of a raidz counts its parity in, that of a mirror does not.
    const whole = isWide ? one * parts.length : one
    raw += whole - (whole % (16 * 1024 ** 2))
    usable += one * (isWide ? parts.length - parityOf(vdev.type) : 1)
  }
  return { raw, usable: Math.floor(usable * 0.96) }
}

/** A leaf's own state, or what its children make of a vdev. */
export function stateOf(vdev) {
  if (!vdev.children) return vdev.state ?? (vdev.section === 'spare' ? 'AVAIL' : 'ONLINE')
  const states = vdev.children.map(stateOf)
  if (states.every((state) => state === 'ONLINE' || state === 'AVAIL')) return 'ONLINE'
  const down = states.filter((state) => !['ONLINE', 'AVAIL', 'DEGRADED'].includes(state)).length
  return down <= redundancy(vdev) ? 'DEGRADED' : 'UNAVAIL'
}

export function healthOf(pool) {
  const states = pool.vdevs.filter(({ section }) => section !== 'spare' && section !== 'cache').map(stateOf)
  if (states.some((state) => !['ONLINE', 'DEGRADED'].includes(state))) return 'UNAVAIL'
  return states.includes('DEGRADED') ? 'DEGRADED' : 'ONLINE'
}
