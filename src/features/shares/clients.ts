// Who may mount an export, each in one spelling. The trap: exports(5) takes more words than these (gss/krb5), and looks up as a host name
// any address that it does not understand.
import { isIPv6 } from 'node:net'
import * as z from 'zod'
import { canonical, family, isHostname, maskLength, numberOf, prefixLength } from '../addresses.ts'

export const Clients = z
  .array(
    z
      .string()
      .max(253, 'Expected at most 253 characters')
      .transform((text, context) => {
        const client = canonicalClient(text)
        if (client !== undefined) return client
        context.addIssue({ code: 'custom', message: wordsFor(text) })
        return z.NEVER
      })
      .meta({ type: 'string' }),
  )
  .min(1, 'Expected at least one client')
  .max(256, 'Expected at most 256 clients')
  .transform((clients) => [...new Set(clients)])
  .meta({
    id: 'NFSClients',
    description: 'addresses, networks (CIDR), host names with or without wildcards, @netgroups',
    example: ['192.168.1.0/24'],
  })

/** The same for every spelling of a client; undefined for anything else. */
export function canonicalClient(text: string): string | undefined {
  if (text === '*') return text
  if (/^@[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text)) return text
  const [written = '', prefix, ...more] = text.split('/')
  // In brackets, as exportfs itself wants an address of IPv6 before a path.
  const address = /^\[([0-9a-f:.]+)\]$/i.exec(written)?.[1] ?? written
  const of = family(address)
  if (of !== 0) {
    const whole = of === 4 ? 32 : 128
    // With dots or colons as well: 255.255.255.0 is 24, ffff:ffff:: is 32.
    const length = prefix === undefined ? whole : (prefixLength(prefix, of) ?? (maskLength(prefix, of) || undefined))
    return length === undefined || more.length > 0 ? undefined : network(address, length, whole)
  }
  if (prefix !== undefined || !/[a-z]/i.test(text)) return undefined
  // A final dot says that a name is whole; it is the same name without.
  const name = text.toLowerCase().replace(/\.$/, '')
  return isClientName(name) ? name : undefined
}

/** A host name as the resolver has them, `_` included, or a pattern of such; in brackets a class of characters stands for one of them. */
export const isClientName = (text: string) =>
  isHostname(text.replace(/\[!?[a-z0-9_-]+\]/gi, 'x').replace(/[*?_]/g, 'x'))

function wordsFor(text: string): string {
  if (isEverybody(text)) return 'Expected * for every client, not a network of length 0'
  // It would be compared with names, which have no addresses in them.
  if (/^[\d.*?]*\d[\d.*?]*$/.test(text) && /[*?]/.test(text))
    return 'Expected addresses as a network, such as 192.168.1.0/24: * and ? are for host names'
  return 'Expected an address, a network (192.168.1.0/24), a host name with or without *, ? and [a-z], @netgroup or *'
}

const isEverybody = (text: string) => /^(?:0\.0\.0\.0|[0:]*::[0:]*)\/(?:0|0\.0\.0\.0)$/.test(text)

/** An IPv4 address in IPv6's clothes is what it is: the kernel would compare it as such. */
function network(address: string, length: number, whole: number): string | undefined {
  const plain = canonical(address)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1]
  if (mapped !== undefined) return length > 96 ? network(mapped, length - 96, 32) : undefined
  if (length === whole) return plain
  const bits = numberOf(plain)
  const masked = (bits >> BigInt(whole - length)) << BigInt(whole - length)
  return `${canonical(fromBits(masked, isIPv6(plain)))}/${length}`
}

function fromBits(bits: bigint, six: boolean): string {
  const [size, count] = six ? [16n, 8] : [8n, 4]
  const parts = Array.from({ length: count }, (_, i) => (bits >> (size * BigInt(count - 1 - i))) & ((1n << size) - 1n))
  return parts.map((part) => part.toString(six ? 16 : 10)).join(six ? ':' : '.')
}
