// A stand-in for scripts/lio.sh and the kernel behind it (LIO of Linux 6.12): folders that make their own files, links that hold what they
// show, and the same refusals; test/fixtures/lio-6.12 has what the real one said. Knobs in the model: `lio.sessions` (IQN → initiators that
// are logged in), `lio.taken` (ports that others listen on), `lio.stop` ({after, words | hang | kill}: once, after so many lines).
import { change, fake, input, look, print, refuse, strike } from './model.mjs'

const ENOENT = 'No such file or directory'
const EINVAL = 'Invalid argument'
const EEXIST = 'File exists'
const EPERM = 'Operation not permitted'
const EBUSY = 'Device or resource busy'
const ENOTEMPTY = 'Directory not empty'

const fresh = () => ({ folders: [], files: {}, links: {}, sessions: {}, taken: [] })
const shape = (path) => {
  const parts = path.split('/')
  if (parts[0] === 'core') return ['core', 'hba', 'store'][parts.length - 1] ?? 'none'
  if (parts[0] !== 'iscsi') return 'none'
  const [, , , kind, , inner] = parts
  if (parts.length <= 3) return ['iscsi', 'target', 'group'][parts.length - 1]
  if (parts.length === 5) return { lun: 'lun', np: 'portal', acls: 'acl' }[kind] ?? 'none'
  if (parts.length === 6 && kind === 'acls' && /^lun_/.test(inner)) return 'mapped'
  return 'none'
}
const last = (path) => path.replace(/.*\//, '')
const parent = (path) => path.replace(/\/[^/]*$/, '')

const AUTH = { 'auth/userid': '', 'auth/password': '', 'auth/userid_mutual': '', 'auth/password_mutual': '' }
/** What the kernel puts into a new folder. */
const DEFAULTS = {
  store: { enable: '0', udev_path: '', control: '', 'wwn/vpd_unit_serial': '', 'attrib/emulate_tpu': '0' },
  group: {
    enable: '0',
    'attrib/authentication': '1',
    'attrib/generate_node_acls': '0',
    'attrib/demo_mode_discovery': '1',
    'param/TargetAlias': 'LIO Target',
    ...AUTH,
  },
  acl: AUTH,
  mapped: { write_protect: '0' },
}
const NAMES = {
  hba: /^(iblock|fileio|rd_mcp|pscsi|user)_\d+$/,
  group: /^tpgt_\d+$/,
  lun: /^lun_\d+$/,
  mapped: /^lun_\d+$/,
  portal: /^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+$/,
}

class Words extends Error {}
const no = (words) => {
  throw new Words(words)
}

function mkdir(lio, path) {
  const to = (words) => no(`mkdir: cannot create directory '${path}': ${words}`)
  const kind = shape(path)
  if (lio.folders.includes(path)) to(EEXIST)
  // `acls`, `lun` and `np` come with their group.
  const above = ['lun', 'portal', 'acl'].includes(kind) ? parent(parent(path)) : parent(path)
  if (!['core', 'iscsi'].includes(above) && !lio.folders.includes(above)) to(ENOENT)
  if (!['hba', 'store', 'target', 'group', 'lun', 'portal', 'acl', 'mapped'].includes(kind)) to(EPERM)
  if (NAMES[kind] && !NAMES[kind].test(last(path))) to(EINVAL)
  if (kind === 'portal') {
    const port = last(path).replace(/.*:/, '')
    const target = path.split('/').slice(0, 2).join('/')
    const isAny = (name) => /^(0\.0\.0\.0|\[::\])/.test(name)
    const others = lio.folders.filter((one) => shape(one) === 'portal' && one.startsWith(`${target}/`))
    const clashes = others.some((one) => last(one).endsWith(`:${port}`) && (isAny(last(one)) || isAny(last(path))))
    if (clashes || lio.taken.includes(Number(port))) to(EINVAL)
  }
  lio.folders.push(path)
  for (const [name, value] of Object.entries(DEFAULTS[kind] ?? {})) lio.files[`${path}/${name}`] = value
}

function rmdir(lio, path) {
  const to = (words) => no(`rmdir: failed to remove '${path}': ${words}`)
  if (/^(acls|lun|np)$/.test(last(path)) && lio.folders.includes(parent(path))) to(EPERM)
  if (!lio.folders.includes(path)) to(ENOENT)
  if (Object.values(lio.links).includes(path)) to(EBUSY)
  const inside = [...lio.folders, ...Object.keys(lio.links)].some((one) => one.startsWith(`${path}/`))
  if (inside) to(ENOTEMPTY)
  lio.folders = lio.folders.filter((one) => one !== path)
  for (const file of Object.keys(lio.files)) if (file.startsWith(`${path}/`)) delete lio.files[file]
  if (shape(path) === 'acl') endSessions(lio, path.split('/')[1], last(path))
}

const endSessions = (lio, iqn, initiator) => {
  lio.sessions[iqn] = (lio.sessions[iqn] ?? []).filter((name) => initiator !== undefined && name !== initiator)
}

function link(lio, path, target) {
  const to = (words) => no(`ln: failed to create symbolic link '${path}': ${words}`)
  const [place, shown] = [shape(parent(path)), shape(target)]
  if (!lio.folders.includes(target) || !lio.folders.includes(parent(path))) to(ENOENT)
  if (Object.keys(lio.links).some((one) => parent(one) === parent(path))) to(EEXIST)
  if (!((place === 'lun' && shown === 'store') || (place === 'mapped' && shown === 'lun'))) to(EPERM)
  if (shown === 'store' && lio.files[`${target}/enable`] !== '1') to('No such device')
  lio.links[path] = target
}

function unlink(lio, path) {
  if (!(path in lio.links)) no(`rm: cannot remove '${path}': ${ENOENT}`)
  delete lio.links[path]
}

/** The last that `control` was told. */
const deviceOf = (files, store) =>
  files[`${store}/control`]
    ?.match(/udev_path=[^;]*/g)
    ?.at(-1)
    ?.slice('udev_path='.length)
const zvolOf = (device) => device.replace('/dev/zvol/', '')
const isZvol = (model, device) => model.datasets[zvolOf(device)]?.type === 'volume'

function write(model, path, value) {
  const { lio } = model
  // tee quotes what a shell would have to.
  const to = (words) => no(`tee: ${/[:[\]]/.test(path) ? `'${path}'` : path}: ${words}`)
  const isFolder = Object.keys(lio.files).some((file) => parent(file) === parent(path))
  if (!(path in lio.files)) to(isFolder ? 'Permission denied' : ENOENT)
  const [folder, name] = [parent(path), last(path)]
  if (name === 'control') {
    lio.files[path] += `${value};`
    return
  }
  if (name === 'enable' && shape(folder) === 'store') {
    const device = deviceOf(lio.files, folder)
    if (value !== '1' || device === undefined) to(EINVAL)
    if (lio.files[path] === '1') to(EEXIST)
    if (!isZvol(model, device)) to(ENOENT)
    const hasIt = (store) => lio.files[`${store}/enable`] === '1' && deviceOf(lio.files, store) === device
    if (lio.folders.some((other) => shape(other) === 'store' && hasIt(other))) to(EBUSY)
    if (model.datasets[zvolOf(device)].busy) to(EBUSY)
  } else if (/\/attrib\/|\/enable$/.test(path) && !/^[01]$/.test(value)) to(EINVAL)
  if (name === 'enable' && shape(folder) === 'group' && value === '0') endSessions(lio, path.split('/')[1])
  lio.files[path] = value
}

function device(model, path) {
  if (!isZvol(model, path)) no(`${path}: No such device`)
}

function perform(model, [operation, path, value]) {
  const { lio } = model
  if (path.includes('..')) no('')
  if (operation === 'mkdir') mkdir(lio, path)
  else if (operation === 'rmdir') rmdir(lio, path)
  else if (operation === 'link') link(lio, path, value)
  else if (operation === 'unlink') unlink(lio, path)
  else if (operation === 'write') write(model, path, value)
  else if (operation === 'device') device(model, path)
  else no('not an operation')
}

function apply(lines) {
  const outcome = change((model) => {
    model.lio ??= fresh()
    const { stop } = model.lio
    for (const [count, line] of lines.entries()) {
      if (stop && stop.after === count) {
        delete model.lio.stop
        return { count, stop, words: stop.words }
      }
      try {
        perform(model, line.split('\t'))
      } catch (error) {
        if (!(error instanceof Words)) throw error
        return { count, words: error.message }
      }
    }
    return {}
  })
  const { stop, words, count } = outcome
  if (stop?.kill || stop?.hang) strike(stop)
  if (count !== undefined) refuse(`${words}\nafter ${count}`)
}

/** The kernel shows a path that was not set as nothing at all, and a secret as an empty line. */
const show = (path, value) => {
  if (value !== '' || path.includes('/auth/')) print(`${path}\t${value}`)
}

function showStore(model, path) {
  const { files, links } = model.lio
  const device = deviceOf(files, path)
  const enabled = files[`${path}/enable`] === '1'
  show(`${path}/enable`, files[`${path}/enable`])
  show(`${path}/udev_path`, files[`${path}/udev_path`])
  show(`${path}/wwn/vpd_unit_serial`, `T10 VPD Unit Serial Number: ${files[`${path}/wwn/vpd_unit_serial`]}`)
  const status = Object.values(links).includes(path) ? 'ACTIVATED' : 'DEACTIVATED'
  const size = enabled ? 'SectorSize: 512  HwMaxSectors: 32768' : 'SectorSize: 0  HwMaxSectors: 0'
  const shown = device === undefined ? '' : `UDEV PATH: ${device}  `
  show(`${path}/info`, `Status: ${status}  Max Queue Depth: 0  ${size}`)
  show(`${path}/info`, `        ${enabled ? 'iBlock device: zd0' : ''}  ${shown}readonly: 0`)
  show(`${path}/info`, `        Major: ${enabled ? 230 : 0} Minor: 0${enabled ? '  CLAIMED: IBLOCK' : ''}`)
  const bytes = Number(model.datasets[zvolOf(device ?? '')]?.properties?.volsize ?? 0)
  if (enabled && bytes > 0) print(`${path}/sectors\t${bytes / 512}`)
}

function showLinks(lio, folder) {
  for (const [path, target] of Object.entries(lio.links)) if (parent(path) === folder) print(`${path}\t-> ${target}`)
}

/** `info` of an initiator, as test/fixtures/lio-6.12/session.txt has it. */
function sessionOf(name, sessions) {
  if (!sessions.includes(name)) return [`No active iSCSI Session for Initiator Endpoint: ${name}`]
  return [
    `InitiatorName: ${name}`,
    'InitiatorAlias: vmrig',
    'LIO Session ID: 1   ISID: 0x00 02 3d 00 00 02  TSIH: 2  SessionType: Normal',
    'Session State: TARG_SESS_STATE_LOGGED_IN',
    '---------------------[iSCSI Session Values]-----------------------',
    '  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT',
    ' 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005e   0x0000005a',
    '----------------------[iSCSI Connections]-------------------------',
    'CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN',
    '   Address 127.0.0.1 TCP  StatSN: 0x0d431bea',
  ]
}

function showGroup(lio, path) {
  const below = (kind) => lio.folders.filter((one) => shape(one) === kind && one.startsWith(`${path}/`)).sort()
  const sessions = lio.sessions[path.split('/')[1]] ?? []
  const names = ['enable', 'param/TargetAlias', ...Object.keys(AUTH)]
  const attributes = ['authentication', 'generate_node_acls', 'demo_mode_discovery'].map((name) => `attrib/${name}`)
  for (const name of [...names, ...attributes]) show(`${path}/${name}`, lio.files[`${path}/${name}`])
  if (lio.files[`${path}/attrib/generate_node_acls`] === '1')
    for (const name of sessions.filter((one) => !below('acl').some((acl) => last(acl) === one)))
      show(`${path}/dynamic_sessions`, name)
  for (const portal of below('portal')) print(`${portal}/`)
  for (const lun of below('lun')) {
    print(`${lun}/`)
    showLinks(lio, lun)
  }
  for (const acl of below('acl')) {
    print(`${acl}/`)
    for (const text of sessionOf(last(acl), sessions)) show(`${acl}/info`, text)
    for (const file of Object.keys(AUTH)) show(`${acl}/${file}`, lio.files[`${acl}/${file}`])
    for (const mapped of below('mapped').filter((one) => parent(one) === acl)) {
      print(`${mapped}/`)
      showLinks(lio, mapped)
    }
  }
}

function read() {
  const model = look()
  const lio = { ...fresh(), ...model.lio }
  const all = (kind) => lio.folders.filter((path) => shape(path) === kind).sort()
  for (const hba of all('hba')) {
    print(`${hba}/`)
    for (const store of all('store').filter((path) => parent(path) === hba)) {
      print(`${store}/`)
      showStore({ ...model, lio }, store)
    }
  }
  for (const target of all('target')) {
    print(`${target}/`)
    for (const group of all('group').filter((path) => parent(path) === target)) {
      print(`${group}/`)
      showGroup(lio, group)
    }
  }
}

fake(([action]) => {
  if (action === 'read') read()
  else if (action === 'apply') apply(input().split('\n').filter(Boolean))
  else refuse('usage: lio.sh read|apply', 2)
})
