// Node's TLS options for a choice of versions and ciphers, and a trial of them: a port that nobody can connect to cannot
// be mended through it.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCiphers } from 'node:tls'
import type { TlsChoice } from '../../tls-choice.ts'
import { type Pair, servedFingerprint } from './tls.ts'

/** Without authentication, without encryption, or broken; or with keys that this server does not have (PSK, SRP). */
const UNSAFE = /^(?:adh|aecdh|exp|psk|srp|null|rc4|des)-|-(?:null|rc4|des|psk|srp|md5)(?:-|$)|psk-|anon/i

/** Those of the names that OpenSSL knows and that are safe. */
function known(names: readonly string[]): string[] {
  const all = new Set(getCiphers())
  return names.filter((name) => all.has(name.toLowerCase()) && !UNSAFE.test(name))
}

export interface ContextOptions {
  minVersion: 'TLSv1.2' | 'TLSv1.3'
  maxVersion: 'TLSv1.2' | 'TLSv1.3'
  ciphers?: string
}

export function contextOptions({ versions, ciphers }: TlsChoice): ContextOptions {
  const usable = ciphers && known(ciphers)
  return {
    minVersion: versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: versions.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ...(usable && { ciphers: usable.map(caseOf).join(':') }),
  }
}

/** OpenSSL has the names of TLS 1.3 with underscores, and all of them in capitals; `getCiphers` gives small letters. */
const caseOf = (name: string) => name.toUpperCase()

/** Rejects if a present-day client cannot connect to a port with this pair and this choice. */
export async function tryChoice(pair: Pair, choice: TlsChoice): Promise<void> {
  const options = contextOptions(choice)
  if (choice.ciphers && options.ciphers === '') throw new Error('OpenSSL has none of these ciphers')
  const server = createServer({ ...pair, ...options })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    await servedFingerprint('127.0.0.1', (server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}
