// The self-made certificate: it covers the names under which the machine is reached, and is renewed with the same key
// when its dates or names no longer fit. An installed certificate is never touched: ours is recognized by a comment
// covered by its own signature.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto'
import type Forge from 'node-forge'
import type { Folders } from '../../folders.ts'
import { readText, replaceAtomic } from '../../store/atomic.ts'
import { type ListenHosts, type Machine, type MachineNames, machineNames, thisMachine } from './machine-names.ts'
import { certificateFile } from './pair-files.ts'
import { type Pair, readPair } from './tls.ts'

const DAY = 86_400_000
/** Apple's clients refuse more than 825 days. It starts a week in the past, for clients whose clocks are behind. */
const LIFETIME = 824
const BEFORE = 7
/** Renewed this many days before it expires, so that no client ever sees an expired one. */
const EARLY = 30
const COMMENT = 'Made by edge-admin for this machine'
const NETSCAPE_COMMENT = '2.16.840.1.113730.1.13'

export interface SelfMade {
  names: MachineNames
  now: number
  /** The key to keep, as PEM; without it a new one is made. */
  key?: string | undefined
  /** 16 bytes for the serial number. */
  random?: Buffer
  /** If left out, or if it fails, node-forge signs. */
  sign?: SelfSign | undefined
  warn?: (text: string, error?: unknown) => void
}

/** The contents of the certificate, whichever program signs it. */
interface Contents {
  key: string
  serial: string
  from: Date
  to: Date
  commonName: string
  hosts: readonly string[]
  addresses: readonly string[]
  extensions: Readonly<Record<string, string>>
}

/** Makes the certificate; undefined where the program to sign it is missing. */
export type SelfSign = (contents: Contents) => Promise<string | undefined>

/**
 * Makes a self-signed pair: ECDSA P-256 where openssl signs. node-forge, which knows only RSA, is loaded only where
 * openssl is missing.
 */
export async function makeSelfSigned({
  names,
  now,
  key,
  random = randomBytes(16),
  sign,
  warn,
}: SelfMade): Promise<Pair> {
  // A serial number is positive (RFC 5280 4.1.2.2) and has no superfluous leading zeros (X.690 8.3.2), or clients
  // reject the certificate: so its first bit is off, its second is on.
  const first = (random.readUInt8(0) & 0x7f) | 0x40
  const contents = {
    serial: Buffer.from([first, ...random.subarray(1)]).toString('hex'),
    from: new Date(now - BEFORE * DAY),
    to: new Date(now + (LIFETIME - BEFORE) * DAY),
    // A common name has room for 64 characters.
    commonName: (names.hosts[0] ?? 'localhost').slice(0, 64),
    ...names,
  }
  const own = key ?? pem(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey)
  const isEc = createPrivateKey(own).asymmetricKeyType === 'ec'
  let failure: unknown
  const signed = await sign?.({
    ...{ ...contents, key: own },
    extensions: {
      basicConstraints: 'CA:FALSE',
      // RFC 8813: an EC key does not encipher keys.
      keyUsage: isEc ? 'digitalSignature' : 'digitalSignature,keyEncipherment',
      extendedKeyUsage: 'serverAuth',
      nsComment: COMMENT,
    },
  }).catch((error) => {
    failure = error
  })
  if (signed !== undefined) {
    const pair = { cert: signed, key: own }
    if (isWhole(pair)) return pair
    failure = new Error('openssl made something else than a certificate of this key')
  }
  if (key !== undefined && isEc) throw new Error('only openssl signs with an EC key', { cause: failure })
  if (failure !== undefined) warn?.('openssl made no certificate; one with an RSA key is made without it', failure)
  const rsa = key ?? pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
  return { cert: await signWithForge({ ...contents, key: rsa, extensions: {} }), key: rsa }
}

/** Another program made it, perhaps on a full disk: what is installed must be what can be served, or no start opens the port. */
function isWhole(pair: Pair): boolean {
  try {
    return isSelfMade(pair) && createPublicKey(pair.key).equals(new X509Certificate(pair.cert).publicKey)
  } catch {
    return false
  }
}

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

async function signWithForge({ key, serial, from, to, commonName, hosts, addresses }: Contents): Promise<string> {
  // Only the X.509 part: TLS, PKCS#12 and the rest are Node's.
  await import('node-forge/lib/x509.js')
  const forge = (await import('node-forge/lib/forge.js')).default as typeof Forge
  const der = createPrivateKey(key).export({ type: 'pkcs1', format: 'der' }).toString('binary')
  const forgeKey = forge.pki.privateKeyFromAsn1(forge.asn1.fromDer(der)) as Forge.pki.rsa.PrivateKey
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  certificate.serialNumber = serial
  certificate.validity.notBefore = from
  certificate.validity.notAfter = to
  const subject = [{ name: 'commonName', value: commonName }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  const { create, Class, Type } = forge.asn1
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [...hosts.map((value) => ({ type: 2, value })), ...addresses.map((ip) => ({ type: 7, ip }))],
    },
    { id: NETSCAPE_COMMENT, value: create(Class.UNIVERSAL, Type.IA5STRING, false, COMMENT) },
  ])
  certificate.sign(forgeKey, forge.md.sha256.create())
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n')
}

/**
 * Whether the server made it: signed by its own key, with our comment, or in the exact form of version 0.1.0, which
 * wrote no comment.
 */
export function isSelfMade({ cert }: Pair): boolean {
  const leaf = new X509Certificate(cert)
  const isOurKind = ['ec', 'rsa'].includes(leaf.publicKey.asymmetricKeyType ?? '')
  if (leaf.subject !== leaf.issuer || !isOurKind || !leaf.verify(leaf.publicKey)) return false
  return leaf.raw.includes(COMMENT) || isOfFirstRelease(leaf, cert)
}

function isOfFirstRelease(leaf: X509Certificate, pem: string): boolean {
  const name = /^CN=([^\n]+)$/.exec(leaf.subject)?.[1]
  return (
    pem.split('-----BEGIN').length === 2 &&
    leaf.subjectAltName === `DNS:${name}, DNS:localhost, IP Address:127.0.0.1` &&
    Date.parse(leaf.validTo) - Date.parse(leaf.validFrom) === 3651 * DAY &&
    leaf.publicKey.asymmetricKeyDetails?.modulusLength === 2048 &&
    /^[4-7][0-9A-F]{31}$/.test(leaf.serialNumber) &&
    !leaf.ca
  )
}

/** Why a self-made certificate has to be renewed; undefined while it is good. */
export function reasonToRenew(cert: string, { hosts, addresses }: MachineNames, now: number): string | undefined {
  const leaf = new X509Certificate(cert)
  if (now < Date.parse(leaf.validFrom)) return `it begins only on ${new Date(leaf.validFrom).toISOString()}`
  if (now > Date.parse(leaf.validTo) - EARLY * DAY) return `it ends on ${new Date(leaf.validTo).toISOString()}`
  const missing = [
    ...hosts.filter((name) => !leaf.checkHost(name, { subject: 'never', wildcards: false })),
    ...addresses.filter((address) => !leaf.checkIP(address)),
  ]
  return missing.length === 0 ? undefined : `it is not good for ${missing.join(', ')}`
}

export interface Renewal {
  folders: Folders
  host: ListenHosts
  now: number
  machine?: Machine
  /** Whether a certificate is being installed now: then the files must not be written. */
  installing: () => boolean
  sign?: SelfSign | undefined
}

/**
 * Renews the self-made certificate with its key when necessary. Resolves to the reason if it did; undefined if the
 * installed one is good, was not made by the server, or does not exist. The caller has to load it again.
 */
export async function renewSelfMade({
  folders,
  host,
  now,
  machine = thisMachine(),
  installing,
  sign,
}: Renewal): Promise<string | undefined> {
  const before = readText(certificateFile(folders))
  const pair = readPair(folders)
  if (!pair || !isSelfMade(pair)) return undefined
  const names = machineNames(host, machine)
  const reason = reasonToRenew(pair.cert, names, now)
  if (reason === undefined) return undefined
  const { cert } = await makeSelfSigned({ names, now, key: pair.key, sign })
  // Signing took a moment: what was installed meanwhile stays. An installation holds its lock for seconds before it
  // writes.
  if (installing() || readText(certificateFile(folders)) !== before) return undefined
  replaceAtomic(certificateFile(folders), cert, 0o644)
  return reason
}
