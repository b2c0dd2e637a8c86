// trim and upgrade of the fake zpool. The words are those of OpenZFS 2.3, recorded in test/fixtures.
import { change, complain, getopt, now, print, refuse } from './model.mjs'
import { allLeaves } from './zpool-vdevs.mjs'

const USAGE = 'usage:\n\tzpool command args ...'
const need = (model, name) => model.pools[name] ?? refuse(`cannot open '${name}': no such pool`, 255)

/** Those that this version has; `model.zfs` is an older version than 2.3. */
export const featuresOf = ({ zfs }) => ['async_destroy', 'device_rebuild', ...(zfs ? [] : ['raidz_expansion'])]

export function trim(args) {
  const { options, rest } = getopt(args, 'cdr:sw', USAGE)
  const [name, ...words] = rest
  if (name === undefined) refuse(`missing pool name argument\n${USAGE}`, 2)
  change((model) => {
    const pool = need(model, name)
    const all = allLeaves({ vdevs: pool.vdevs.filter(({ section }) => section !== 'spare') })
    const chosen =
      words.length === 0
        ? all
        : words.map(
            (word) =>
              all.find((leaf) => [leaf.name, leaf.path, leaf.guid].includes(word)) ??
              refuse(`cannot trim '${word}': no such device in pool`, 255),
          )
    const able = chosen.filter(({ noTrim, state }) => !noTrim && state === undefined)
    const running = able.filter((leaf) => leaf.trim?.state === 'active' || leaf.trim?.state === 'suspended')
    if (options.c || options.s) {
      const none = able.map((leaf) => `cannot trim '${leaf.name}': there is no active trim`)
      if (running.length === 0) refuse(none.join('\n'), 255)
      for (const leaf of running) leaf.trim.state = options.c ? 'canceled' : 'suspended'
      return
    }
    if (able.length === 0) refuse(`cannot trim: no devices in pool support trim operations`, 255)
    const active = able.find((leaf) => leaf.trim?.state === 'active')
    if (active) refuse(`cannot trim '${active.name}': currently trimming`, 255)
    for (const leaf of able)
      leaf.trim =
        leaf.trim?.state === 'suspended'
          ? { ...leaf.trim, state: 'active' }
          : { state: 'active', percent: 0, start: now() }
  })
}

export function upgrade(args) {
  const { rest } = getopt(args, 'avV:', USAGE)
  const [name] = rest
  print('This system supports ZFS pool feature flags.\n')
  change((model) => {
    const pool = model.pools[name]
    if (!pool) return complain(`cannot open '${name}': no such pool`)
    if (!pool.disabled?.length) return print(`Pool '${name}' already has all supported and requested features enabled.`)
    print(`Enabled the following features on '${name}':\n${pool.disabled.map((feature) => `  ${feature}\n`).join('')}`)
    delete pool.disabled
  })
}
