// The names and addresses under which this machine is reached: what its self-made certificate has to cover.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { plainAddress } from '../../networks.ts'

export interface MachineNames {
  /** The machine's host name comes first. */
  hosts: string[]
  addresses: string[]
}

/** What is read from the system (tests supply it themselves). */
export interface Machine {
  hostname: string
  /** The text of /etc/hosts. */
  hosts: string
  interfaces: NodeJS.Dict<{ address: string; internal: boolean }[]>
  /** The text of /proc/net/if_inet6, the only source that marks temporary addresses. */
  inet6: string
}

/** Some clients refuse certificates with very many names. */
const MOST = 64
const LOOPBACK = ['127.0.0.1', '::1']
/** IFA_F_TEMPORARY and IFA_F_TENTATIVE: addresses that change daily, and addresses that are not confirmed yet. */
const PASSING = 0x01 | 0x40

export const thisMachine = (): Machine => ({
  hostname: hostname(),
  hosts: read('/etc/hosts'),
  interfaces: networkInterfaces(),
  inet6: read('/proc/net/if_inet6'),
})

/** The configured addresses to listen on. */
export type ListenHosts = string | readonly string[]

const isEverywhere = (host: string) => host === '0.0.0.0' || host === '::'

export function machineNames(listening: ListenHosts, machine: Machine): MachineNames {
  const at = [listening].flat()
  const addresses = at.flatMap((host) => {
    const one = plainAddress(host)
    if (isEverywhere(host)) return ofInterfaces(machine, host)
    return one !== undefined && isCertifiable(one) ? [one] : []
  })
  const named = at.filter((host) => !isEverywhere(host) && !isIP(host))
  const hosts = [machine.hostname, ...fullNames(machine), ...named, 'localhost']
  return {
    hosts: [...new Set(hosts.map((name) => name.toLowerCase().replace(/\.$/, '')).filter((name) => isName(name)))],
    addresses: [...new Set([...LOOPBACK, ...addresses])].slice(0, MOST),
  }
}

/** What a certificate may contain as a name: letters, digits, dashes, and underscores, which some hosts use. */
const isName = (name: string) => name.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name)

function ofInterfaces({ interfaces, inet6 }: Machine, host: string): string[] {
  const passing = new Set(
    inet6
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , , flags = '0']) => (Number.parseInt(flags, 16) & PASSING) !== 0)
      .map(([digits = '']) => digits),
  )
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => isIP(address) === 4 || (host === '::' && isIP(address) === 6))
    .filter((address) => isCertifiable(address) && !passing.has(plainDigits(address)))
    .sort()
}

/**
 * A link-local address is useless without its interface, which a certificate cannot contain. An address of an automatic
 * tunnel (`::192.0.2.1`) is reachable only through that tunnel, and its spelling would make the whole list of names
 * invalid.
 */
const isCertifiable = (address: string) => !/^(fe[89ab]|169\.254\.|.*:.*\.)/i.test(address)

/** `2001:db8::1` as 32 digits, as the kernel lists it. */
function plainDigits(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const [left, right] = [groups(head), groups(tail)]
  const zeros = Array<string>(tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('')
}

/**
 * Names with a domain that /etc/hosts gives this host. A name server is not asked: that could take long, and its
 * answers may change by the minute.
 */
function fullNames({ hostname: own, hosts }: Machine): string[] {
  return hosts
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1))
    .filter((names) => names.includes(own))
    .flatMap((names) => names.filter((name) => name.startsWith(`${own}.`)))
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
