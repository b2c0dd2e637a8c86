// Reads and checks the certificate that the port serves. Node accepts an EC key with an RSA certificate without an
// error and then fails every handshake, so a pair is checked before use.
import { createPublicKey, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { connect, createSecureContext, type SecureVersion } from 'node:tls'
import { type Folders, originalGroup } from '../../folders.ts'
import { readEdited, writeAtomic } from '../../store/atomic.ts'
import { groupNamed } from '../../store/owner.ts'
import { certificatesOf, privateKeysOf } from '../../store/pem.ts'
import { certificateFile, keyFile } from './pair-files.ts'

/** PEM texts; `cert` is the leaf and its chain. */
export interface Pair {
  cert: string
  key: string
}

/** The installed pair. Undefined if there is none; throws if it cannot be served. */
export function readPair(folders: Folders): Pair | undefined {
  const certificates = readEdited(certificateFile(folders))
  if (certificates === undefined) return undefined
  // People place these files: text around the blocks would hide the first of them from OpenSSL.
  const cert = certificatesOf(certificates).join('') || certificates
  const key = readKey(folders)
  // Not the same as no pair: making a new one would overwrite a purchased certificate.
  if (key === undefined) throw new Error('the certificate has no private key')
  const leaf = new X509Certificate(cert)
  if (!createPublicKey(key).equals(leaf.publicKey))
    throw new Error('the private key does not belong to the certificate')
  // Finds here, not when the port opens, what OpenSSL will not serve (a key too small, a broken chain).
  createSecureContext({ cert, key })
  return { cert, key }
}

/** The installed key; undefined when there is none. */
export function readKey(folders: Folders): string | undefined {
  const text = readEdited(keyFile(folders))
  return text && (privateKeysOf(text)[0] ?? text)
}

export const fingerprint = (pair: Pair) => new X509Certificate(pair.cert).fingerprint256

/**
 * The group that reads the pair besides the server. On an image of the original: the group staff, as its own script
 * sets it (facts: jidoteki.md 5.5), or else the group of its server; undefined elsewhere.
 */
function readers(folders: Folders): number | undefined {
  const group = process.getuid?.() === 0 ? originalGroup(folders) : undefined
  return group && (groupNamed('staff') ?? group)
}

/** The group that reads the pair must be able to enter the folders, whatever the umask. */
function makeFolder(path: string, open: boolean): void {
  if (existsSync(path)) return
  makeFolder(dirname(path), open)
  mkdirSync(path, { mode: 0o750 })
  if (open) chmodSync(path, 0o755)
}

/**
 * Installs a first pair. The key goes first: a key without its certificate does not count as a pair, and a new pair is
 * made.
 */
export function installPair(folders: Folders, { cert, key }: Pair): void {
  const group = readers(folders)
  makeFolder(dirname(keyFile(folders)), group !== undefined)
  writeAtomic(keyFile(folders), key, group ? 0o640 : 0o600, group)
  installCertificate(folders, cert)
}

/** Installs a certificate for the existing key. */
export function installCertificate(folders: Folders, cert: string): void {
  const group = readers(folders)
  makeFolder(dirname(certificateFile(folders)), group !== undefined)
  writeAtomic(certificateFile(folders), cert, group ? 0o640 : 0o644, group)
}

/** Connects to our own port by TLS, of this version if one is given; resolves to the SHA-256 fingerprint of the certificate that it serves. */
export function servedFingerprint(host: string, port: number, version?: SecureVersion): Promise<string> {
  const only = version && { minVersion: version, maxVersion: version }
  return new Promise((resolve, reject) => {
    // Our own certificate on loopback: what matters is which one is served, not who signed it.
    const socket = connect({ host, port, ...only, rejectUnauthorized: false, timeout: 5000 }, () => {
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.end()
      resolve(fingerprint256)
    })
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error('the handshake took too long')))
  })
}
