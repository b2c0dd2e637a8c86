// The commands of the fake zfs(8) of OpenZFS 2.3 on the model: the same words, the same refusals, the same exit
// statuses. Options are read behind operands too, as glibc does for the real one.

import { change, complain, ctime, fake, getopt, look, nice, now, parseSize, print, refuse } from './model.mjs'
import { destroy } from './zfs-destroy.mjs'
import {
  availableOf,
  childrenOf,
  clonesOf,
  newDataset,
  parentOf,
  propertyOf,
  snapshotsOf,
  treeOf,
  usedOf,
} from './zfs-model.mjs'
import { checkDatasetProperty, datasetProperties, readOnlyDatasetProperties } from './zfs-properties.mjs'
import { checkSpaceQuota, isSpaceQuota, setSpaceQuota, space } from './zfs-space.mjs'

/** Bytes that an empty file system takes. */
const EMPTY = 24576
const USAGE = 'usage:\n\tzfs command args ...'
const ALIAS = {
  avail: 'available',
  refer: 'referenced',
  recsize: 'recordsize',
  volblock: 'volblocksize',
  compress: 'compression',
  rdonly: 'readonly',
  reserv: 'reservation',
  refreserv: 'refreservation',
  lused: 'logicalused',
  lrefer: 'logicalreferenced',
  ratio: 'compressratio',
  snap: 'snapshot',
  fs: 'filesystem',
  vol: 'volume',
}
const SIZES =
  /^(used|available|referenced|logical|quota|reservation|refquota|refreservation|volsize|recordsize|volblocksize|written|usedby)/

/** Why ZFS would not take a name, if so. */
function badName(name) {
  if (name.length > 255) return 'name is too long'
  if (name.startsWith('/')) return 'leading slash in name'
  if (name.includes('//')) return "empty component or misplaced '@' or '#' delimiter in name"
  if (name.endsWith('/')) return 'trailing slash in name'
  const bad = /[^A-Za-z0-9_.: /@#-]/.exec(name)
  // The real one has no quotes there.
  if (bad) return `invalid character ${bad[0]} in name`
  if ((name.match(/@/g) ?? []).length > 1) return "multiple '@' and/or '#' delimiters in name"
  const parts = name.split(/[/@]/)
  if (parts.includes('')) return "empty component or misplaced '@' or '#' delimiter in name"
  if (parts.includes('.')) return "self reference, '.' is found in name"
  if (parts.includes('..')) return "parent reference, '..' is found in name"
  if (!/^[A-Za-z]/.test(name)) return 'name must begin with a letter'
  return undefined
}

function need(model, name, kinds = ['filesystem', 'volume', 'snapshot']) {
  const why = badName(name)
  if (why) refuse(`cannot open '${name}': ${why}`)
  const dataset = model.datasets[name]
  if (!dataset) refuse(`cannot open '${name}': dataset does not exist`)
  if (!kinds.includes(dataset.type)) refuse(`cannot open '${name}': operation not applicable to datasets of this type`)
  return dataset
}

/** The parent of something new; throws what ZFS says when it cannot be there. */
function needParent(model, name, what = 'create') {
  const why = badName(name)
  if (why) refuse(`cannot ${what} '${name}': ${why}`)
  if (name.includes('@')) refuse(`cannot ${what} '${name}': snapshot delimiter '@' is not expected here`)
  const pool = name.split('/', 1)[0]
  if (!name.includes('/')) refuse(`cannot ${what} '${name}': missing dataset name`)
  if (!model.pools[pool]) refuse(`cannot ${what} '${name}': no such pool '${pool}'`)
  if (model.datasets[name]) refuse(`cannot ${what} '${name}': dataset already exists`)
  const parent = model.datasets[parentOf(name)]
  if (parent && parent.type !== 'filesystem') refuse(`cannot ${what} '${name}': parent is not a filesystem`)
  return parent
}

const assignments = (options) =>
  options.list
    .filter(([letter]) => letter === 'o')
    .map(([, text]) => {
      const at = text.indexOf('=')
      if (at < 0) refuse(`missing '=' for property=value argument`, 2)
      return [text.slice(0, at), text.slice(at + 1)]
    })

function create(args) {
  const { options, rest } = getopt(args, 'psnPuvV:b:o:', USAGE)
  const [name] = rest
  if (name === undefined) refuse(`missing ${options.V ? 'volume' : 'filesystem'} argument\n${USAGE}`, 2)
  if (rest.length > 1) refuse(`too many arguments\n${USAGE}`, 2)
  const type = options.V ? 'volume' : 'filesystem'
  change((model) => {
    const start = `cannot create '${name}'`
    const properties = {}
    if (options.V) {
      const bytes = parseSize(options.V)
      if (bytes === undefined) {
        const suffix = /^[0-9.]+([A-Za-z].*)$/.exec(options.V)?.[1]
        const why = suffix ? `invalid numeric suffix '${suffix}'` : `bad numeric value '${options.V}'`
        refuse(`bad volume size '${options.V}': ${why}`)
      }
      properties['volsize'] = String(bytes)
    }
    const given = assignments(options)
    if (options.b) given.push(['volblocksize', options.b])
    for (const [property, value] of given) {
      if (Object.hasOwn(properties, property) && property !== 'volsize')
        refuse(`property '${property}' specified multiple times`, 2)
      properties[property] = checkDatasetProperty(property, value, type, start)
    }
    if (options.V && Number(properties['volsize']) === 0) refuse(`${start}: 'volsize' cannot be zero`)
    if (options.p && model.datasets[name] && !options.V) return
    const missing = []
    if (!needParent(model, name)) {
      if (!options.p) refuse(`${start}: parent does not exist`)
      for (let at = parentOf(name); at !== '' && !model.datasets[at]; at = parentOf(at)) missing.unshift(at)
    }
    for (const parent of missing) newDataset(model, parent, 'filesystem', {})
    if (options.V) {
      const block = Number(properties['volblocksize'] ?? 16384)
      // Only at creation: a later size has to fit.
      properties['volsize'] = String(Math.ceil(Number(properties['volsize']) / block) * block)
      // What a volume reserves is a little more than its size: its metadata.
      if (!options.s && properties['refreservation'] === undefined)
        properties['refreservation'] = String(Math.ceil(Number(properties['volsize']) * 1.0314))
    }
    const wanted = Math.max(Number(properties['refreservation'] ?? 0) || 0, Number(properties['reservation'] ?? 0) || 0)
    const least = Math.min(...['quota', 'refquota'].map((name_) => Number(properties[name_] ?? 0) || Number.MAX_VALUE))
    if (wanted > availableOf(model, parentOf(name)) || least < EMPTY) refuse(`${start}: out of space`)
    if (options.n) return
    newDataset(model, name, type, properties)
  })
}

// ---- list and get

function typesOf(text, usage = USAGE) {
  if (text === undefined) return ['filesystem', 'volume']
  return text.split(',').flatMap((word) => {
    const type = ALIAS[word] ?? word
    if (type === 'all') return ['filesystem', 'volume', 'snapshot']
    if (type === 'bookmark') return []
    if (!['filesystem', 'volume', 'snapshot'].includes(type)) refuse(`invalid type '${word}'\n${usage}`, 2)
    return [type]
  })
}

/** The datasets that a command is about, in ZFS's order: each dataset, its snapshots, its children. */
function select(model, names, { types, depth, recursive }) {
  const found = []
  // What may be named: with -r or -d a filesystem always, and a volume when it is snapshots that are wanted.
  const nameable = [...types]
  if (recursive) nameable.push('filesystem')
  if (types.includes('snapshot')) nameable.push('volume', ...(recursive ? [] : ['filesystem']))
  const walk = (name, left, top) => {
    if (types.includes(model.datasets[name].type)) found.push(name)
    if (left <= 0) return
    const children = childrenOf(model, name)
    for (const child of snapshotsOf(model, name)) if (types.includes('snapshot')) found.push(child)
    for (const child of children.filter((name_) => !name_.includes('@')).sort()) walk(child, left - 1, top)
  }
  for (const name of names) {
    const why = badName(name)
    if (why) complain(`cannot open '${name}': ${why}`)
    else if (!model.datasets[name]) complain(`cannot open '${name}': dataset does not exist`)
    else if (!nameable.includes(model.datasets[name].type))
      complain(`cannot open '${name}': operation not applicable to datasets of this type`)
    else walk(name, depth, name)
  }
  return found
}

function show(model, name, property, exact) {
  const found = propertyOf(model, name, property)
  if (!found || found.value === undefined) return { value: '-', source: '-' }
  if (exact) return found
  if (property === 'creation') return { ...found, value: ctime(Number(found.value)).slice(0, 16) }
  if (SIZES.test(property) && /^\d+$/.test(found.value)) {
    const none = found.value === '0' && /^(quota|reservation|refquota|refreservation)$/.test(property)
    return { ...found, value: none ? 'none' : nice(Number(found.value)) }
  }
  if (/ratio$/.test(property)) return { ...found, value: `${found.value}x` }
  return found
}

const known = (property) =>
  property.includes(':') || Object.hasOwn(datasetProperties, property) || readOnlyDatasetProperties.includes(property)

const depthOf = (options, names) => {
  if (options.d !== undefined) {
    if (!/^\d+$/.test(options.d)) refuse(`invalid depth '${options.d}'\n${USAGE}`, 2)
    return Number(options.d)
  }
  return options.r || names.length === 0 ? 1000 : 0
}

function list(args) {
  const { options, rest } = getopt(args, 'Hprjd:o:t:s:S:', USAGE)
  const columns = (options.o ?? 'name,used,available,referenced,mountpoint')
    .split(',')
    .map((column) => ALIAS[column] ?? column)
  for (const column of columns)
    if (!known(column)) refuse(`bad property list: invalid property '${column}'\n${USAGE}`, 2)
  const model = look()
  let types = typesOf(options.t)
  const names = rest.length > 0 ? rest : Object.keys(model.pools).sort()
  let depth = depthOf(options, rest)
  // A snapshot's own name is taken without -t; with only -t snapshot, a dataset's name stands for its snapshots.
  if (options.t === undefined && rest.some((name) => name.includes('@'))) types = [...types, 'snapshot']
  if (
    types.join() === 'snapshot' &&
    rest.length > 0 &&
    depth === 0 &&
    options.d === undefined &&
    !rest.every((name) => name.includes('@'))
  )
    depth = 1
  const found = select(model, names, {
    types,
    depth,
    recursive: options.r || options.d !== undefined || rest.length === 0,
  })
  for (const [letter, property] of options.list.filter(([letter]) => /[sS]/.test(letter)).reverse()) {
    const key = (name) => {
      const { value } = show(model, name, ALIAS[property] ?? property, true)
      return /^\d+$/.test(value) ? Number(value) : value
    }
    const keys = new Map(found.map((name) => [name, key(name)]))
    found.sort(
      (a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0) * (letter === 'S' ? -1 : 1),
    )
  }
  if (found.length === 0 && rest.length === 0 && !options.H) return complain('no datasets available', 0)
  if (!options.H) print(columns.map((column) => column.toUpperCase()).join('  '))
  for (const name of found)
    print(columns.map((column) => show(model, name, column, options.p).value).join(options.H ? '\t' : '  '))
}

function get(args) {
  const { options, rest } = getopt(args, 'Hprjd:o:t:s:', USAGE)
  const [wanted, ...names] = rest
  if (wanted === undefined) refuse(`missing property argument\n${USAGE}`, 2)
  const model = look()
  const types = options.t === undefined ? ['filesystem', 'volume', 'snapshot'] : typesOf(options.t)
  const sources = options.s?.split(',')
  const asked = wanted === 'all' ? undefined : wanted.split(',').map((property) => ALIAS[property] ?? property)
  for (const property of asked ?? [])
    if (!known(property)) refuse(`bad property list: invalid property '${property}'\n${USAGE}`, 2)
  for (const name of select(model, names.length > 0 ? names : Object.keys(model.pools).sort(), {
    types,
    depth: depthOf(options, names),
  })) {
    const all = asked ?? allProperties(model, name)
    for (const property of all) {
      const shown = show(model, name, property, options.p)
      const source = shown.source.startsWith('inherited') ? 'inherited' : shown.source === '-' ? 'none' : shown.source
      if (sources && !sources.includes(source)) continue
      if (asked === undefined && shown.value === '-' && shown.source === '-') continue
      const row = { name, property, ...shown, received: '-' }
      print(
        (options.o ?? 'name,property,value,source')
          .split(',')
          .map((column) => row[column])
          .join(options.H ? '\t' : '  '),
      )
    }
  }
}

function allProperties(model, name) {
  const user = new Set()
  for (let at = name; at !== ''; at = parentOf(at))
    for (const property of Object.keys(model.datasets[at].properties)) if (property.includes(':')) user.add(property)
  return [
    ...readOnlyDatasetProperties.filter((property) => property !== 'name'),
    ...Object.keys(datasetProperties),
    ...user,
  ]
}

// ---- changes of properties

function set(args) {
  const at = args.findIndex((word) => !word.includes('='))
  const pairs = args.slice(0, at < 0 ? args.length : at)
  const names = at < 0 ? [] : args.slice(at)
  if (pairs.length === 0) refuse(`missing property=value argument(s)\n${USAGE}`, 2)
  if (names.length === 0) refuse(`missing dataset name(s)\n${USAGE}`, 2)
  for (const name of names) {
    const start = `cannot set property for '${name}'`
    const wanted = pairs.map((pair) => {
      const property = ALIAS[pair.slice(0, pair.indexOf('='))] ?? pair.slice(0, pair.indexOf('='))
      return [property, pair.slice(pair.indexOf('=') + 1)]
    })
    // The words are checked together, before any of them is set; what the pool has to say comes one by one.
    const { type } = need(look(), name)
    const checked = wanted.map(([property, value]) => [
      property,
      isSpaceQuota(property)
        ? checkSpaceQuota(property, value, type, start)
        : checkDatasetProperty(property, value, type, start, false),
    ])
    for (const [property, value] of checked)
      change((model) =>
        isSpaceQuota(property)
          ? setSpaceQuota(need(model, name), property, value)
          : setOne(model, name, property, value, start),
      )
  }
}

function setOne(model, name, property, value, start) {
  const dataset = need(model, name)
  if (
    /^(quota|refquota)$/.test(property) &&
    value !== '0' &&
    Number(value) < (property === 'quota' ? usedOf(model, name) : dataset.own)
  )
    refuse(`${start}: size is less than current used or reserved space`, 255)
  if (/^(reservation|refreservation)$/.test(property) && Number(value) > availableOf(model, name) + usedOf(model, name))
    refuse(`${start}: size is greater than available space`, 255)
  if (property === 'volsize') {
    const block = Number(propertyOf(model, name, 'volblocksize').value)
    if (Number(value) % block !== 0)
      refuse(`${start}: 'volsize' must be a multiple of volume block size (${nice(block)})`, 255)
    if (dataset.properties['refreservation'] && dataset.properties['refreservation'] !== '0') {
      const reserve = Math.ceil(Number(value) * 1.0314)
      if (reserve - usedOf(model, name) > availableOf(model, parentOf(name)))
        refuse(`${start}: size is greater than available space`, 255)
      dataset.properties['refreservation'] = String(reserve)
    }
  }
  if (property === 'mountpoint' && dataset.busy)
    refuse(`cannot unmount '${propertyOf(model, name, 'mountpoint').value}': pool or dataset is busy`)
  dataset.properties[property] = value
  if (/^(mountpoint|canmount)$/.test(property)) dataset.mounted = !/^(none|legacy|off|noauto)$/.test(value)
}

function inherit(args) {
  const { options, rest } = getopt(args, 'rS', USAGE)
  const [property, ...names] = rest
  if (property === undefined) refuse(`missing property argument\n${USAGE}`, 2)
  if (names.length === 0) refuse(`missing dataset argument\n${USAGE}`, 2)
  if (!known(property)) refuse(`invalid property '${property}'\n${USAGE}`, 2)
  if (readOnlyDatasetProperties.includes(property)) refuse(`${property} property is read-only`)
  if (!options.S && !property.includes(':') && !datasetProperties[property]?.[2])
    refuse(
      `'${property}' property cannot be inherited${/quota|reservation/.test(property) ? `\nuse 'zfs set ${property}=none' to clear` : ''}`,
      1,
    )
  change((model) => {
    for (const name of names) {
      need(model, name)
      for (const found of options.r ? treeOf(model, name) : [name]) delete model.datasets[found].properties[property]
    }
  })
}

// ---- snapshots

function snapshot(args) {
  const { options, rest } = getopt(args, 'ro:', USAGE)
  if (rest.length === 0) refuse(`missing snapshot argument\n${USAGE}`, 2)
  change((model) => {
    const start = (name) => `cannot create snapshot '${name}'`
    const all = []
    for (const full of rest) {
      const [name, label] = full.split('@')
      if (label === undefined) refuse(USAGE, 2)
      const why = badName(full)
      if (why) refuse(`${start(full)}: ${why}`)
      if (!model.datasets[name]) refuse(`cannot open '${name}': dataset does not exist\n${USAGE}`, 2)
      for (const dataset of options.r ? treeOf(model, name) : [name]) all.push(`${dataset}@${label}`)
    }
    const taken = all.find((full) => model.datasets[full])
    if (taken) refuse(`${start(taken)}: dataset already exists`)
    const properties = {}
    for (const [property, value] of assignments(options)) {
      if (!property.includes(':')) refuse(`${start(all[0])}: this property can not be modified for snapshots`)
      properties[property] = checkDatasetProperty(property, value, 'snapshot', start(all[0]))
    }
    // All of one command share a transaction.
    const txg = (model.clock ?? 0) + 1
    for (const full of all) {
      const { own } = model.datasets[parentOf(full)]
      newDataset(model, full, 'snapshot', { ...properties }, { own, keeps: 0, written: own, createtxg: txg })
    }
    model.clock = txg
  })
}

function rollback(args) {
  const { options, rest } = getopt(args, 'rRf', USAGE)
  if (rest.length !== 1) refuse(`missing dataset argument\n${USAGE}`, 2)
  change((model) => {
    const [full] = rest
    const { own, createtxg } = need(model, full, ['snapshot'])
    const name = parentOf(full)
    const newer = snapshotsOf(model, name).filter((found) => model.datasets[found].createtxg > createtxg)
    const clones = newer.flatMap((found) => clonesOf(model, found))
    if (newer.length > 0 && !options.r && !options.R)
      refuse(
        `cannot rollback to '${full}': more recent snapshots or bookmarks exist\nuse '-r' to force deletion of the following snapshots and bookmarks:\n${newer.join('\n')}`,
      )
    if (clones.length > 0 && !options.R)
      refuse(
        `cannot rollback to '${full}': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n${clones.join('\n')}`,
      )
    const held = newer.find((found) => Object.keys(model.datasets[found].holds ?? {}).length > 0)
    if (held) refuse(`cannot destroy '${held}': dataset is busy`)
    if (model.datasets[name].busy)
      refuse(`cannot unmount '${propertyOf(model, name, 'mountpoint')?.value ?? name}': pool or dataset is busy`)
    for (const clone of clones) for (const found of treeOf(model, clone)) delete model.datasets[found]
    for (const found of newer) delete model.datasets[found]
    model.datasets[name].own = own
    if (model.datasets[full].content !== undefined) model.datasets[name].content = model.datasets[full].content
  })
}

function clone(args) {
  const { options, rest } = getopt(args, 'puo:', USAGE)
  const [source, name] = rest
  if (name === undefined) refuse(`missing ${source === undefined ? 'source' : 'target'} dataset argument\n${USAGE}`, 2)
  change((model) => {
    need(model, source, ['snapshot'])
    const { type } = model.datasets[parentOf(source)]
    if (options.p && model.datasets[name]) return
    if (!needParent(model, name) && !options.p) refuse(`cannot create '${name}': parent does not exist`)
    if (name.split('/', 1)[0] !== source.split(/[/@]/, 1)[0])
      refuse(`cannot create '${name}': source and target pools differ`)
    const properties = {}
    for (const [property, value] of assignments(options))
      properties[property] = checkDatasetProperty(property, value, type, `cannot create '${name}'`)
    const volsize = type === 'volume' && { volsize: model.datasets[parentOf(source)].properties.volsize }
    newDataset(model, name, type, { ...volsize, ...properties }, { origin: source, own: model.datasets[source].own })
  })
}

function promote(args) {
  const [name] = args
  if (name === undefined) refuse(`missing clone filesystem argument\n${USAGE}`, 2)
  change((model) => {
    const { origin } = need(model, name, ['filesystem', 'volume'])
    if (!origin) refuse(`cannot promote '${name}': not a cloned filesystem`)
    const from = parentOf(origin)
    const { createtxg } = model.datasets[origin]
    for (const found of snapshotsOf(model, from).filter((name_) => model.datasets[name_].createtxg <= createtxg)) {
      const to = `${name}@${found.slice(found.indexOf('@') + 1)}`
      if (model.datasets[to])
        refuse(`cannot promote '${name}': snapshot name '${to}' from origin\nconflicts with '${to}' from target`)
      model.datasets[to] = model.datasets[found]
      for (const other of clonesOf(model, found)) model.datasets[other].origin = to
      delete model.datasets[found]
    }
    model.datasets[from].origin = `${name}@${origin.slice(origin.indexOf('@') + 1)}`
    delete model.datasets[name].origin
  })
}

function hold(args) {
  const { options, rest } = getopt(args, 'r', USAGE)
  const [tag, ...names] = rest
  if (names.length === 0) refuse(`missing ${tag === undefined ? 'tag' : 'snapshot'} argument\n${USAGE}`, 2)
  change((model) => {
    for (const full of names) {
      const put = (snapshot, found) => {
        snapshot.holds ??= {}
        if (snapshot.holds[tag] !== undefined)
          refuse(`cannot hold snapshot '${found}': tag already exists on this dataset`)
        snapshot.holds[tag] = now()
      }
      each(model, full, options.r, put, `cannot hold snapshot '${full}'`)
    }
  })
}

function release(args) {
  const { options, rest } = getopt(args, 'r', USAGE)
  const [tag, ...names] = rest
  if (names.length === 0) refuse(`missing ${tag === undefined ? 'tag' : 'snapshot'} argument\n${USAGE}`, 2)
  change((model) => {
    for (const full of names)
      each(model, full, options.r, (snapshot, found) => {
        if (snapshot.holds?.[tag] === undefined)
          refuse(`cannot release hold from snapshot '${found}': no such tag on this dataset`)
        delete snapshot.holds[tag]
      })
  })
}

/** A snapshot, or with -r the ones of that name on everything below. */
function each(model, full, recursive, work, start = `cannot open '${full}'`) {
  if (!full.includes('@')) refuse(`'${full}' is not a snapshot`)
  const [name, label] = full.split('@')
  if (!model.datasets[full]) refuse(`${start}: dataset does not exist`)
  for (const dataset of recursive ? treeOf(model, name) : [name])
    if (model.datasets[`${dataset}@${label}`]) work(model.datasets[`${dataset}@${label}`], `${dataset}@${label}`)
}

function holds(args) {
  const { options, rest } = getopt(args, 'rHp', USAGE)
  if (rest.length === 0) refuse(USAGE, 2)
  const model = look()
  const found = []
  for (const full of rest)
    each(model, full, options.r, (snapshot, name) => {
      for (const [tag, time] of Object.entries(snapshot.holds ?? {}))
        found.push([name, tag, options.p ? time : ctime(time).slice(0, 16)])
    })
  if (!options.H && found.length > 0) print('NAME  TAG  TIMESTAMP')
  for (const row of found) print(row.join(options.H ? '\t' : '  '))
}

function mount(args) {
  const { options, rest } = getopt(args, 'aflvOo:', USAGE)
  change((model) => {
    const names = options.a
      ? Object.keys(model.datasets).filter((name) => model.datasets[name].type === 'filesystem')
      : rest
    for (const name of names) {
      const dataset = need(model, name, ['filesystem'])
      const { value } = propertyOf(model, name, 'mountpoint')
      const off = /^(none|legacy)$/.test(value) || propertyOf(model, name, 'canmount').value === 'off'
      if (options.a && (off || dataset.mounted)) continue
      if (dataset.mounted) refuse(`cannot mount '${name}': filesystem already mounted`)
      if (value === 'legacy') refuse(`cannot mount '${name}': legacy mountpoint\nuse mount(8) to mount this filesystem`)
      if (value === 'none') refuse(`cannot mount '${name}': no mountpoint set`)
      if (off) refuse(`cannot mount '${name}': 'canmount' property is set to 'off'`)
      dataset.mounted = true
    }
  })
}

function unmount(args) {
  const { options, rest } = getopt(args, 'afu', USAGE)
  change((model) => {
    for (const name of rest) {
      const dataset = need(model, name, ['filesystem'])
      if (!dataset.mounted) refuse(`cannot unmount '${name}': not currently mounted`)
      if (dataset.busy && !options.f)
        refuse(`cannot unmount '${propertyOf(model, name, 'mountpoint').value}': pool or dataset is busy`)
      dataset.mounted = false
    }
  })
}

function rename(args) {
  const { rest } = getopt(args, 'fpru', USAGE)
  const [from, to] = rest
  if (to === undefined) refuse(`missing target dataset argument\n${USAGE}`, 2)
  change((model) => {
    const dataset = need(model, from)
    const target = dataset.type === 'snapshot' && to.startsWith('@') ? `${parentOf(from)}${to}` : to
    if (model.datasets[target]) refuse(`cannot rename '${from}': dataset already exists`)
    if (dataset.type !== 'snapshot' && !needParent(model, target, 'rename'))
      refuse(`cannot rename '${from}': parent does not exist`)
    for (const name of Object.keys(model.datasets))
      if (name === from || name.startsWith(`${from}/`) || name.startsWith(`${from}@`)) {
        model.datasets[`${target}${name.slice(from.length)}`] = model.datasets[name]
        delete model.datasets[name]
      }
  })
}

const commands = {
  userspace: (args) => space('user', args),
  groupspace: (args) => space('group', args),
  create,
  destroy,
  list,
  get,
  set,
  inherit,
  snapshot,
  snap: snapshot,
  rollback,
  clone,
  promote,
  hold,
  release,
  holds,
  mount,
  unmount,
  umount: unmount,
  rename,
  version: () => print('zfs-2.3.2-2\nzfs-kmod-2.3.2-2'),
}

fake(([command, ...args]) => {
  if (command === undefined) refuse(`missing command\n${USAGE}`, 2)
  if (command === '--version' || command === '-V') return commands.version()
  if (!Object.hasOwn(commands, command)) refuse(`unrecognized command '${command}'\n${USAGE}`, 2)
  commands[command](args)
})
