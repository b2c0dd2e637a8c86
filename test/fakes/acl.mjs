// Access control lists for the fake getfacl and setfacl: the named entries and defaults are in the model, by device,
// inode and birth; owner, group, others and mask are the file's own mode bits, as on a real file system.
import { chmodSync, statSync } from 'node:fs'
import { change, complain, look, print, refuse } from './model.mjs'

const keyOf = (info) => `${info.dev}:${info.ino}:${info.birthtimeMs}`
const letters = (bits) => `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`
const bitsOf = (text) => (text[0] === 'r' ? 4 : 0) + (text[1] === 'w' ? 2 : 0) + (text[2] === 'x' ? 1 : 0)

function filesOf(args, flags) {
  const end = args.indexOf('--')
  if (end < 0) refuse('the fake wants -- before the files', 2)
  for (const flag of args.slice(0, end)) if (!flags.includes(flag)) refuse(`unknown option ${flag}`, 2)
  return args.slice(end + 1)
}
const found = (program, file) => {
  try {
    return statSync(file)
  } catch {
    complain(`${program}: ${file}: No such file or directory`)
    return undefined
  }
}

export function getfacl(args) {
  const acls = look().acls ?? {}
  for (const file of filesOf(args, ['--absolute-names', '--numeric'])) {
    const info = found('getfacl', file)
    if (!info) continue
    const { named = [], group, fallback } = acls[keyOf(info)] ?? {}
    print(`# file: ${file}\n# owner: ${info.uid}\n# group: ${info.gid}`)
    const extended = group !== undefined
    print(`user::${letters(info.mode >> 6)}`)
    for (const line of named.filter((line) => line.startsWith('user'))) print(line)
    print(`group::${letters(extended ? group : info.mode >> 3)}`)
    for (const line of named.filter((line) => line.startsWith('group'))) print(line)
    if (extended) print(`mask::${letters(info.mode >> 3)}`)
    print(`other::${letters(info.mode)}`)
    for (const line of fallback ?? []) print(`default:${line}`)
    print()
  }
}

export function setfacl(args, text) {
  const files = filesOf(args, ['--remove-default', '--set-file=-'])
  const lines = text.split('\n').filter(Boolean)
  const fallback = lines.filter((line) => line.startsWith('default:')).map((line) => line.slice(8))
  const access = lines.filter((line) => !line.startsWith('default:'))
  const base = (type) => access.find((line) => line.startsWith(`${type}::`))?.slice(type.length + 2)
  const [user, group, mask, other] = ['user', 'group', 'mask', 'other'].map(base)
  if (lines.some((line) => !/^(?:default:)?(?:user|group|mask|other):\d*:[r-][w-][x-]$/.test(line)))
    refuse('setfacl: Option --set-file: Invalid argument near character 1', 2)
  const kept = {}
  const refusal = look().aclRefused
  for (const file of files) {
    const info = found('setfacl', file)
    if (!info) continue
    if (refusal || (fallback.length > 0 && !info.isDirectory())) {
      complain(`setfacl: ${file}: ${refusal ?? 'Only directories can have default ACLs'}`)
      continue
    }
    chmodSync(file, (info.mode & 0o7000) | (bitsOf(user) << 6) | (bitsOf(mask ?? group) << 3) | bitsOf(other))
    kept[keyOf(info)] = {
      ...(mask !== undefined && {
        named: access.filter((line) => /^(?:user|group):\d/.test(line)),
        group: bitsOf(group),
      }),
      ...(fallback.length > 0 && { fallback }),
    }
  }
  change((model) => {
    model.acls = { ...model.acls, ...kept }
  })
}
