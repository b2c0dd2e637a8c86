// The types of persistent storage, their members and validation. Fields are checked in this order, because the contract
// makes the first error the message.
import { family } from '../addresses.ts'
import { ADDRESS, ALPHANUMERIC, DIGITS, type Field, type FieldError, PRINTABLE } from '../settings/upload/fields.ts'

export type StorageType = 'local' | 'nfs' | 'aoe' | 'iscsi' | 'nbd'

const field = (name: string, allowed: string, min = 3, max = 255): Field => ({
  name,
  allowed,
  min,
  max,
  required: true,
})
const IP = field('ip', ADDRESS, 3, 45)

export const TYPES: Record<StorageType, readonly Field[]> = {
  local: [],
  nfs: [field('mount_options', `${ALPHANUMERIC}.-=,`), IP, field('share', `${ALPHANUMERIC}.-_/`)],
  aoe: [field('device', `${ALPHANUMERIC}.-`)],
  iscsi: [field('target', `${ALPHANUMERIC}.-_:`), IP, field('username', PRINTABLE), field('password', PRINTABLE)],
  nbd: [field('export_name', `${ALPHANUMERIC}.-_/`), IP, field('port', DIGITS, 1, 5)],
}

const TARGET =
  /^(?:iqn\.\d{4}-(?:0[1-9]|1[0-2])\.[a-z0-9.-]+(?::.+)?|eui\.[0-9a-f]{16}|naa\.[0-9a-f]{16}(?:[0-9a-f]{16})?)$/i

/** The checks beyond the original's: one error per member. */
export function checkStorage(members: Record<string, string>): FieldError[] {
  // Each of these may become an argument of a program, where a leading dash would make it an option.
  const dashed = Object.keys(members).filter(
    (name) => members[name]?.startsWith('-') && name !== 'username' && name !== 'password',
  )
  const errors = dashed.map((field) => ({
    field,
    message: `Invalid value for option: ${field}. Expected no dash at the start`,
  }))
  const wrong = (field: string, message: string) => {
    if (!dashed.includes(field)) errors.push({ field, message })
  }
  const { ip, port, share, target } = members
  if (ip !== undefined && family(ip) === 0)
    wrong('ip', 'Invalid address for option: ip. Expected an IPv4 or IPv6 address')
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65535))
    wrong('port', 'Invalid value for option: port. Expected a number from 1 to 65535')
  if (share?.split('/').includes('..')) wrong('share', 'Invalid value for option: share. Expected a path without ..')
  if (target !== undefined && !TARGET.test(target))
    wrong('target', 'Invalid name for option: target. Expected an iSCSI name that starts with iqn, eui or naa')
  return errors
}
