// A queue that serves its callers in turns: by network, and within a network by address. A flood from many addresses
// delays callers elsewhere by one turn, and is itself refused when the queue is full.
import { canonicalAddress } from './back-off.ts'

/**
 * The range of which one owner is likely to have many addresses: a /16 of IPv4, a /48 of IPv6. Anything that is not an
 * address is a network by itself.
 */
export function networkOf(address: string): string {
  const canonical = canonicalAddress(address)
  if (/^\d+(?:\.\d+){3}$/.test(canonical)) return canonical.split('.').slice(0, 2).join('.')
  return canonical.endsWith('::/64') ? canonical.split(':').slice(0, 3).join(':') : canonical
}

export class FairQueue<T> {
  /** By network and by address, ordered by whose turn is next. */
  private readonly networks = new Map<string, Map<string, T[]>>()
  private readonly most: number
  size = 0

  constructor(most: number) {
    this.most = most
  }

  /** Adds an item. If the queue was full, returns the item that has to go, which may be the new one. */
  add(address: string, item: T): T | undefined {
    const [network, key] = [networkOf(address), canonicalAddress(address)]
    const addresses = this.networks.get(network) ?? new Map<string, T[]>()
    const items = addresses.get(key) ?? []
    items.push(item)
    this.networks.set(network, addresses.set(key, items))
    this.size += 1
    return this.size > this.most ? this.pushOut(network, key) : undefined
  }

  next(): T | undefined {
    for (const [network, addresses] of this.networks) {
      for (const [address, items] of addresses) {
        const item = items.shift()
        // Moves to the end of both queues.
        addresses.delete(address)
        if (items.length > 0) addresses.set(address, items)
        this.networks.delete(network)
        if (addresses.size > 0) this.networks.set(network, addresses)
        this.size -= 1
        return item
      }
    }
    return undefined
  }

  /**
   * The newest item of the address with the most in the network with the most; the newcomer itself if it has as many.
   */
  private pushOut(network: string, address: string): T | undefined {
    const total = (addresses: Map<string, T[]>) => [...addresses.values()].reduce((sum, { length }) => sum + length, 0)
    const fullest = largest(this.networks, network, total)
    const addresses = this.networks.get(fullest)!
    const key = largest(addresses, fullest === network ? address : '', ({ length }) => length)
    const items = addresses.get(key)!
    const item = items.pop()
    if (items.length === 0) addresses.delete(key)
    if (addresses.size === 0) this.networks.delete(fullest)
    this.size -= 1
    return item
  }
}

/** The key of the largest value; `own` on a tie. */
function largest<V>(map: Map<string, V>, own: string, sizeOf: (value: V) => number): string {
  const mine = map.get(own)
  let [found, most] = [own, mine === undefined ? -1 : sizeOf(mine)]
  for (const [key, value] of map) if (sizeOf(value) > most) [found, most] = [key, sizeOf(value)]
  return found
}
