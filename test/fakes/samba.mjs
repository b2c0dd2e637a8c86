// What the fakes of Samba share: smb.conf's text, Samba's parameters, and the real programs where this machine has
// them. `net conf` needs no smbd, so on a machine with Samba's tools the tests run the real `net` and `testparm`, on a
// configuration in the world's own folder.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Those that we and the tests set: what Samba calls them, and its defaults; a boolean is yes or no, `list` is joined by blanks. */
export const KNOWN = {
  path: '',
  comment: '',
  'read only': 'Yes',
  'guest ok': 'No',
  available: 'Yes',
  browseable: 'Yes',
  'create mask': '0744',
  'directory mask': '0755',
  'inherit acls': 'No',
  'valid users': 'list',
  'invalid users': 'list',
  'write list': 'list',
  'read list': 'list',
  'admin users': 'list',
  'force user': '',
  'force group': '',
  'vfs objects': 'list',
  'hosts allow': 'list',
  'hosts deny': 'list',
}
const SYNONYMS = { browsable: 'browseable', public: 'guest ok', directory: 'path' }
const INVERSE = { writeable: 'read only', writable: 'read only', 'write ok': 'read only' }

const isYes = (value) => /^(yes|y|true|1|on)$/i.test(value)
const isFlag = (value) => isYes(value) || /^(no|n|false|0|off)$/i.test(value)

/** The parameter as the registry keeps it; undefined when Samba has none of that name or it cannot have that value. */
export function canonical(name, value) {
  const lower = name.toLowerCase()
  if (lower.includes(':')) return [name, value]
  if (lower in INVERSE) return isFlag(value) ? [INVERSE[lower], isYes(value) ? 'no' : 'yes'] : undefined
  const known = SYNONYMS[lower] ?? lower
  if (!(known in KNOWN)) return undefined
  const bad = /^(Yes|No)$/.test(KNOWN[known]) && !isFlag(value)
  return bad ? undefined : [known, value]
}

/** Sections of a text as Samba reads it: a line that ends in a backslash goes on. */
export function sectionsOf(text) {
  const sections = {}
  let at
  for (const line of text
    .replace(/\\\n/g, '')
    .split('\n')
    .map((part) => part.trim())) {
    if (line === '' || /^[#;]/.test(line)) continue
    if (line.startsWith('[')) at = sections[line.slice(1, line.indexOf(']'))] ??= []
    else at?.push([line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()])
  }
  return sections
}

/** The real program on the world's own configuration, where both are there; undefined where the fake has to do. */
export function real(program, args, world) {
  const conf = join(world, 'smb.conf')
  if (!existsSync(conf)) return undefined
  const [before, after] = program === 'net' ? [[`--configfile=${conf}`], []] : [[], [conf]]
  return spawnSync(`/usr/bin/${program}`, [...before, ...args, ...after], { encoding: 'utf8' })
}
