// The network part of the settings: its members and their validation. The order of the fields is part of the contract:
// clients get the first error as the message.
import { invalid } from '../../errors.ts'
import {
  canonical,
  family,
  inSameNetwork,
  isHostname,
  isLinkLocal,
  isMachine,
  isReachable,
  prefixLength,
  roleIn,
} from '../addresses.ts'
import { ADDRESS, ALPHANUMERIC, collect, type Field, type FieldError, type Mode } from './upload/fields.ts'

const ORIGINAL = [
  { name: 'interface', allowed: ALPHANUMERIC, min: 3, max: 14, required: true },
  { name: 'hostname', allowed: `${ALPHANUMERIC}.-`, min: 3, max: 255, required: true },
  { name: 'ip_address', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'netmask', allowed: `${ADDRESS}/`, min: 2, max: 45 },
  { name: 'gateway', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'dns1', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'dns2', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'ntpserver', allowed: `${ALPHANUMERIC}.-:`, min: 3, max: 255 },
] as const satisfies readonly Field[]

type Name = (typeof ORIGINAL)[number]['name']
type NamedField = Field & { name: Name }

/** The kernel's rules for interface names (eth0.100, br-lan, 15 bytes) and the length of a host name (64). */
const KERNEL: Partial<Record<Name, Partial<Field>>> = {
  interface: { allowed: `${ALPHANUMERIC}._-`, min: 1, max: 15 },
  hostname: { min: 1, max: 64 },
  // A prefix length may have one digit.
  netmask: { min: 1 },
  ip_address: { min: 2 },
  gateway: { min: 2 },
  dns1: { min: 2 },
  dns2: { min: 2 },
  ntpserver: { min: 1 },
}

export const fieldsOf = (mode: Mode): readonly NamedField[] =>
  mode === 'original'
    ? ORIGINAL
    : ORIGINAL.map((field): NamedField => ({ ...field, ...KERNEL[field.name], name: field.name }))

export const NAMES: readonly string[] = ORIGINAL.map(({ name }) => name)

/** Every member's text; empty if it is missing. */
export type Network = Record<Name, string>

/** A static address needs no router: a storage network has none. The original requires all three. */
export function modeOf(network: Network, mode: Mode): 'static' | 'dhcp' {
  const needed =
    mode === 'original' ? (['ip_address', 'netmask', 'gateway'] as const) : (['ip_address', 'netmask'] as const)
  return needed.every((name) => network[name] !== '') ? 'static' : 'dhcp'
}

/** The checks beyond the original's: all errors, by member, in the order of the fields. */
export function checkNetwork(network: Network): FieldError[] {
  const errors: FieldError[] = []
  const check = (name: Name, act: () => void) => {
    if (network[name] !== '' && !errors.some(({ field }) => field === name)) collect(errors, name, act)
  }
  const refuse = (kind: string, name: Name, expected: string) => {
    throw invalid(`Invalid ${kind} for option: ${name}. Expected ${expected}`)
  }
  check('interface', () => {
    if (/^[-.]/.test(network.interface)) refuse('name', 'interface', 'a letter, a digit or _ at its beginning')
  })
  check('hostname', () => {
    // Programs that resolve names treat a bare number as an address.
    if (!isHostname(network.hostname) || /^\d+$/.test(network.hostname)) refuse('name', 'hostname', 'a host name')
  })
  for (const name of ['ip_address', 'gateway', 'dns1', 'dns2'] as const)
    check(name, () => {
      if (family(network[name]) === 0) refuse('address', name, 'an IPv4 or IPv6 address')
    })
  for (const name of ['dns1', 'dns2'] as const)
    check(name, () => {
      if (!isReachable(network[name])) refuse('address', name, 'no multicast, reserved or unspecified address')
    })
  check('ntpserver', () => {
    if (family(network.ntpserver) === 0 && !isHostname(network.ntpserver))
      refuse('name', 'ntpserver', 'a host name, an IPv4 or an IPv6 address')
  })
  return [...errors, ...checkStatic(network, errors)]
}

/** Address, mask and router together; `before` has the errors of each of them alone. */
function checkStatic(network: Network, before: readonly FieldError[]): FieldError[] {
  const { ip_address, netmask, gateway } = network
  if (ip_address === '' && netmask === '' && gateway === '') return []
  const missing = (['ip_address', 'netmask'] as const).filter((name) => network[name] === '')
  if (missing.length > 0) {
    const message = `Incomplete static settings. Missing: ${missing.join(', ')}`
    return missing.map((field) => ({ field, message }))
  }
  const errors: FieldError[] = []
  const fine = (name: Name) => ![...before, ...errors].some(({ field }) => field === name)
  const refuse = (field: Name, kind: string, expected: string) =>
    errors.push({ field, message: `Invalid ${kind} for option: ${field}. Expected ${expected}` })
  const given = (['ip_address', 'gateway'] as const).filter((name) => network[name] !== '')
  for (const name of given)
    if (fine(name) && !isMachine(network[name]))
      refuse(name, 'address', 'neither a loopback, multicast nor reserved address')
  const of = family(ip_address)
  const length = of === 0 ? undefined : prefixLength(netmask, of)
  if (of !== 0 && length === undefined)
    refuse(
      'netmask',
      'value',
      of === 4 ? 'a contiguous mask, or a prefix length from 1 to 32' : 'a prefix length from 1 to 128',
    )
  if (of === 0 || length === undefined) return errors
  for (const name of given) {
    const role = fine(name) && family(network[name]) === of ? roleIn(network[name], length) : undefined
    // The network's own address is valid as a router of an IPv6 network (RFC 4291, 2.6.1).
    if (role && !(of === 6 && name === 'gateway'))
      refuse(name, 'address', `the address of a machine, not the ${role} address of its network`)
  }
  if (gateway !== '' && fine('gateway') && fine('ip_address')) {
    if (family(gateway) !== of) refuse('gateway', 'address', 'an address of the same family as ip_address')
    else if (canonical(gateway) === canonical(ip_address))
      refuse('gateway', 'address', 'another address than ip_address')
    // The router of a single-host network lies outside it, and so may one with a link-local address.
    else if (length < (of === 4 ? 32 : 128) && !isLinkLocal(gateway) && !inSameNetwork(gateway, ip_address, length))
      refuse('gateway', 'address', 'an address in the network of ip_address and netmask')
  }
  return errors
}
