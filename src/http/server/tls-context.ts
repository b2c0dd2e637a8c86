// Node's TLS options for a choice of versions and ciphers, and a trial of them: a port that nobody can connect to cannot
// be mended through it.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCiphers } from 'node:tls'
import type { TlsChoice } from '../../tls-choice.ts'
import { type Pair, servedFingerprint } from './tls.ts'

/** Without authentication, without encryption, or broken; or with keys that this server does not have (PSK, SRP). */
const UNSAFE = /^(?:adh|aecdh|exp|psk|srp|null|rc4|des)-|-(?:null|rc4|des|psk|srp|md5)(?:-|$)|psk-|anon/i

/** Those of the names that OpenSSL knows and that are safe, in capitals, as it has them. */
function known(names: readonly string[]): string[] {
  const all = new Set(getCiphers())
  return names.filter((name) => all.has(name.toLowerCase()) && !UNSAFE.test(name)).map((name) => name.toUpperCase())
}

type Version = TlsChoice['versions'][number]

/** The suites of TLS 1.3 are named so, and no cipher of TLS 1.2 is. */
const isSuite = (name: string) => name.startsWith('TLS_')

/** The versions that can be spoken with these ciphers: without a list, all that are chosen. */
export function spokenBy({ versions, ciphers }: TlsChoice): Version[] {
  const usable = ciphers && known(ciphers)
  return versions.filter((version) => usable?.some((name) => isSuite(name) === (version === 'TLSv1.3')) ?? true)
}

export interface ContextOptions {
  minVersion: Version
  maxVersion: Version
  ciphers?: string
}

/** Throws if no version can be spoken. */
export function contextOptions(choice: TlsChoice): ContextOptions {
  const spoken = spokenBy(choice)
  const [minVersion, maxVersion] = [spoken[0], spoken.at(-1)]
  if (!minVersion || !maxVersion) throw new Error('no version of TLS can be spoken with these ciphers')
  return { minVersion, maxVersion, ...(choice.ciphers && { ciphers: known(choice.ciphers).join(':') }) }
}

/**
 * Rejects if a present-day client cannot connect to a port with this pair and this choice, by each of its versions: with
 * TLS 1.3 alone nobody would notice that the ciphers for TLS 1.2 do not fit the certificate.
 */
export async function tryChoice(pair: Pair, choice: TlsChoice): Promise<void> {
  const server = createServer({ ...pair, ...contextOptions(choice) })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    for (const version of spokenBy(choice)) await servedFingerprint('127.0.0.1', port, version)
  } finally {
    server.close()
  }
}
