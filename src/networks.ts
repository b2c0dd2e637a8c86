// IP addresses and networks as texts: one spelling for each address, and whether a network holds it. Nothing is looked up.
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

/** The headers in which reverse proxies say who calls. */
export const FORWARDED_HEADERS = ['x-forwarded-for', 'forwarded'] as const

/**
 * The one spelling of an address: IPv4 as it is, IPv4 in an IPv6 address (`::ffff:192.0.2.1`) unwrapped, IPv6 short and in small letters,
 * without a zone. Undefined for a text that is no address.
 */
export function plainAddress(text: string): string | undefined {
  const [bare = ''] = text.split('%', 1)
  const family = isIP(bare)
  if (family !== 6) return family === 4 ? bare : undefined
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' })
  const wrapped = address.startsWith('::ffff:') ? address.slice(7) : ''
  return isIPv4(wrapped) ? wrapped : address
}

/** What is wrong with the text of where to listen: an address, or a name to be looked up. Undefined when it is one. */
export function objectionToHost(text: string): string | undefined {
  if (isIP(text) !== 0 || /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/.test(text)) {
    // A last label of digits is a mistyped address: the system would read `0` and `127.1` in its own way.
    if (isIP(text) !== 0 || /[A-Za-z][A-Za-z0-9-]*\.?$/.test(text)) return undefined
  }
  const bare = /^\[(.*)\]$/.exec(text)?.[1]
  if (bare !== undefined && isIP(bare) === 6) return `expected an address without brackets: ${bare}`
  return 'expected an address of this machine, such as 127.0.0.1, 0.0.0.0, ::1 or ::'
}

/** What is wrong with the text of a network (`192.0.2.1`, `10.0.0.0/8`, `fd00::/8`); undefined when it is one. */
export function objectionToNetwork(text: string): string | undefined {
  const network = parse(text)
  if (!network) return 'expected an address or a network, such as 192.0.2.10, 10.0.0.0/8 or fd00::/8'
  // `192.168.1.10/24` is what a machine shows as its own address: whether one machine or its whole network is meant, nobody can know.
  if (!bits(network.address).slice(network.length).includes('1')) return undefined
  return `${network.address} has bits beyond /${network.length}: expected the first address of a network, or one address without a length`
}

/** A question whether an address, spelled plainly, is in one of these networks. Their texts must have been found good. */
export function inNetworks(texts: readonly string[]): (address: string) => boolean {
  if (texts.length === 0) return () => false
  const list = new BlockList()
  for (const text of texts) {
    const network = parse(text)
    if (network) list.addSubnet(network.address, network.length, kind(network.address))
  }
  return (address) => isIP(address) !== 0 && list.check(address, kind(address))
}

const kind = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')

function parse(text: string): { address: string; length: number } | undefined {
  const [, before = '', after] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const address = plainAddress(before)
  if (address === undefined) return undefined
  const most = isIPv4(before) ? 32 : 128
  const length = after === undefined ? most : Number(after)
  // The length of an IPv4 network that is written as IPv6 counts the 96 bits before it.
  const plain = isIPv4(address) && most === 128 ? length - 96 : length
  return length <= most && plain >= 0 ? { address, length: plain } : undefined
}

/** Of an address in its one spelling, or in `canonical`'s; a last part with dots (`::192.0.2.1`) is two groups of others. */
export function bits(address: string): string {
  if (isIPv4(address)) return binary(address.split('.').map(Number), 8)
  const [left = [], right = []] = hexadecimal(address)
    .split('::')
    .map((half) => (half ? half.split(':').map((group) => Number.parseInt(group, 16)) : []))
  return binary([...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right], 16)
}

/** `::192.0.2.1` with its last two groups as the others are. */
const hexadecimal = (address: string) =>
  address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  )

const binary = (numbers: number[], width: number) =>
  numbers.map((number) => number.toString(2).padStart(width, '0')).join('')
