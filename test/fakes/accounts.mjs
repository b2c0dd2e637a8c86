// What the fakes of the system's accounts and of Samba's share: the model's lists, with the accounts of a small Debian,
// and the rules of shadow 4.17 for names (measured on Debian 13).
import { refuse } from './model.mjs'

const SYSTEM = {
  users: {
    root: { uid: 0, gid: 0, full_name: 'root', home: '/root', shell: '/bin/bash' },
    'www-data': { uid: 33, gid: 33, full_name: 'www-data', home: '/var/www', shell: '/usr/sbin/nologin' },
    vendor: { uid: 1000, gid: 1000, full_name: 'The vendor', home: '/home/vendor', shell: '/bin/bash' },
    nobody: { uid: 65534, gid: 65534, full_name: 'nobody', home: '/nonexistent', shell: '/usr/sbin/nologin' },
  },
  groups: {
    root: { gid: 0, members: [] },
    audio: { gid: 29, members: ['vendor'] },
    games: { gid: 60, members: [] },
    'www-data': { gid: 33, members: [] },
    vendor: { gid: 1000, members: [] },
    nogroup: { gid: 65534, members: [] },
  },
  /** Samba's accounts, by name. */
  samba: {},
  policy: 5,
}

/** The model's accounts. */
export const accountsOf = (model) => (model.accounts ??= structuredClone(SYSTEM))

const STRICT = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*\$?$/
export const isPlain = (name) => STRICT.test(name) && !/^[0-9]+$/.test(name) && name !== '.' && name !== '..'

/** Long options with their values; `-K` may be repeated. */
export function longOptions(program, args, known) {
  const options = {}
  const rest = []
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--') return { options, rest: [...rest, ...args.slice(i + 1)] }
    if (!args[i].startsWith('-')) {
      rest.push(args[i])
      continue
    }
    if (!(args[i] in known)) refuse(`${program}: unrecognized option '${args[i]}'`, 2)
    options[args[i]] = known[args[i]] ? args[++i] : true
  }
  return { options, rest }
}

export const checkComment = (program, text) => {
  if (text !== undefined && /[:\n]/.test(text)) refuse(`${program}: invalid comment '${text}'`, 3)
}
export const NONE = 'X'.repeat(32)
