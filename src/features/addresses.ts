// Is it a real address, netmask or host name? Pure questions about text; nothing is looked up. Node's isIP takes a zone
// (`fe80::1%eth0`), which no configuration file here may carry.
import { BlockList, isIP, SocketAddress } from 'node:net'
import { bits } from '../networks.ts'

/** 4 or 6, or 0 for what is no address. */
export type Family = 0 | 4 | 6

export const family = (text: string): Family => (text.includes('%') ? 0 : (isIP(text) as Family))

/** Loopback, multicast, unspecified, reserved: addresses that no network interface of a machine can have. */
const NOBODY = new BlockList()
NOBODY.addSubnet('0.0.0.0', 8)
NOBODY.addSubnet('127.0.0.0', 8)
NOBODY.addSubnet('224.0.0.0', 3)
NOBODY.addAddress('::', 'ipv6')
NOBODY.addAddress('::1', 'ipv6')
NOBODY.addSubnet('ff00::', 8, 'ipv6')

/** Addresses that nobody can be asked at: unspecified, multicast, reserved. A name server may well run on this machine. */
const UNREACHABLE = new BlockList()
UNREACHABLE.addSubnet('0.0.0.0', 8)
UNREACHABLE.addSubnet('224.0.0.0', 3)
UNREACHABLE.addAddress('::', 'ipv6')
UNREACHABLE.addSubnet('ff00::', 8, 'ipv6')

const isMapped = (address: string) => /^::ffff:/i.test(canonical(address))

export const isReachable = (address: string) => {
  const of = family(address)
  return of !== 0 && !isMapped(address) && !UNREACHABLE.check(address, of === 4 ? 'ipv4' : 'ipv6')
}

/** Can one machine of a network have this address? */
export const isMachine = (address: string) => {
  const of = family(address)
  return of !== 0 && !isMapped(address) && !NOBODY.check(address, of === 4 ? 'ipv4' : 'ipv6')
}

/** The same for every spelling of one address. */
export const canonical = (address: string) =>
  new SocketAddress({ address, family: family(address) === 6 ? 'ipv6' : 'ipv4' }).address

const bitsOf = (of: Family) => (of === 4 ? 32 : 128)

/** Its 32 or 128 bits as a number. */
export const numberOf = (address: string) => BigInt(`0b${bits(canonical(address))}`)

/** What an address is within its network of `length`, when it is no machine's: the network itself, or everybody in it. */
export function roleIn(address: string, length: number): 'network' | 'broadcast' | undefined {
  const of = family(address)
  const rest = BigInt(bitsOf(of) - length)
  // Two machines on a line, or one alone, have no such addresses (RFC 3021, RFC 6164).
  if (rest < 2n) return undefined
  const last = (1n << rest) - 1n
  const host = numberOf(address) & last
  if (host === 0n) return 'network'
  return of === 4 && host === last ? 'broadcast' : undefined
}

export const inSameNetwork = (a: string, b: string, length: number) => {
  const rest = BigInt(bitsOf(family(a)) - length)
  return numberOf(a) >> rest === numberOf(b) >> rest
}

export const isLinkLocal = (address: string) => /^fe[89ab]/i.test(canonical(address))

/** The length of a netmask (`255.255.255.0`, `24` or `/24`) for addresses of a family; undefined when it is none. */
export function prefixLength(netmask: string, of: Family): number | undefined {
  const length = Number(/^\/?(\d{1,3})$/.exec(netmask)?.[1] ?? (of === 4 ? maskLength(netmask, of) : undefined))
  return length >= 1 && length <= bitsOf(of) ? length : undefined
}

/** Of a mask as an address, which of IPv6 (`ffff:ffff::`) only exports(5) takes. */
export function maskLength(netmask: string, of: Family): number | undefined {
  if (of === 0 || family(netmask) !== of) return undefined
  const mask = bits(canonical(netmask))
  return /^1*0*$/.test(mask) ? mask.lastIndexOf('1') + 1 : undefined
}

/** RFC 1123: labels of 1 to 63 letters, digits and inner dashes. A dotted name that ends in a number is a mistyped address. */
export const isHostname = (text: string) =>
  text.length <= 253 &&
  text.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) &&
  !/\.\d+$/.test(text)
