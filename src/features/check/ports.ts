// Checks where the server listens, or will: whether it may, whether another program does, and who can reach it. Read
// from /proc, without opening a socket. Options and environment of the server count, too, and the check's own may
// differ, so the record of a running server is preferred.
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Finding, note, ok, warning } from './finding.ts'
import type { Place } from './place.ts'
import { runningServer } from './server.ts'

interface Address {
  host: string
  port: number
}

export async function lookAtPorts(place: Place): Promise<Finding[]> {
  const { listen } = place.configured.settings
  const own = place.within ? listen : runningServer(place)?.listen
  const first = own ?? listen
  const more = (listen.ports ?? []).map(({ host, port }) => ({ host: host ?? first.host, port }))
  const found = await Promise.all([first, ...more].map((one) => lookAtPort(place, one, own !== undefined)))
  return found.flat()
}

/** `serves`: a server runs, and has the port. */
async function lookAtPort(place: Place, { host, port }: Address, serves: boolean): Promise<Finding[]> {
  const subject = `listen ${host.includes(':') ? `[${host}]` : host}:${port}`
  const found = [...(await lookAtRight(place, port, subject)), ...lookAtAddress(host, subject)]
  if (!serves && found.length === 0) found.push(...(await lookAtListeners({ host, port }, subject)))
  if (isLoopback(host))
    found.push(
      note(
        'ports.loopback',
        subject,
        serves
          ? 'only this machine itself can reach it'
          : 'only this machine itself can reach it by the configuration; options and environment of the server may say otherwise',
        'Set "listen": {"host": "0.0.0.0"} (or "::") for others and start the server again, or put a proxy in front of it.',
      ),
    )
  return found.length > 0
    ? found
    : [ok('ports.ok', subject, serves ? 'the server listens there' : 'it can listen there')]
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || /^127\./.test(host)
const isAny = (host: string) => host === '0.0.0.0' || host === '::'

/** Ports below this one need root. */
const FIRST_FREE = '/proc/sys/net/ipv4/ip_unprivileged_port_start'

async function lookAtRight({ server }: Place, port: number, subject: string): Promise<Finding[]> {
  const first = Number((await readFile(FIRST_FREE, 'utf8').catch(() => '1024')).trim())
  if (!server || server.uid === 0 || port === 0 || port >= first) return []
  return [
    warning(
      'ports.low',
      subject,
      `ports below ${first} are root’s, and the server is not root`,
      'Take a port from there on, or give its unit AmbientCapabilities=CAP_NET_BIND_SERVICE.',
    ),
  ]
}

function lookAtAddress(host: string, subject: string): Finding[] {
  if (!isIP(host) || isAny(host) || isLoopback(host)) return []
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? [])
  if (own.includes(host)) return []
  return [
    warning(
      'ports.no-such-address',
      subject,
      'no interface of this machine has that address now',
      'Set "listen.host" to one that it has, or to 0.0.0.0 or ::',
    ),
  ]
}

async function lookAtListeners({ host, port }: Address, subject: string): Promise<Finding[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'latin1').catch(() => '')),
  )
  const theirs = tables.flatMap(listeners).filter((one) => one.port === port && meet(one.address, host))
  if (port === 0 || theirs.length === 0) return []
  return [
    note(
      'ports.taken',
      subject,
      'a program listens there now',
      'Nothing, where it is this server; else end that program, or take another port.',
    ),
  ]
}

/** Whether a server on `host` would conflict with a listener on that address. */
const meet = (address: string, host: string) => isAny(host) || /^0+$/.test(address) || address === digits(host)

/** The listening sockets in /proc/net/tcp and tcp6, with the addresses as written there. */
function listeners(table: string): { address: string; port: number }[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map(([, local = '']) => local.split(':') as [string, string])
    .map(([address, port]) => ({ address: address.replace(/^0{16}FFFF0000/, ''), port: Number.parseInt(port, 16) }))
}

/** An IPv4 address as the kernel writes it on little-endian machines: the last byte first. */
function digits(host: string): string {
  const address = host === 'localhost' ? '127.0.0.1' : host
  if (isIP(address) !== 4) return address === '::1' ? '00000000000000000000000001000000' : ''
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return bytes.reverse().join('').toUpperCase()
}
