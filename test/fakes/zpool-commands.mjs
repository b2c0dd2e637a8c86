// The commands of the fake zpool(8) of OpenZFS 2.3 on the model: the same words, the same refusals, the same exit
// statuses. Options are read behind operands too, as glibc does for the real one.

import { change, complain, fake, getopt, look, newGuid, now, print, refuse } from './model.mjs'
import { mountedBelow, newDataset, usedOf, wantsMount } from './zfs-model.mjs'
import { checkDatasetProperty, datasetProperties, poolProperties, readOnlyPoolProperties } from './zfs-properties.mjs'
import { add, attach, clear, detach, offline, online, remove as removeVdev, replace } from './zpool-devices.mjs'
import { printStatusJson } from './zpool-json.mjs'
import { advance, isBusy, printConfig, printStatus } from './zpool-status.mjs'
import { featuresOf, trim, upgrade } from './zpool-upkeep.mjs'
import { allLeaves, checkVdevs, healthOf, readVdevs, sizes } from './zpool-vdevs.mjs'

const USAGE = 'usage:\n\tzpool command args ...'
const RESERVED = /^(mirror|raidz|draid|spare)|^(log|disk|file)$/

function checkName(name) {
  const invalid = (why) => refuse(`cannot create '${name}': ${why}\npool name may have been omitted`)
  if (name.length > 255) invalid('name is too long')
  if (!/^[A-Za-z]/.test(name)) invalid('name must begin with a letter')
  const bad = /[^A-Za-z0-9_.: -]/.exec(name)
  if (bad) invalid(`invalid character '${bad[0]}' in pool name`)
  if (RESERVED.test(name)) invalid('name is reserved')
}

const need = (model, name) => model.pools[name] ?? refuse(`cannot open '${name}': no such pool`)

/** Brings a pool in step with its datasets: what is allocated follows from what they use. */
function measure(model, pool) {
  const { raw, usable } = sizes(pool)
  const share = usable === 0 ? 0 : usedOf(model, pool.name) / usable
  pool.allocated = Math.min(raw, Math.max(110592, Math.floor(raw * share)))
  return { raw, allocated: pool.allocated }
}

/** Every property of a pool as `{value, source}`; numbers are exact, `-p` or not. */
function propertiesOf(model, pool) {
  const { raw, allocated } = measure(model, pool)
  const own = pool.properties
  const values = {
    ...poolProperties,
    name: pool.name,
    size: raw,
    allocated,
    free: raw - allocated,
    capacity: raw === 0 ? 0 : Math.floor((allocated / raw) * 100),
    health: healthOf(pool),
    guid: pool.guid,
    load_guid: pool.guid,
    checkpoint: '-',
    expandsize: '-',
    freeing: 0,
    fragmentation: 0,
    leaked: 0,
    dedupratio: '1.00',
    readonly: pool.readonly ? 'on' : 'off',
    altroot: '-',
    ...Object.fromEntries(
      featuresOf(model).map((name) => [`feature@${name}`, pool.disabled?.includes(name) ? 'disabled' : 'enabled']),
    ),
  }
  return Object.fromEntries(
    [...new Set([...Object.keys(values), ...Object.keys(own)])].map((name) => [
      name,
      name in own
        ? { value: own[name], source: 'local' }
        : { value: String(values[name]), source: readOnlyPoolProperties.includes(name) ? '-' : 'default' },
    ]),
  )
}

const ALIAS = {
  alloc: 'allocated',
  frag: 'fragmentation',
  cap: 'capacity',
  dedup: 'dedupratio',
  expandsz: 'expandsize',
  ckpoint: 'checkpoint',
}

const ON_OFF = ['autoexpand', 'autotrim', 'autoreplace', 'delegation', 'listsnapshots', 'multihost']

function checkPoolProperty(property, value, start) {
  if (property === 'ashift' && !/^(0|9|1[0-6])$/.test(value))
    refuse(`invalid '${property}=${value}' property: only values between 9 and 16 are allowed.`)
  if (ON_OFF.includes(property) && !/^(on|off)$/.test(value))
    refuse(`${start}: '${property}' must be one of 'on | off'`)
  if (property === 'failmode' && !/^(wait|continue|panic)$/.test(value))
    refuse(`${start}: '${property}' must be one of 'wait | continue | panic'`)
}

function create(args) {
  const { options, rest } = getopt(args, 'fndm:o:O:R:t:', USAGE)
  const [name, ...words] = rest
  if (name === undefined) refuse(`missing pool name argument\n${USAGE}`, 2)
  if (words.length === 0) refuse(`missing vdev specification\n${USAGE}`, 2)
  const assign = (letter) =>
    options.list
      .filter(([found]) => found === letter)
      .map(([, text]) => {
        const at = text.indexOf('=')
        if (at < 0) refuse(`missing '=' for property=value argument`, 2)
        return [text.slice(0, at), text.slice(at + 1)]
      })
  const own = assign('o')
  for (const [property] of own)
    if (
      !(property in poolProperties) &&
      !readOnlyPoolProperties.includes(property) &&
      !property.startsWith('feature@') &&
      !property.includes(':')
    )
      refuse(`property '${property}' is not a valid pool or vdev property`)
  if (/[/@]/.test(name))
    refuse(
      `cannot create '${name}': invalid character '${/[/@]/.exec(name)[0]}' in pool name\nuse 'zfs create' to create a dataset`,
    )
  change((model) => {
    // The order of the real one: devices are read, then checked, then the name.
    const vdevs = readVdevs(model, words)
    checkVdevs(model, vdevs, options.f, name)
    checkName(name)
    const properties = {}
    for (const [property, value] of own) {
      if (readOnlyPoolProperties.includes(property)) refuse(`cannot create '${name}': '${property}' is readonly`)
      checkPoolProperty(property, value, `cannot create '${name}'`)
      properties[property] = value
    }
    const root = {}
    for (const [property, value] of assign('O'))
      if (!property.includes(':') && !Object.hasOwn(datasetProperties, property))
        refuse(`property '${property}' is not a valid filesystem property`)
      else root[property] = checkDatasetProperty(property, value, 'filesystem', `cannot create '${name}'`)
    if (model.pools[name]) refuse(`cannot create '${name}': pool already exists`)
    if (options.n) {
      print(`would create '${name}' with the following layout:\n`)
      printConfig({ name, vdevs }, false)
      return
    }
    for (const vdev of vdevs.flatMap((found) => found.children ?? [found])) {
      if (model.disks[vdev.id]) model.disks[vdev.id].fstype = 'zfs_member'
      for (const old of Object.keys(model.exported))
        if (allLeaves(model.exported[old]).some((leaf) => leaf.id === vdev.id)) delete model.exported[old]
    }
    const pool = { name, guid: newGuid(), vdevs, properties, created: now() }
    model.pools[name] = pool
    newDataset(model, name, 'filesystem', { ...root, ...(options.m && { mountpoint: options.m }) })
  })
}

function destroy(args) {
  const { options, rest } = getopt(args, 'f', USAGE)
  if (rest.length !== 1) refuse(`missing pool argument\n${USAGE}`, 2)
  change((model) => {
    const pool = need(model, rest[0])
    if (refuseBusy(model, pool.name, options.f, 'destroy')) return
    for (const leaf of allLeaves(pool)) if (model.disks[leaf.id]) delete model.disks[leaf.id].fstype
    remove(model, pool.name)
  })
}

/** True when it has refused. What it unmounted until then stays unmounted, as with the real one. */
function refuseBusy(model, name, force, verb) {
  const below = mountedBelow(model, name).toReversed()
  const busy = below.find((dataset) => model.datasets[dataset].busy)
  if (!busy || (force && model.datasets[busy].type === 'filesystem')) return false
  if (model.datasets[busy].type === 'volume') refuse(`cannot ${verb} '${name}': pool is busy`)
  for (const dataset of below.slice(0, below.indexOf(busy)))
    if (model.datasets[dataset].type === 'filesystem') model.datasets[dataset].mounted = false
  const place = model.datasets[busy].properties.mountpoint ?? `/${busy}`
  complain(
    `cannot unmount '${place}': pool or dataset is busy\ncould not ${verb} '${name}': could not unmount datasets`,
  )
  return true
}

function remove(model, name) {
  delete model.pools[name]
  for (const dataset of Object.keys(model.datasets))
    if (dataset === name || dataset.startsWith(`${name}/`) || dataset.startsWith(`${name}@`))
      delete model.datasets[dataset]
}

function list(args) {
  const { options, rest } = getopt(args, 'gHLpPvjo:T:', USAGE)
  const columns = (
    options.o ?? 'name,size,allocated,free,checkpoint,expandsize,fragmentation,capacity,dedupratio,health,altroot'
  )
    .split(',')
    .map((column) => ALIAS[column] ?? column)
  const model = look()
  for (const column of columns)
    if (!(column in poolProperties) && !readOnlyPoolProperties.includes(column) && !column.startsWith('feature@'))
      refuse(`bad property list: invalid property '${column}'\n${USAGE}`, 2)
  const names = rest.length > 0 ? rest : Object.keys(model.pools).sort()
  if (names.length === 0 && !options.H) return print('no pools available')
  if (!options.H) print(columns.map((column) => column.toUpperCase()).join('  '))
  for (const name of names) {
    if (!model.pools[name]) {
      complain(`cannot open '${name}': no such pool`)
      continue
    }
    const all = propertiesOf(model, model.pools[name])
    print(columns.map((column) => all[column]?.value ?? '-').join(options.H ? '\t' : '  '))
  }
}

function status(args) {
  const long = args.includes('--json-int')
  const { options, rest } = getopt(
    args.filter((arg) => arg !== '--json-int'),
    'cdDegijlLpPstvxT:',
    USAGE,
  )
  const isOld = look().zfs === '2.1'
  if (isOld && (options.j || long)) refuse(`invalid option 'j'\n${USAGE}`, 2)
  if (long && !options.j) refuse(`'json-int' only works with '-j' option\n${USAGE}`, 2)
  const step = look().scrubStep
  if (step > 0 && Object.values(look().pools).some(isBusy))
    change((model) => {
      for (const pool of Object.values(model.pools))
        if (rest.length === 0 || rest.includes(pool.name)) advance(pool, step, model)
    })
  const model = look()
  const names = rest.length > 0 ? rest : Object.keys(model.pools).sort()
  if (names.length === 0 && !options.j) return print('no pools available')
  const found = names.filter((name) => {
    if (!model.pools[name]) complain(`cannot open '${name}': no such pool`)
    return model.pools[name]
  })
  for (const name of found) measure(model, model.pools[name])
  if (options.j) return printStatusJson(found.map((name) => model.pools[name]))
  for (const name of found) {
    if (name !== found[0]) print()
    printStatus(model.pools[name], isOld, options)
  }
}

function get(args) {
  const { options, rest } = getopt(args, 'Hpjo:', USAGE)
  const [wanted, ...names] = rest
  if (wanted === undefined) refuse(`missing property argument\n${USAGE}`, 2)
  const model = look()
  for (const name of names.length > 0 ? names : Object.keys(model.pools).sort()) {
    if (!model.pools[name]) {
      complain(`cannot open '${name}': no such pool`)
      continue
    }
    const all = propertiesOf(model, model.pools[name])
    const properties =
      wanted === 'all' ? Object.keys(all) : wanted.split(',').map((property) => ALIAS[property] ?? property)
    for (const property of properties) {
      if (!all[property] && !property.includes(':'))
        refuse(`bad property list: invalid property '${property}'\n${USAGE}`, 2)
      const found = { name, property, value: '-', source: '-', ...all[property] }
      print(
        (options.o ?? 'name,property,value,source')
          .split(',')
          .map((column) => found[column])
          .join(options.H ? '\t' : '  '),
      )
    }
  }
}

function set(args) {
  const [assignment, name] = args
  if (name === undefined) refuse(`missing pool name\n${USAGE}`, 2)
  const at = assignment.indexOf('=')
  if (at < 0) refuse('missing value in property=value argument', 2)
  const property = assignment.slice(0, at)
  change((model) => {
    const pool = need(model, name)
    if (readOnlyPoolProperties.includes(property))
      refuse(`cannot set property for '${name}': '${property}' is readonly`)
    if (!(property in poolProperties) && !property.includes(':'))
      refuse(`cannot set property for '${name}': invalid property '${property}'`)
    checkPoolProperty(property, assignment.slice(at + 1), `cannot set property for '${name}'`)
    pool.properties[property] = assignment.slice(at + 1)
  })
}

function scrub(args) {
  const { options, rest } = getopt(args, 'spwe', USAGE)
  if (rest.length === 0) refuse(`missing pool name argument\n${USAGE}`, 2)
  for (const name of rest)
    change((model) => {
      const pool = need(model, name)
      const running = pool.scan?.state === 'scanning'
      if (running && pool.scan.kind === 'resilver') refuse(`cannot scrub ${name}: currently resilvering`)
      if (options.s || options.p) {
        if (!running) refuse(`cannot ${options.s ? 'cancel' : 'pause'} scrubbing ${name}: there is no active scrub`)
        if (options.s) Object.assign(pool.scan, { state: 'canceled', end: now() })
        else if (pool.scan.paused)
          refuse(`cannot pause scrubbing ${name}: scrub is paused; use 'zpool scrub' to resume scrub`)
        else pool.scan.paused = now()
        return
      }
      if (healthOf(pool) === 'UNAVAIL') refuse(`cannot scrub ${name}: pool is currently unavailable`)
      if (running && pool.scan.paused) {
        delete pool.scan.paused
        return
      }
      if (running) refuse(`cannot scrub ${name}: currently scrubbing; use 'zpool scrub -s' to cancel scrub`)
      pool.scan = { kind: 'scrub', state: 'scanning', start: now(), percent: 0 }
      if (options.w) advance(pool, 100, model)
    })
}

function importPools(args) {
  const { options, rest } = getopt(args, 'aDfFlmnNsVc:d:o:R:t:T:', USAGE)
  const places = options.list.filter(([letter]) => letter === 'd').map(([, place]) => place)
  // Without -d only disks are looked at; with it, only what lies there.
  const visible = (pool) =>
    allLeaves(pool).some((leaf) =>
      places.length === 0
        ? leaf.type === 'disk'
        : places.some(
            (place) =>
              leaf.path === place || leaf.path.startsWith(`${place.replace(/\/$/, '')}/`) || place.startsWith('/dev'),
          ),
    )
  if (rest.length === 0 && !options.a) {
    const found = Object.values(look().exported).filter(visible)
    if (found.length === 0) return complain('no pools available to import', 0)
    found.forEach((pool, at) => {
      if (at > 0) print()
      print(`  pool: ${pool.name}\n    id: ${pool.guid}\n state: ${healthOf(pool)}`)
      print('action: The pool can be imported using its name or numeric identifier.\nconfig:\n')
      printConfig(pool, false)
    })
    return
  }
  change((model) => {
    const wanted = Object.values(model.exported).filter(
      (pool) => visible(pool) && (options.a || pool.name === rest[0] || pool.guid === rest[0]),
    )
    if (wanted.length === 0 && !options.a) refuse(`cannot import '${rest[0]}': no such pool available`)
    if (wanted.length > 1 && !options.a)
      refuse(`cannot import '${rest[0]}': more than one matching pool\nimport by numeric ID instead`)
    for (const pool of wanted) {
      const name = rest[1] ?? pool.name
      if (model.pools[name])
        refuse(
          rest[1] !== undefined
            ? `cannot import '${pool.name}' as '${name}': pool already exists`
            : `cannot import '${name}': a pool with that name already exists\nuse the form 'zpool import <pool | id> <newpool>' to give it a new name`,
        )
      if (pool.foreign && !options.f)
        refuse(
          `cannot import '${name}': pool was previously in use from another system.\nLast accessed by ${pool.foreign} (hostid=deadbeef) at Mon Jan  5 10:00:00 2026\nThe pool can be imported, use 'zpool import -f' to import the pool.`,
        )
      const key = Object.keys(model.exported).find((found) => model.exported[found] === pool)
      delete model.exported[key]
      const { datasets, foreign: _foreign, ...rest_ } = pool
      model.pools[name] = { ...rest_, name, readonly: options.list.some(([, value]) => value === 'readonly=on') }
      for (const [dataset, value] of Object.entries(datasets)) {
        const as = `${name}${dataset.slice(pool.name.length)}`
        model.datasets[as] = value
        if (value.type === 'filesystem') value.mounted = !options.N && wantsMount(model, as)
      }
    }
  })
}

function exportPool(args) {
  const { options, rest } = getopt(args, 'af', USAGE)
  if (rest.length === 0) refuse(`missing pool argument\n${USAGE}`, 2)
  for (const name of rest)
    change((model) => {
      const pool = need(model, name)
      if (refuseBusy(model, name, options.f, 'export')) return
      const datasets = Object.fromEntries(
        Object.entries(model.datasets).filter(
          ([dataset]) => dataset === name || (/^[/@]/.test(dataset.slice(name.length)) && dataset.startsWith(name)),
        ),
      )
      remove(model, name)
      model.exported[pool.guid] = { ...pool, datasets }
    })
}

function wait(args) {
  const { rest } = getopt(args, 'HpT:t:', USAGE)
  change((model) => {
    const pool = need(model, rest[0])
    while (pool.scan?.state === 'scanning' && !pool.scan.paused) advance(pool, 100, model)
  })
}

function sync(args) {
  const model = look()
  for (const name of args) need(model, name)
}

/** `labelclear -f DEVICE`, of a disk or one of its partitions. */
function labelclear(args) {
  const { options, rest } = getopt(args, 'f', USAGE)
  const [path] = rest
  change((model) => {
    const [name, disk] = Object.entries(model.disks).find(
      ([at, row]) => at === path || row.children?.some((child) => child.path === path),
    ) ?? [undefined, undefined]
    const row = name === path ? disk : disk?.children?.find((child) => child.path === path)
    if (row?.fstype !== 'zfs_member') refuse(`failed to read label from ${path}`)
    const user = userOf(model.pools, name)
    if (user) refuse(`${path} is a member (ACTIVE) of pool "${user}"`)
    if (!options.f) refuse(`use '-f' to override the following error:\n${path} is a member of potentially active pool`)
    delete row.fstype
    delete row.label
    for (const [pool, found] of Object.entries(model.exported))
      if (allLeaves(found).every((leaf) => model.disks[leaf.id] && !model.disks[leaf.id].fstype))
        delete model.exported[pool]
  })
}

const commands = {
  labelclear,
  create,
  destroy,
  list,
  status,
  get,
  set,
  scrub,
  wait,
  sync,
  import: importPools,
  export: exportPool,
  offline,
  online,
  clear,
  replace,
  attach,
  detach,
  add,
  remove: removeVdev,
  trim,
  upgrade,
  version: () => print('zfs-2.3.2-2\nzfs-kmod-2.3.2-2'),
}

fake(([command, ...args]) => {
  if (command === undefined) refuse(`missing command\n${USAGE}`, 2)
  if (command === '--version' || command === '-V') return commands.version()
  if (!Object.hasOwn(commands, command)) refuse(`unrecognized command '${command}'\n${USAGE}`, 2)
  commands[command](args)
})
