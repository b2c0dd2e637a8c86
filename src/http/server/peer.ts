// Determines where a request comes from. Behind a reverse proxy every connection has the proxy's address, and the
// client's is in a header that anyone can send: it is trusted only from the configured proxies, and only the part that
// they wrote.
import type { IncomingMessage } from 'node:http'
import { type FORWARDED_HEADERS, inNetworks, plainAddress } from '../../networks.ts'

/** The address of a request's caller in canonical form: it decides back-off and limits, and is logged. */
export type CallerOf = (incoming: IncomingMessage | undefined) => string

/**
 * `only`: the header that the proxies write. If not configured, `Forwarded` is used where there is no
 * `X-Forwarded-For`.
 */
export function callerOf(trusted: readonly string[], only?: (typeof FORWARDED_HEADERS)[number]): CallerOf {
  const isTrusted = inNetworks(trusted)
  return (incoming) => {
    const peer = peerAddress(incoming?.socket.remoteAddress)
    const headers = incoming?.headers ?? {}
    // A proxy passes the other header on as the client wrote it.
    const list = only === 'forwarded' ? undefined : headers['x-forwarded-for']
    const forwarded = only === 'x-forwarded-for' ? undefined : headers.forwarded
    if ((list === undefined && forwarded === undefined) || !isTrusted(peer)) return peer
    // Node joins repeated headers with commas, in their order.
    return lastStranger(
      peer,
      list === undefined ? forwardedHops(String(forwarded)) : String(list).split(','),
      isTrusted,
    )
  }
}

/** The address of the connection's peer; `local` where there is no connection. */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return 'local'
  // The kernel's form is canonical except for IPv4 on an IPv6 socket, and for zones.
  return address.startsWith('::ffff:') || address.includes('%') ? (plainAddress(address) ?? address) : address
}

/**
 * Each proxy appends the address that called it, so the client cannot forge the end of the list. Counting from the end,
 * the first address that is not a trusted proxy is the caller. Entries before a hop that is not an address (`unknown`,
 * empty, garbage) may be forged by the client: then the nearest known hop is used.
 */
function lastStranger(peer: string, hops: string[], isTrusted: (address: string) => boolean): string {
  let nearest = peer
  for (let i = hops.length - 1; i >= 0; i--) {
    const address = hopAddress(hops[i] as string)
    if (address === undefined) return nearest
    nearest = address
    if (!isTrusted(address)) return address
  }
  return nearest
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function hopAddress(text: string): string | undefined {
  const hop = text.trim()
  const [, bracketed, before] =
    /^(?:\[([0-9A-Fa-f:.%\w-]+)\](?::[\w.-]{1,16})?|(\d+\.\d+\.\d+\.\d+):[\w.-]{1,16})$/.exec(hop) ?? []
  return plainAddress(bracketed ?? before ?? hop)
}

/** The `for` of each element of a `Forwarded` header (RFC 7239); empty where an element has none, or more than one. */
function forwardedHops(header: string): string[] {
  return splitUnquoted(header, ',').map((element) => {
    const named = splitUnquoted(element, ';').flatMap((pair) => {
      const [, value] = /^\s*for=(.*)$/is.exec(pair) ?? []
      return value === undefined ? [] : [value.trim()]
    })
    return named.length === 1 ? (named[0] as string).replace(/^"(.*)"$/s, '$1') : ''
  })
}

/** In one pass: a regular expression would restart at each quote that is never closed. */
function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = []
  let from = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++
    else if (text[i] === '"') quoted = !quoted
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  return [...parts, text.slice(from)]
}
