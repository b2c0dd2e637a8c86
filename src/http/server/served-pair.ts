// Chooses the certificate that the port starts with, and watches over a self-made one: a corrected clock, a new address
// or another host name need no restart.
import { createPrivateKey } from 'node:crypto'
import type { Folders } from '../../folders.ts'
import { type ListenHosts, type Machine, machineNames, thisMachine } from './machine-names.ts'
import { makeSelfSigned, renewSelfMade, type SelfSign } from './self-made.ts'
import { installCertificate, installPair, type Pair, readKey, readPair } from './tls.ts'

export interface PairOptions {
  folders: Folders
  /** The configured addresses to listen on. */
  host: ListenHosts
  warn: (text: string, error?: unknown) => void
  /** Whether a certificate is being installed now, by a task that may be older than this process. */
  installing?: () => boolean
  /** Called when a self-made certificate was renewed before it was first served. */
  madeAnew?: (reason: string) => void
  now?: () => number
  machine?: () => Machine
  /** Signs a self-made certificate; if left out, or if it fails, the certificate is RSA. */
  sign?: SelfSign | undefined
}

/** An unusable pair must not lock anybody out: a self-signed one is served instead, and the files are left alone. */
export async function installedPair(options: PairOptions): Promise<Pair> {
  const { folders, host, warn, installing = () => false, now = Date.now, machine = thisMachine, sign } = options
  const make = async (key?: string) => {
    try {
      return await makeSelfSigned({ names: machineNames(host, machine()), now: now(), key, sign, warn })
    } catch (error) {
      // An unusual name or address of this machine must not keep the port closed.
      warn('no certificate could be made for the names of this machine; one for localhost is served', error)
      const names = { hosts: ['localhost'], addresses: ['127.0.0.1', '::1'] }
      return makeSelfSigned({ names, now: now(), key, sign, warn })
    }
  }
  let key: string | undefined
  try {
    const pair = readPair(folders)
    if (pair) return (await renewed(options)) ?? pair
    key = keyToKeep(folders, sign !== undefined)
  } catch (error) {
    warn('the installed certificate cannot be served; a self-signed one is served until it is fixed', error)
    return make()
  }
  let pair: Pair
  try {
    pair = await make(key)
  } catch (error) {
    warn('no certificate could be made for the key that is there; one with another key is served', error)
    return make()
  }
  // Served until the installed one is loaded; its files must not be written now.
  if (installing()) return pair
  try {
    // A file with a foreign key may also hold a chain: leave it unchanged.
    if (key === undefined) installPair(folders, pair)
    else installCertificate(folders, pair.cert)
  } catch (error) {
    warn('the self-signed certificate could not be kept; the next start makes another', error)
  }
  return pair
}

/**
 * The key of a certificate that is gone. Throws for a key that we cannot sign with: it was installed by a person, and
 * must not be replaced.
 */
function keyToKeep(folders: Folders, signsEc: boolean): string | undefined {
  const pem = readKey(folders)
  if (pem === undefined) return undefined
  const { asymmetricKeyType, asymmetricKeyDetails: { modulusLength = 0, namedCurve } = {} } = createPrivateKey(pem)
  const isRsa = asymmetricKeyType === 'rsa' && modulusLength >= 2048
  // Left behind when a process was killed between writing the key and its certificate.
  const isEc = signsEc && namedCurve === 'prime256v1'
  if (!isRsa && !isEc) throw new Error('the private key has no certificate')
  return pem
}

async function renewed(options: PairOptions) {
  const { folders, host, warn, installing = () => false, madeAnew, sign } = options
  const { now = Date.now, machine = thisMachine } = options
  try {
    const reason = await renewSelfMade({ folders, host, now: now(), machine: machine(), installing, sign })
    if (reason === undefined) return undefined
    warn(`the self-made certificate was made anew, with the same key: ${reason}`)
    madeAnew?.(reason)
    return readPair(folders)
  } catch (error) {
    warn('the self-made certificate could not be made anew', error)
    return undefined
  }
}

export interface WatchOptions extends PairOptions {
  installing: () => boolean
  /** Called once the renewed certificate is installed, so that it gets served. */
  renewed: (reason: string) => void
  /** Milliseconds between two checks. */
  every?: number
}

/** Checks each minute; returns a function that ends the watch. */
export function watchSelfMade(options: WatchOptions): () => void {
  const { folders, host, warn, installing, renewed, sign } = options
  const { now = Date.now, machine = thisMachine, every = 60_000 } = options
  let failed = false
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    try {
      const reason = await renewSelfMade({ folders, host, now: now(), machine: machine(), installing, sign })
      failed = false
      if (reason !== undefined) renewed(reason)
    } catch (error) {
      // Logged once: the next check comes in a minute.
      if (!failed) warn('the self-made certificate could not be looked after', error)
      failed = true
    } finally {
      looking = false
    }
  }
  const timer = setInterval(look, every)
  timer.unref()
  return () => clearInterval(timer)
}
