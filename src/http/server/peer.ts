// Where a request comes from. Behind a reverse proxy every connection has the proxy's address, and the caller's is in a header that anybody
// can send: it is believed only from the proxies that the configuration names, and only as far as they themselves have written it.
import type { IncomingMessage } from 'node:http'
import { type FORWARDED_HEADERS, inNetworks, plainAddress } from '../../networks.ts'

/** The address of a request's caller, spelled plainly: what waits, limits, the audit log and the access log go by. */
export type CallerOf = (incoming: IncomingMessage | undefined) => string

/** `only`: the header that the proxies write. Where it is not told, `Forwarded` counts where there is no `X-Forwarded-For`. */
export function callerOf(trusted: readonly string[], only?: (typeof FORWARDED_HEADERS)[number]): CallerOf {
  const isTrusted = inNetworks(trusted)
  return (incoming) => {
    const peer = peerAddress(incoming?.socket.remoteAddress)
    const headers = incoming?.headers ?? {}
    // A proxy hands the other header on as its caller wrote it.
    const list = only === 'forwarded' ? undefined : headers['x-forwarded-for']
    const forwarded = only === 'x-forwarded-for' ? undefined : headers.forwarded
    if ((list === undefined && forwarded === undefined) || !isTrusted(peer)) return peer
    // Node joins the lines of either header with commas, in their order.
    return lastStranger(
      peer,
      list === undefined ? forwardedHops(String(forwarded)) : String(list).split(','),
      isTrusted,
    )
  }
}

/** The address of a connection's other end; `local` where there is no connection. */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return 'local'
  // The kernel spells plainly already; only an IPv4 caller of an IPv6 socket, and a zone, are to be taken apart.
  return address.startsWith('::ffff:') || address.includes('%') ? (plainAddress(address) ?? address) : address
}

/**
 * Each proxy appends the address that it was called from, so the end of the list is the part that a caller cannot write. From there, past
 * our own proxies, the first other address is the caller. What stands before a hop that is no address (`unknown`, nothing, garbage) may be
 * the caller's own invention: then the nearest hop that we know has to do.
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

/** One pass: a regular expression would begin anew at each quote that is never closed. */
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
