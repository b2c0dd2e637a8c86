// `zfs destroy`: datasets with what depends on them, and snapshots, one or a list or a range. A dry run with -p speaks
// another language (`destroy<TAB>name`, `reclaim<TAB>bytes`) than one without.
import { change, complain, getopt, nice, print, refuse } from './model.mjs'
import { clonesOf, datasetsOf, dropFolder, parentOf, propertyOf, snapshotsOf, treeOf, usedOf } from './zfs-model.mjs'

const USAGE = 'usage:\n\tdestroy [-fnpRrv] <filesystem|volume>'

export function destroy(args) {
  const { options, rest } = getopt(args, 'fnprRvd', USAGE)
  const [name] = rest
  if (name === undefined) refuse(`missing dataset argument\n${USAGE}`, 2)
  if (rest.length > 1) refuse(`too many arguments\n${USAGE}`, 2)
  change((model) => (name.includes('@') ? destroySnapshots : destroyDataset)(model, name, options))
}

const tell = (options, names, bytes) => {
  for (const name of names) {
    if (options.p) print(`destroy\t${name}`)
    else if (options.v || options.n) print(`${options.n ? 'would' : 'will'} destroy ${name}`)
  }
  if (bytes === undefined) return
  if (options.p) print(`reclaim\t${bytes}`)
  else if (options.v || options.n) print(`${options.n ? 'would' : 'will'} reclaim ${nice(bytes)}`)
}

function destroyDataset(model, name, options) {
  const dataset = model.datasets[name]
  if (!dataset) refuse(`cannot open '${name}': dataset does not exist`)
  const recursive = options.r || options.R
  const tree = treeOf(model, name)
  const snapshots = tree.flatMap((found) => snapshotsOf(model, found))
  const inside = new Set([...tree, ...snapshots])
  const clones = snapshots.flatMap((snapshot) => clonesOf(model, snapshot)).filter((clone) => !inside.has(clone))
  const word = dataset.type
  if (!name.includes('/') && !recursive)
    refuse(
      `cannot destroy '${name}': operation does not apply to pools\nuse 'zfs destroy -r ${name}' to destroy all datasets in the pool\nuse 'zpool destroy ${name}' to destroy the pool itself`,
    )
  if (!recursive && (datasetsOf(model, name).length > 0 || snapshotsOf(model, name).length > 0))
    refuse(
      `cannot destroy '${name}': ${word} has children\nuse '-r' to destroy the following datasets:\n${[...tree.slice(1), ...snapshots].join('\n')}`,
    )
  if (clones.length > 0 && !options.R)
    refuse(
      `cannot destroy '${name}': ${word} has dependent clones\nuse '-R' to destroy the following datasets:\n${clones.join('\n')}`,
    )
  const all = [...snapshots, ...clones, ...tree.toReversed()]
  if (options.n) return tell(options, all)
  tell(options, all)
  // It has begun when it finds what it cannot destroy, and does not put back what is gone by then.
  for (const snapshot of snapshots) {
    if (isHeld(model, snapshot)) return complain(heldWords(snapshot))
    delete model.datasets[snapshot]
  }
  const left = []
  for (const found of [...clones, ...tree.toReversed()]) {
    const { busy, mounted, type } = model.datasets[found]
    if (left.some((other) => other.startsWith(`${found}/`)))
      complain(`cannot destroy '${found}': dataset already exists`)
    else if (busy && type === 'filesystem' && mounted && !options.f)
      return complain(`cannot unmount '${propertyOf(model, found, 'mountpoint').value}': pool or dataset is busy`)
    else if (busy && type === 'volume') {
      complain(`cannot destroy '${found}': dataset is busy`)
      left.push(found)
    } else {
      if (model.datasets[found].mounted) dropFolder(model, propertyOf(model, found, 'mountpoint').value)
      delete model.datasets[found]
    }
  }
}

const isHeld = (model, snapshot) => Object.keys(model.datasets[snapshot].holds ?? {}).length > 0
const heldWords = (snapshot) =>
  `cannot destroy snapshot ${snapshot}: it's being held. Run 'zfs holds -r ${snapshot}' to see holders.`

/** `fs@a`, `fs@a,b`, `fs@a%c`. */
function expand(model, name) {
  const dataset = parentOf(name)
  const all = snapshotsOf(model, dataset)
  return name
    .slice(name.indexOf('@') + 1)
    .split(',')
    .flatMap((part) => {
      if (!part.includes('%')) return all.filter((found) => found === `${dataset}@${part}`)
      const [first, last] = part.split('%').map((label) => all.indexOf(`${dataset}@${label}`))
      return all.slice(part.startsWith('%') ? 0 : first, part.endsWith('%') ? undefined : last + 1)
    })
}

function destroySnapshots(model, name, options) {
  const top = parentOf(name)
  if (!model.datasets[top]) refuse(`cannot open '${top}': dataset does not exist`)
  const label = name.slice(name.indexOf('@'))
  const wanted = (options.r || options.R ? treeOf(model, top) : [top]).flatMap((dataset) =>
    expand(model, `${dataset}${label}`),
  )
  if (wanted.length === 0) refuse('could not find any snapshots to destroy; check snapshot names.')
  const clones = wanted.flatMap((snapshot) => clonesOf(model, snapshot))
  const cloned = wanted.find((snapshot) => clonesOf(model, snapshot).length > 0)
  // A dry run tells what it can, and then refuses.
  if (cloned && !options.R && !options.d) {
    if (options.n) tell(options, wanted)
    refuse(
      `cannot destroy '${cloned}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n${clones.join('\n')}`,
    )
  }
  tell(
    options,
    wanted,
    wanted.reduce((sum, snapshot) => sum + usedOf(model, snapshot), 0),
  )
  if (options.n) return
  // All of them or none.
  const held = wanted.find((snapshot) => isHeld(model, snapshot))
  if (held) refuse(heldWords(held))
  for (const snapshot of [...clones, ...wanted]) delete model.datasets[snapshot]
}
