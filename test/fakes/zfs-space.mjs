// What users and groups use of a fake's dataset, and their quotas: `quotas` of a dataset in the model, as `user@1000`, and
// `userspace` and `groupspace`, bytes by number. The trap: `zfs get all` lists none of these properties.
import { accountsOf } from './accounts.mjs'
import { getopt, look, parseSize, print, refuse } from './model.mjs'

const SPACE_QUOTA = /^(user|group)quota@(.*)$/
export const isSpaceQuota = (property) => SPACE_QUOTA.test(property)

export function checkSpaceQuota(property, value, type, start) {
  const [, kind, who] = SPACE_QUOTA.exec(property)
  if (type !== 'filesystem') refuse(`${start}: '${property}' does not apply to datasets of this type`, 255)
  const { users, groups } = accountsOf(look())
  if (!/^[0-9]+$/.test(who) && !(kind === 'user' ? users : groups)[who])
    refuse(`${start}: invalid property '${property}'`, 255)
  const bytes = value === 'none' ? 0 : parseSize(value)
  if (bytes === undefined) refuse(`${start}: bad numeric value '${value}'`, 255)
  return bytes
}

export function setSpaceQuota(dataset, property, bytes) {
  const [, kind, who] = SPACE_QUOTA.exec(property)
  dataset.quotas ??= {}
  if (bytes === 0) delete dataset.quotas[`${kind}@${who}`]
  else dataset.quotas[`${kind}@${who}`] = bytes
}

/** `zfs userspace -Hnp -o name,used,quota -t posixuser NAME`. */
export function space(kind, args) {
  const { options, rest } = getopt(args, 'Hnpio:t:s:S:', 'usage')
  const [name] = rest
  if (!options.H || !options.n || !options.p || options.o !== 'name,used,quota' || options.t !== `posix${kind}`)
    refuse(`the fake does not know these options: ${args.join(' ')}`, 2)
  const dataset = look().datasets[name]
  if (!dataset) refuse(`cannot open '${name}': dataset does not exist`)
  if (dataset.type !== 'filesystem') refuse(`cannot open '${name}': operation not applicable to datasets of this type`)
  const used = dataset[`${kind}space`] ?? { 0: 1536 }
  const quotas = Object.entries(dataset.quotas ?? {}).filter(([key]) => key.startsWith(`${kind}@`))
  const limits = Object.fromEntries(quotas.map(([key, bytes]) => [key.slice(kind.length + 1), bytes]))
  for (const id of new Set([...Object.keys(used), ...Object.keys(limits)]))
    print(`${id}\t${used[id] ?? 0}\t${limits[id] ?? 'none'}`)
}
