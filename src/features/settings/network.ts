// The network half of the settings: its members, and what makes them real rather than merely well spelt.
// The trap: the order of FIELDS is the contract: the first failure is the one that the client is told.
import { invalid } from '../../http/errors.ts'
import { canonical, family, isHostname, isMachine, prefixLength } from '../addresses.ts'
import { ADDRESS, ALPHANUMERIC, type Field } from '../conf/fields.ts'

export const FIELDS = [
  { name: 'interface', allowed: ALPHANUMERIC, min: 3, max: 14, required: true },
  { name: 'hostname', allowed: `${ALPHANUMERIC}.-`, min: 3, max: 255, required: true },
  { name: 'ip_address', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'netmask', allowed: `${ADDRESS}/`, min: 2, max: 45 },
  { name: 'gateway', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'dns1', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'dns2', allowed: ADDRESS, min: 3, max: 45 },
  { name: 'ntpserver', allowed: `${ALPHANUMERIC}.-:`, min: 3, max: 255 },
] as const satisfies readonly Field[]

/** Every member's text, empty where none was given. */
export type Network = Record<(typeof FIELDS)[number]['name'], string>

/** All three make a static address; without any it is DHCP. */
const STATIC = ['ip_address', 'netmask', 'gateway'] as const

export const modeOf = (network: Network) => (STATIC.every((name) => network[name] !== '') ? 'static' : 'dhcp')

/** The checks beyond the original's. Throws the first failure. */
export function checkNetwork(network: Network): void {
  const { hostname, ip_address, netmask, gateway, ntpserver } = network
  if (!isHostname(hostname)) throw invalid('Invalid name for option: hostname. Expected a host name')
  for (const name of ['ip_address', 'gateway', 'dns1', 'dns2'] as const) {
    if (network[name] !== '' && family(network[name]) === 0) {
      throw invalid(`Invalid address for option: ${name}. Expected an IPv4 or IPv6 address`)
    }
  }
  if (ntpserver !== '' && family(ntpserver) === 0 && !isHostname(ntpserver)) {
    throw invalid('Invalid name for option: ntpserver. Expected a host name, an IPv4 or an IPv6 address')
  }
  const missing = STATIC.filter((name) => network[name] === '')
  if (missing.length === STATIC.length) return
  if (missing.length > 0) throw invalid(`Incomplete static settings. Missing: ${missing.join(', ')}`)
  for (const name of ['ip_address', 'gateway'] as const) {
    if (!isMachine(network[name])) {
      throw invalid(`Invalid address for option: ${name}. Expected neither a loopback, multicast nor reserved address`)
    }
  }
  const of = family(ip_address)
  if (prefixLength(netmask, of) === undefined) {
    throw invalid(
      of === 4
        ? 'Invalid value for option: netmask. Expected a contiguous mask, or a prefix length from 1 to 32'
        : 'Invalid value for option: netmask. Expected a prefix length from 1 to 128',
    )
  }
  if (family(gateway) !== of) {
    throw invalid('Invalid address for option: gateway. Expected an address of the same family as ip_address')
  }
  if (canonical(gateway) === canonical(ip_address)) {
    throw invalid('Invalid address for option: gateway. Expected another address than ip_address')
  }
}
