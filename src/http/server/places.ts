// How many connections there may be, in total and per address. Strangers, with many sockets each or from many
// addresses, must not keep out the administrators of the appliance.
import { canonicalAddress } from '../../auth/back-off.ts'
import type { Configuration } from '../../config.ts'
import { inNetworks } from '../../networks.ts'

export interface PlacesOptions {
  /** Maximum number of connections. */
  most: number
  /** Maximum number of connections from one address, or one /64 of IPv6. */
  perAddress: number
  /** Whether an address is a trusted reverse proxy, through which all clients come. */
  isProxy: (address: string) => boolean
  /** Whether an account was proven from this address. */
  known: (address: string) => boolean
}

/** What has to be closed to make room for a connection. */
export interface Wanted {
  count: number
  /**
   * Tests for the addresses whose connections may be closed for it, in order of preference. Reserved places are never
   * taken away.
   */
  from: ((other: string) => boolean)[]
}

/** From the configuration. */
export const placesOf = ({ limits, listen }: Configuration, known: PlacesOptions['known']): PlacesOptions => ({
  most: limits.connections,
  perAddress: limits['connections-per-address'],
  isProxy: inNetworks(listen['trusted-proxies']),
  known,
})

/** Places that strangers cannot take, and proxies only half of: a quarter of the total where that is small. */
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

  /** Takes a place for a connection; false if there is none for its address. */
  take(address: string): boolean {
    if (this.wanted(address)) return false
    const key = canonicalAddress(address)
    this.taken.set(key, (this.taken.get(key) ?? 0) + 1)
    this.all += 1
    return true
  }

  /** Undefined if there is room for the address. */
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

  /** How many places an address occupies, together with those that count as the same. */
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

  /** The machine itself, or an address from which an account has logged in. A proxy is never familiar. */
  private isFamiliar(address: string): boolean {
    const { isProxy, known } = this.options
    return !isProxy(address) && (address === '127.0.0.1' || address === '::1' || known(address))
  }
}
