// Datasets in the model: their space, their properties and where those come from. Every number follows from the bytes
// that each dataset and snapshot keeps for itself; nothing is stored twice.
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { newGuid, now } from './model.mjs'
import { datasetProperties } from './zfs-properties.mjs'
import { sizes } from './zpool-vdevs.mjs'

/** Bytes that an empty dataset takes. */
const EMPTY = 24576

/** `tank/a` of `tank/a/b` and of `tank/a@s`; empty for a pool. */
export const parentOf = (name) =>
  name.slice(0, Math.max(0, name.includes('@') ? name.indexOf('@') : name.lastIndexOf('/')))
export const isBelow = (name, ancestor) => name.startsWith(`${ancestor}/`) || name.startsWith(`${ancestor}@`)

// Looking for children and snapshots one dataset at a time would cost the square of their number.
const indexes = new WeakMap()
export function childrenOf(model, name) {
  let index = indexes.get(model.datasets)
  const names = Object.keys(model.datasets)
  if (index?.count !== names.length) {
    index = { count: names.length, children: new Map() }
    for (const found of names) {
      const parent = parentOf(found)
      if (!index.children.has(parent)) index.children.set(parent, [])
      index.children.get(parent).push(found)
    }
    indexes.set(model.datasets, index)
  }
  return index.children.get(name) ?? []
}
export const snapshotsOf = (model, name) =>
  childrenOf(model, name)
    .filter((found) => found.includes('@'))
    .sort((a, b) => model.datasets[a].createtxg - model.datasets[b].createtxg)
export const datasetsOf = (model, name) => childrenOf(model, name).filter((found) => !found.includes('@'))
/** A dataset and everything below it that is no snapshot. */
export const treeOf = (model, name) => [
  name,
  ...datasetsOf(model, name)
    .sort()
    .flatMap((child) => treeOf(model, child)),
]
export const clonesOf = (model, snapshot) =>
  Object.keys(model.datasets).filter((name) => model.datasets[name].origin === snapshot)

export function newDataset(model, name, type, properties, more = {}) {
  model.clock = (model.clock ?? 0) + 1
  model.datasets[name] = {
    type,
    guid: newGuid(),
    createtxg: model.clock,
    creation: now(),
    properties,
    own: type === 'volume' ? 57344 : EMPTY,
    ...(type === 'filesystem' && { mounted: true }),
    ...more,
  }
  if (type === 'filesystem') model.datasets[name].mounted = wantsMount(model, name)
  if (model.datasets[name].mounted) makeFolder(model, propertyOf(model, name, 'mountpoint').value)
}

/** Folders of tests and trials. The temporary folder of a run may be in /dev/shm; that of its vdevs never is. */
const isOurs = (model, path) =>
  [`${tmpdir()}/`, '/var/tmp/edge-admin-vdevs-', model.mounts && `${model.mounts}/`].some(
    (from) => from && path.startsWith(from),
  )

/** In a folder of the fakes the mount point is there, as that of a real dataset. */
function makeFolder(model, path) {
  if (!isOurs(model, path) || !existsSync(dirname(path))) return
  mkdirSync(path, { recursive: true })
}

/** As zfs removes the mount point of what it destroys, where nothing is in it. */
export function dropFolder(model, path) {
  if (!isOurs(model, path)) return
  try {
    rmdirSync(path)
  } catch {
    // It was not there, or it was not empty.
  }
}

/** Whether it is mounted by itself. */
export const wantsMount = (model, name) =>
  !/^(off|noauto)$/.test(model.datasets[name].properties.canmount ?? 'on') &&
  !/^(none|legacy)$/.test(propertyOf(model, name, 'mountpoint').value)

const number = (model, name, property) => Number(model.datasets[name].properties[property] ?? 0) || 0

export function reservationOf(model, name) {
  const own = model.datasets[name].properties['refreservation']
  return own === 'auto' ? number(model, name, 'volsize') : Number(own ?? 0) || 0
}

export const bySnapshots = (model, name) =>
  snapshotsOf(model, name).reduce((sum, snapshot) => sum + (model.datasets[snapshot].keeps ?? 0), 0)
export const byReservation = (model, name) => Math.max(0, reservationOf(model, name) - model.datasets[name].own)
export const byChildren = (model, name) =>
  datasetsOf(model, name).reduce(
    (sum, child) => sum + Math.max(usedOf(model, child), number(model, child, 'reservation')),
    0,
  )

export function usedOf(model, name) {
  const dataset = model.datasets[name]
  if (!dataset) return 0
  if (dataset.type === 'snapshot') return dataset.keeps ?? 0
  return dataset.own + bySnapshots(model, name) + byReservation(model, name) + byChildren(model, name)
}

export function availableOf(model, name) {
  const pool = name.split(/[/@]/, 1)[0]
  let least = sizes(model.pools[pool]).usable - usedOf(model, pool)
  for (let at = name; at !== ''; at = parentOf(at)) {
    const quota = number(model, at, 'quota')
    if (quota > 0) least = Math.min(least, quota - usedOf(model, at))
  }
  const refquota = number(model, name, 'refquota')
  if (refquota > 0) least = Math.min(least, refquota - model.datasets[name].own)
  return Math.max(0, least + byReservation(model, name))
}

/** A property's value and source; undefined when there is no such property for this dataset. */
export function propertyOf(model, name, property) {
  const dataset = model.datasets[name]
  const isSnapshot = dataset.type === 'snapshot'
  const counted = readOnly(model, name, dataset)[property]
  if (counted !== undefined) return { value: String(counted), source: '-' }
  if (Object.hasOwn(dataset.properties, property)) return { value: resolve(model, name, property), source: 'local' }
  const isUser = property.includes(':')
  const known = Object.hasOwn(datasetProperties, property) ? datasetProperties[property] : undefined
  if (!isUser && !known) return undefined
  if (known && !isSnapshot && !known[0].includes(dataset.type[0])) return undefined
  if (isSnapshot && known && !known[2])
    return property === 'volsize' ? propertyOf(model, parentOf(name), property) : undefined
  if (isSnapshot && /^(mountpoint|canmount)$/.test(property)) return undefined
  if (isUser || known[2]) {
    for (let at = parentOf(name); at !== ''; at = parentOf(at))
      if (Object.hasOwn(model.datasets[at].properties, property)) {
        const value = model.datasets[at].properties[property]
        const below = name.slice(at.length)
        const path = property === 'mountpoint' && value.startsWith('/') ? `${value.replace(/\/$/, '')}${below}` : value
        return { value: path, source: `inherited from ${at}` }
      }
  }
  if (isUser) return undefined
  if (property === 'mountpoint') return { value: `${model.mounts ?? ''}/${name}`, source: 'default' }
  return { value: known[1], source: 'default' }
}

const resolve = (model, name, property) =>
  property === 'refreservation' ? String(reservationOf(model, name)) : model.datasets[name].properties[property]

function readOnly(model, name, dataset) {
  const isSnapshot = dataset.type === 'snapshot'
  return {
    name,
    type: dataset.type,
    creation: dataset.creation,
    createtxg: dataset.createtxg,
    guid: dataset.guid,
    get used() {
      return usedOf(model, name)
    },
    get available() {
      return isSnapshot ? undefined : availableOf(model, name)
    },
    referenced: dataset.own,
    logicalreferenced: dataset.own,
    get logicalused() {
      return isSnapshot ? undefined : usedOf(model, name)
    },
    compressratio: '1.00',
    refcompressratio: '1.00',
    written: isSnapshot ? (dataset.written ?? 0) : dataset.own,
    mounted: dataset.type === 'filesystem' ? (dataset.mounted ? 'yes' : 'no') : undefined,
    origin: dataset.origin,
    userrefs: isSnapshot ? Object.keys(dataset.holds ?? {}).length : undefined,
    get clones() {
      return isSnapshot ? clonesOf(model, name).join(',') : undefined
    },
    defer_destroy: isSnapshot ? 'off' : undefined,
    get usedbysnapshots() {
      return isSnapshot ? undefined : bySnapshots(model, name)
    },
    usedbydataset: isSnapshot ? undefined : dataset.own,
    get usedbychildren() {
      return isSnapshot ? undefined : byChildren(model, name)
    },
    get usedbyrefreservation() {
      return isSnapshot ? undefined : byReservation(model, name)
    },
  }
}

/** What could hold a pool or a dataset: mounted file systems and volumes, the dataset itself among them. */
export const mountedBelow = (model, name) =>
  treeOf(model, name).filter((found) => model.datasets[found]?.mounted || model.datasets[found]?.type === 'volume')
