// How many connections there may be, and whose. One stranger with many sockets, or many strangers with a few, must not keep the people out
// who look after the appliance.
import { canonicalAddress } from '../../auth/back-off.ts'
import type { Configuration } from '../../config.ts'
import { inNetworks } from '../../networks.ts'

export interface PlacesOptions {
  /** Connections at a time. */
  most: number
  /** Connections at a time of one address; of one /64 with IPv6. */
  perAddress: number
  /** Whether an address is a reverse proxy that is trusted: everybody comes from there. */
  isProxy: (address: string) => boolean
  /** Whether somebody has proven from there who he is. */
  known: (address: string) => boolean
}

/** What has to become free for a connection to have a place. */
export interface Wanted {
  count: number
  /** Whose places may be taken for it, the first choice first: questions to other addresses. Nobody takes a place from whoever it is kept for. */
  from: ((other: string) => boolean)[]
}

/** What the configuration says. */
export const placesOf = ({ limits, listen }: Configuration, known: PlacesOptions['known']): PlacesOptions => ({
  most: limits.connections,
  perAddress: limits['connections-per-address'],
  isProxy: inNetworks(listen['trusted-proxies']),
  known,
})

/** Places that strangers cannot take, and proxies only half of. Few enough not to be missed: a quarter of a small number. */
const KEPT = 16

export class Places {
  private readonly options: PlacesOptions
  private readonly taken = new Map<string, number>()
  private readonly kept: number
  private all = 0

  constructor(options: PlacesOptions) {
    this.options = options
    this.kept = Math.min(KEPT, Math.floor(options.most / 4))
  }

  /** Takes a place for a connection; false where there is none for its address. */
  take(address: string): boolean {
    if (this.wanted(address)) return false
    const key = canonicalAddress(address)
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1)
    this.all += 1
    return true
  }

  /** Undefined where an address has a place. */
  wanted(address: string): Wanted | undefined {
    const { most, perAddress, isProxy } = this.options
    const key = canonicalAddress(address)
    const familiar = this.isFamiliar(address)
    const limit = most - (familiar ? 0 : isProxy(address) ? this.kept - Math.ceil(this.kept / 2) : this.kept)
    const ownMost = !isProxy(address) && this.holds(address) >= perAddress
    if (!ownMost && this.all < limit) return undefined
    const count = Math.max(1, this.all - limit + 1)
    if (ownMost) return { count, from: [(other) => canonicalAddress(other) === key] }
    const stranger = (other: string) => !isProxy(other) && !this.isFamiliar(other)
    return { count, from: familiar ? [stranger, () => true] : [stranger] }
  }

  /** How many places an address has, with those that count as one with it. */
  holds(address: string): number {
    return this.taken.get(canonicalAddress(address)) ?? 0
  }

  leave(address: string): void {
    const key = canonicalAddress(address)
    const mine = this.taken.get(key) ?? 0
    if (mine > 1) this.taken.set(key, mine - 1)
    else this.taken.delete(key)
    this.all -= 1
  }

  /** Somebody on the machine itself, or who has logged in from there. A proxy is neither, whoever logs in through it. */
  private isFamiliar(address: string): boolean {
    const { isProxy, known } = this.options
    return !isProxy(address) && (address === '127.0.0.1' || address === '::1' || known(address))
  }
}
