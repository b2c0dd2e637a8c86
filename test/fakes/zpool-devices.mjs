// What the fake zpool does with the devices of a pool: offline, online, clear, replace, attach, detach, add, remove. The
// words are those of OpenZFS 2.3, recorded in test/fixtures; a line marked `source` is from OpenZFS's source.
import { change, getopt, newGuid, now, print, refuse } from './model.mjs'
import { printConfig } from './zpool-status.mjs'
import {
  addedTo,
  allLeaves,
  checkVdevs,
  healthOf,
  leafOf,
  leaves,
  parentOf,
  readVdevs,
  stateOf,
} from './zpool-vdevs.mjs'

const USAGE = 'usage:\n\tzpool command args ...'
const need = (model, name) => model.pools[name] ?? refuse(`cannot open '${name}': no such pool`)
const NO_DEVICE = 'no such device in pool'
const RESERVED = 'device is reserved as a hot spare'

const every = (vdevs) => vdevs.flatMap((vdev) => [vdev, ...every(vdev.children ?? [])])
/** By name, path or guid; one in use as a spare before the same among the spares. */
function find(pool, word) {
  const all = [...pool.vdevs].sort((a, b) => (a.section === 'spare') - (b.section === 'spare'))
  return every(all).find((vdev) => [vdev.name, vdev.path, vdev.guid].includes(word))
}
const isIdle = (pool, leaf) => pool.vdevs.includes(leaf) && leaf.section === 'spare'

/** The words and the pool of `verb [options] POOL DEVICE...`; `why` is called with each device's word. */
function read(args, flags) {
  const { options, rest } = getopt(args, flags, USAGE)
  const [name, ...words] = rest
  if (name === undefined) refuse(`missing pool name argument\n${USAGE}`, 2)
  return { options, name, words }
}

export function offline(args) {
  const { options, name, words } = read(args, 'tf')
  change((model) => {
    const pool = need(model, name)
    for (const word of words) {
      const cannot = (why) => refuse(`cannot offline ${word}: ${why}`)
      const leaf = find(pool, word) ?? cannot(NO_DEVICE)
      if (isIdle(pool, leaf)) cannot(RESERVED)
      if (leaf.children) cannot('operation not supported on this type of pool')
      leaf.state = options.f ? 'FAULTED' : 'OFFLINE'
      if (healthOf(pool) === 'UNAVAIL') cannot('no valid replicas')
    }
  })
}

export function online(args) {
  const { name, words } = read(args, 'e')
  change((model) => {
    const pool = need(model, name)
    for (const word of words) {
      const cannot = (why) => refuse(`cannot online ${word}: ${why}`)
      const leaf = find(pool, word) ?? cannot(NO_DEVICE)
      if (isIdle(pool, leaf)) cannot(RESERVED)
      // A disk that is not there stays as it is.
      if (leaf.id !== undefined && model.disks[leaf.id]?.broken) continue
      if (leaf.state !== undefined && leaf.missed) resilver(pool, [leaf])
      delete leaf.state
      delete leaf.gone
      delete leaf.missed
    }
  })
}

export function clear(args) {
  const { name, words } = read(args, 'nF')
  change((model) => {
    const pool = need(model, name)
    const chosen =
      words.length === 0
        ? allLeaves(pool)
        : [find(pool, words[0]) ?? refuse(`cannot clear errors for ${words[0]}: ${NO_DEVICE}`)]
    for (const leaf of chosen.flatMap(leaves)) {
      for (const count of ['read', 'write', 'cksum']) delete leaf[count]
      if (leaf.state === 'FAULTED') delete leaf.state
    }
    if (words.length === 0) delete pool.errors
  })
}

/** Begins a resilver of these leaves: one after another that runs, or by groups if it is sequential. */
function resilver(pool, fresh, sequential) {
  if (sequential) {
    const group = pool.vdevs.find((vdev) => leaves(vdev).includes(fresh[0]))
    pool.rebuilds = [
      { vdev: group.name, state: 'active', start: now(), percent: 0, total: 2 ** 30, rebuilt: 0, errors: 0 },
    ]
  } else if (pool.scan?.kind === 'resilver' && pool.scan.state === 'scanning') {
    for (const leaf of fresh) leaf.deferred = true
    return
  } else pool.scan = { kind: 'resilver', state: 'scanning', start: now(), percent: 0, repaired: 0 }
  for (const leaf of fresh) leaf.resilvering = true
}

const smallest = (vdev) => (vdev.children ? Math.min(...vdev.children.map(smallest)) : vdev.size)

/** The new disk, refused as `zpool create` refuses it. */
function freshLeaf(model, word, name) {
  const leaf = leafOf(model, word)
  checkVdevs(model, [{ ...leaf, section: 'data' }], false, name)
  return leaf
}
function take(model, leaf) {
  if (model.disks[leaf.id]) model.disks[leaf.id].fstype = 'zfs_member'
  for (const old of Object.keys(model.exported))
    if (allLeaves(model.exported[old]).some((one) => one.id === leaf.id)) delete model.exported[old]
}

export function replace(args) {
  const { options, name, words } = read(args, 'fswo:')
  const [old, fresh = old] = words
  if (old === undefined) refuse(`missing <device> specification\n${USAGE}`, 2)
  change((model) => {
    const pool = need(model, name)
    const cannot = (why) => refuse(`cannot replace ${old} with ${fresh}: ${why}`, 255)
    const spare = pool.vdevs.find(
      (vdev) => vdev.section === 'spare' && [vdev.name, vdev.path, `/dev/${vdev.name}`].includes(fresh),
    )
    const leaf = find(pool, old)
    const inPlace = leaf && fresh === leaf.path && !model.disks[leaf.id]?.fstype
    const incoming = spare ?? (inPlace ? leafOf(model, fresh) : freshLeaf(model, fresh, name))
    if (!leaf) cannot(NO_DEVICE)
    if (isIdle(pool, leaf)) cannot(RESERVED)
    const parent = parentOf(pool, leaf)
    if (
      spare &&
      leaves({ children: pool.vdevs.filter((vdev) => vdev !== spare) }).some(({ guid }) => guid === spare.guid)
    )
      cannot(`${fresh} is busy`)
    // source: zpool_vdev_attach()
    const isSpare = (one) => pool.vdevs.some((vdev) => vdev.section === 'spare' && vdev.guid === one.guid)
    if (parent?.type === 'spare' && isSpare(incoming) !== isSpare(leaf))
      cannot("already in replacing/spare config; wait for completion or use 'zpool detach'")
    const least = parent ? Math.min(...parent.children.filter((one) => one !== leaf).map(smallest)) : leaf.size
    if (incoming.size < Math.min(least, leaf.size)) cannot('device is too small')
    const group = parent ?? leaf
    if (options.s && !/^(mirror|draid|disk|file)/.test(group.type))
      // source: spa_vdev_attach(), ENOTSUP
      cannot('only mirror and dRAID vdevs support sequential reconstruction')
    const at = parent ? parent.children.indexOf(leaf) : 0
    const type = spare ? 'spare' : 'replacing'
    const { section, ...bare } = incoming
    const between = { type, name: `${type}-${at}`, guid: newGuid(), children: [{ ...leaf }, bare] }
    delete between.children[0].section
    if (parent?.type === 'replacing') parent.children.push(bare)
    else if (parent) parent.children[at] = between
    else pool.vdevs[pool.vdevs.indexOf(leaf)] = { ...between, section: leaf.section }
    if (spare) spare.state = 'INUSE'
    else take(model, incoming)
    resilver(pool, [bare], options.s)
  })
}

export function attach(args) {
  const { options, name, words } = read(args, 'fswo:')
  const [old, fresh] = words
  if (fresh === undefined) refuse(`missing <new_device> specification\n${USAGE}`, 2)
  change((model) => {
    const pool = need(model, name)
    const cannot = (why) => refuse(`cannot attach ${fresh} to ${old}: ${why}`, 255)
    const incoming = freshLeaf(model, fresh, name)
    const vdev = find(pool, old) ?? cannot(NO_DEVICE)
    const parent = parentOf(pool, vdev)
    if (vdev.type.startsWith('raidz')) {
      if (incoming.size < Math.min(...vdev.children.map(smallest))) cannot('device is too small')
      if (pool.expansion?.state === 'running') cannot('raidz expansion in progress')
      vdev.children.push(incoming)
      take(model, incoming)
      pool.expansion = { vdev: vdev.name, state: 'running', start: now(), percent: 0, total: 2 ** 30 }
      return
    }
    if (isIdle(pool, vdev)) cannot(RESERVED)
    if (vdev.section === 'cache') cannot('device is in use as a cache')
    const isTop = pool.vdevs.includes(vdev) && !vdev.children && !['cache', 'spare'].includes(vdev.section)
    if (!isTop && parent?.type !== 'mirror') cannot('can only attach to mirrors and top-level disks')
    if (incoming.size < smallest(parent ?? vdev)) cannot('device is too small')
    take(model, incoming)
    if (isTop) {
      const at = pool.vdevs.indexOf(vdev)
      const { section, ...bare } = vdev
      pool.vdevs[at] = { type: 'mirror', name: `mirror-${at}`, section, guid: newGuid(), children: [bare, incoming] }
    } else parent.children.push(incoming)
    resilver(pool, [incoming], options.s)
  })
}

export function detach(args) {
  const { name, words } = read(args, '')
  const [word] = words
  change((model) => {
    const pool = need(model, name)
    const cannot = (why) => refuse(`cannot detach ${word}: ${why}`, 255)
    const leaf = find(pool, word) ?? cannot(NO_DEVICE)
    if (isIdle(pool, leaf)) cannot(RESERVED)
    const parent = parentOf(pool, leaf)
    if (leaf.children || !parent || !['mirror', 'replacing', 'spare'].includes(parent.type))
      cannot('only applicable to mirror and replacing vdevs')
    const others = parent.children.filter((one) => one !== leaf)
    const good = (one) => ['ONLINE', 'DEGRADED'].includes(stateOf(one)) && !one.resilvering && !one.deferred
    if (parent.type === 'mirror' && !others.some(good)) cannot('no valid replicas')
    const runs = pool.scan?.kind === 'resilver' && pool.scan.state === 'scanning' && leaf.resilvering
    if (runs) Object.assign(pool.scan, { state: 'finished', end: now(), percent: 100, repaired: 0 })
    parent.children = others
    const listed = pool.vdevs.find((vdev) => vdev.section === 'spare' && vdev.guid === leaf.guid)
    if (listed) delete listed.state
    else if (model.disks[leaf.id]) delete model.disks[leaf.id].fstype
    collapse(pool, parent)
    if (runs) settle(pool, model)
  })
}

/** A group of one is no group; a spare that stays is none of the spares any more. */
function collapse(pool, group) {
  if (group.children.length > 1 || !['mirror', 'replacing', 'spare'].includes(group.type)) return
  const [left] = group.children
  const above = parentOf(pool, group)
  if (above) above.children[above.children.indexOf(group)] = left
  else pool.vdevs[pool.vdevs.indexOf(group)] = { ...left, section: group.section }
  if (group.type === 'spare')
    pool.vdevs = pool.vdevs.filter(
      (vdev) => vdev.section !== 'spare' || vdev.guid !== left.guid || vdev.state === undefined,
    )
}

/** The spare of a disk that was replaced is a spare again. */
function giveBack(pool, group) {
  const spare = group.children.at(-1)
  group.children = group.children.slice(0, 1)
  const listed = pool.vdevs.find((vdev) => vdev.section === 'spare' && vdev.guid === spare.guid)
  if (listed) delete listed.state
  collapse(pool, group)
}

/** What a resilver that has ended leaves: the old disks go. */
export function settle(pool, model) {
  for (const group of every(pool.vdevs).filter(({ type }) => type === 'replacing')) {
    const fresh = group.children.at(-1)
    if (!fresh?.resilvering || fresh.state !== undefined) continue
    for (const old of group.children) if (model.disks[old.id] && old.id !== fresh.id) delete model.disks[old.id].fstype
    group.children = [fresh]
    const spared = parentOf(pool, group)?.type === 'spare' ? parentOf(pool, group) : undefined
    collapse(pool, group)
    if (spared) giveBack(pool, spared)
  }
  for (const leaf of allLeaves(pool)) {
    delete leaf.resilvering
    delete leaf.missed
  }
  const waiting = allLeaves(pool).filter(({ deferred }) => deferred)
  for (const leaf of waiting) delete leaf.deferred
  if (waiting.length > 0) resilver(pool, waiting)
}

export function add(args) {
  const { options, name, words } = read(args, 'fgLnPo:')
  if (words.length === 0) refuse(`missing vdev specification\n${USAGE}`, 2)
  change((model) => {
    const pool = need(model, name)
    const vdevs = readVdevs(model, words)
    checkVdevs(model, vdevs, options.f, name, pool)
    if (options.n) {
      print(`would update '${name}' to the following configuration:\n`)
      // Only the data vdevs that exist are printed with their numbers.
      const bare = (all, kept) =>
        all.map((vdev) => (vdev.children && vdev.section !== kept ? { ...vdev, name: vdev.type } : vdev))
      printConfig({ ...pool, vdevs: [...bare(pool.vdevs, 'data'), ...bare(vdevs)] }, false, { all: true })
      return
    }
    for (const vdev of addedTo(pool, vdevs)) for (const leaf of leaves(vdev)) take(model, leaf)
  })
}

export function remove(args) {
  const { options, name, words } = read(args, 'npsw')
  change((model) => {
    const pool = need(model, name)
    if (options.s) {
      if (pool.removal?.state !== 'running') refuse('cannot cancel removal: operation is not in progress')
      Object.assign(pool.removal, { state: 'cancelled', end: now() })
      return
    }
    for (const word of words) {
      const cannot = (why) => refuse(`cannot remove ${word}: ${why}`)
      const vdev = find(pool, word) ?? cannot(NO_DEVICE)
      const listed = pool.vdevs.find((one) => one.section === 'spare' && one.guid === vdev.guid)
      if (listed?.state === 'INUSE') cannot('Pool busy; removal may already be in progress')
      if (!pool.vdevs.includes(vdev)) cannot('operation not supported on this type of pool')
      if (['log', 'cache', 'spare'].includes(vdev.section)) {
        drop(pool, vdev, model)
        continue
      }
      const data = pool.vdevs.filter(
        ({ section }) => section === 'data' || section === 'special' || section === 'dedup',
      )
      // source: spa_vdev_remove_top_check()
      if (data.length > 1 && data.some(({ type }) => type.startsWith('raidz')))
        cannot('invalid config; all top-level vdevs must have the same sector size and not be raidz.')
      if (data.filter(({ section }) => section === 'data').length === 1 && vdev.section === 'data')
        cannot('out of space')
      if (pool.removal?.state === 'running') cannot('Pool busy; removal may already be in progress')
      pool.removal = { vdev: vdev.name, guid: vdev.guid, state: 'running', start: now(), percent: 0, total: 2 ** 30 }
    }
  })
}

/** Takes a vdev out of a pool; its disks are free. */
export function drop(pool, vdev, model) {
  pool.vdevs = pool.vdevs.filter((one) => one !== vdev)
  for (const leaf of leaves(vdev)) if (model.disks[leaf.id]) delete model.disks[leaf.id].fstype
}
