// The certificate that the port serves: read, checked, made when there is none. The trap: Node takes an EC key with an RSA certificate
// without a word and then fails every handshake, so a pair is checked before it is used.
import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { connect, createSecureContext } from 'node:tls'
import type Forge from 'node-forge'
import type { Folders } from '../folders.ts'
import { readText, writeAtomic } from '../store/atomic.ts'

/** PEM texts; `cert` is the leaf and its chain. */
export interface Pair {
  cert: string
  key: string
}

export const certificateFile = (folders: Folders) => join(folders.sysconf, 'pki/tls/certs/enterprise.crt')
export const keyFile = (folders: Folders) => join(folders.sysconf, 'pki/tls/private/enterprise.key')

/** The installed pair. Undefined when there is none; throws when there is one that cannot be served. */
export function readPair(folders: Folders): Pair | undefined {
  const cert = readText(certificateFile(folders))
  const key = readText(keyFile(folders))
  if (cert === undefined) return undefined
  // Not the same as none: a new pair would overwrite a certificate that somebody paid for.
  if (key === undefined) throw new Error('the certificate has no private key')
  const leaf = new X509Certificate(cert)
  if (!createPublicKey(key).equals(leaf.publicKey))
    throw new Error('the private key does not belong to the certificate')
  // What OpenSSL will not serve (a key too small, a broken chain) is found here, not when the port opens.
  createSecureContext({ cert, key })
  return { cert, key }
}

export const fingerprint = (pair: Pair) => new X509Certificate(pair.cert).fingerprint256

/** Installs a first pair. The key goes first: without its certificate it is no pair, and a pair is made again. */
export function installPair(folders: Folders, { cert, key }: Pair): void {
  for (const file of [certificateFile(folders), keyFile(folders)]) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 })
  }
  writeAtomic(keyFile(folders), key, 0o600)
  writeAtomic(certificateFile(folders), cert, 0o644)
}

/** Makes a self-signed pair for this machine's names (RSA: node-forge knows no other). Valid for ten years. `random`: 16 bytes for its serial number. */
export async function makeSelfSigned(random = randomBytes(16)): Promise<Pair> {
  // Only the X.509 part: the rest (TLS, PKCS#12 …) is Node's own work.
  await import('node-forge/lib/x509.js')
  const forge = (await import('node-forge/lib/forge.js')).default as typeof Forge
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const der = privateKey.export({ type: 'pkcs1', format: 'der' }).toString('binary')
  const forgeKey = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(der)) as Forge.pki.rsa.PrivateKey
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  // A serial number is positive (RFC 5280 4.1.2.2) and begins with no zeros that it does not need (X.690 8.3.2), or nobody can read the
  // certificate: its first bit is off, its second is on.
  const first = (random.readUInt8(0) & 0x7f) | 0x40
  certificate.serialNumber = Buffer.from([first, ...random.subarray(1)]).toString('hex')
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000)
  certificate.validity.notAfter = new Date(Date.now() + 3650 * 86_400_000)
  const name = hostname()
  const subject = [{ name: 'commonName', value: name }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: name },
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
  ])
  certificate.sign(forgeKey, forge.md.sha256.create())
  const cert = forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n')
  return { cert, key }
}

/** Shakes hands with a port of ours; resolves to the SHA-256 fingerprint of the certificate that it serves. */
export function servedFingerprint(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    // Our own certificate on loopback: what matters is which one is served, not who signed it.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: 5000 }, () => {
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.end()
      resolve(fingerprint256)
    })
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error('the handshake took too long')))
  })
}
