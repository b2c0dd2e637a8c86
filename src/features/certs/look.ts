// Checks uploaded certificate files before a task starts: which file is wrong, and why. The messages are fixed and
// refer to places by number; nothing from a file is repeated.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { certificatesOf, pemBlocks, privateKeysOf } from '../../store/pem.ts'
import { decodeText, TextError } from '../../store/text.ts'

export interface CertificateTexts {
  public: string
  private: string
  ca?: string | undefined
}

export interface CertificateBytes {
  public: Uint8Array
  private: Uint8Array
  ca?: Uint8Array | undefined
}

export interface Fault {
  field: keyof CertificateBytes
  message: string
}

/** The same limit as in certs.sh. */
const MOST = 16
const CURVES = /^(prime256v1|secp384r1|secp521r1|brainpoolP(256|384|512)r1)$/

/** The first problem of each file that prevents its use. Empty if there is none, with the files' normalized texts. */
export function look(files: CertificateBytes): { faults: Fault[]; texts: CertificateTexts } {
  const faults: Fault[] = []
  const attempt = <T>(field: Fault['field'], act: () => T): T | undefined => {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      faults.push({ field, message: error.message })
      return undefined
    }
  }
  if (areSwapped(files)) {
    attempt('public', () =>
      wrong('It holds a private key, and the file under private holds a certificate: they are swapped'),
    )
    attempt('private', () =>
      wrong('It holds a certificate, and the file under public holds a private key: they are swapped'),
    )
  } else {
    const chain = attempt('public', () => readCertificates(files.public))
    const key = attempt('private', () => readKey(files.private))
    if (chain && key) checkPair(chain, key, attempt)
    if (chain && faults.length === 0) attempt('public', () => checkChain(chain))
  }
  const { ca } = files
  const authorities = ca === undefined ? undefined : attempt('ca', () => readCertificates(ca))
  const join = (field: Fault['field'], parts: (text: string) => string[]) => {
    const bytes = files[field]
    return faults.length > 0 || bytes === undefined ? '' : parts(decodeText(bytes)).join('')
  }
  return {
    faults,
    texts: {
      public: join('public', certificatesOf),
      private: join('private', privateKeysOf),
      ca: authorities && join('ca', certificatesOf),
    },
  }
}

class Wrong extends Error {}

function wrong(message: string): never {
  throw new Wrong(message)
}

type Attempt = (field: Fault['field'], act: () => void) => void

function checkPair(chain: X509Certificate[], key: KeyObject, attempt: Attempt): void {
  const own = createPublicKey(key)
  const place = chain.findIndex(({ publicKey }) => publicKey.equals(own))
  if (place === 0) attempt('public', () => checkStrength(own, 'The key of its certificate'))
  else if (place > 0)
    attempt('public', () =>
      wrong(`The chain is out of order: the certificate of the key is number ${place + 1} and has to be the first`),
    )
  else if (chain[0]?.ca && chain[0].subject !== chain[0].issuer)
    attempt('public', () => wrong('Its first certificate is one of a certificate authority, not of this server'))
  else attempt('private', () => wrong('The key belongs to another certificate than the one under public'))
}

function checkChain(chain: X509Certificate[]): void {
  for (const [i, certificate] of chain.slice(0, -1).entries()) {
    if (isIssuedBy(certificate, chain[i + 1] as X509Certificate)) continue
    const issuer = chain.findIndex((other, j) => j !== i && isIssuedBy(certificate, other))
    wrong(
      issuer < 0
        ? `Certificate ${i + 1} was not issued by certificate ${i + 2}, and its issuer is missing. Expected the chain in order, each issued by the next`
        : `The chain is out of order: certificate ${i + 1} was issued by certificate ${issuer + 1}, which has to be right behind it`,
    )
  }
}

/** By name and by signature. */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

function checkStrength(key: KeyObject, what: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = '' } = {} } = key
  switch (type) {
    case 'rsa':
    case 'rsa-pss':
      if (modulusLength < 2048) wrong(`${what} is too weak: RSA of ${modulusLength} bits. Expected 2048 or more`)
      return
    case 'ec':
      if (!CURVES.test(namedCurve))
        wrong(`${what} is on a curve that TLS clients do not take. Expected P-256, P-384 or P-521`)
      return
    case 'ed25519':
    case 'ed448':
      return
    default:
      wrong(`${what} is of a kind that no TLS client takes. Expected RSA or ECDSA`)
  }
}

function readCertificates(bytes: Uint8Array): X509Certificate[] {
  const text = readText(bytes)
  const found = certificatesOf(text)
  if (found.length === 0) wrong(`${whatText(text)}. Expected a certificate in PEM`)
  if (found.length > MOST) wrong(`It holds ${found.length} certificates. Expected at most ${MOST}`)
  return found.map((pem, i) => {
    try {
      const certificate = new X509Certificate(pem)
      // Done here, where the file can still be named: an unknown kind of key throws.
      void certificate.publicKey
      return certificate
    } catch {
      return wrong(`Certificate ${i + 1} in it cannot be read: it is damaged, or of an unknown kind`)
    }
  })
}

function readKey(bytes: Uint8Array): KeyObject {
  const text = readText(bytes)
  const found = privateKeysOf(text)
  if (found.length > 1) wrong(`It holds ${found.length} private keys. Expected one`)
  const [pem] = found
  if (pem === undefined) return wrong(`${whatText(text)}. Expected a private key in PEM`)
  if (/^-----BEGIN ENCRYPTED |^Proc-Type:.*ENCRYPTED/m.test(pem))
    wrong('The key is encrypted. Expected one without a passphrase: openssl pkey -in KEY -out NEW takes it away')
  if (pem.startsWith('-----BEGIN OPENSSH')) wrong('It is a key of OpenSSH. Expected a private key in PEM for TLS')
  try {
    return createPrivateKey(pem)
  } catch {
    return wrong('The key cannot be read: it is damaged, or of an unknown kind')
  }
}

function readText(bytes: Uint8Array): string {
  const binary = whatBinary(bytes)
  if (binary) wrong(`It is ${binary}. Expected PEM`)
  try {
    return decodeText(bytes)
  } catch (error) {
    if (!(error instanceof TextError)) throw error
    return wrong(`Found ${error.message}. Expected PEM`)
  }
}

/** The binary formats of certificates and keys; undefined for anything else. */
function whatBinary(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes)
  // A sequence, whose length takes one to four bytes.
  if (buffer[0] !== 0x30) return undefined
  const body = buffer.subarray((buffer[1] ?? 0) > 0x80 ? 2 + ((buffer[1] ?? 0) & 0x7f) : 2)
  if (body.subarray(0, 3).equals(Buffer.from([2, 1, 3])) && body[3] === 0x30)
    return 'PKCS#12 (.pfx, .p12): openssl pkcs12 takes the certificates and the key out of it'
  if (body.subarray(0, 10).equals(Buffer.from('06092a864886f70d0107', 'hex'))) return 'PKCS#7 (.p7b)'
  if (succeeds(() => new X509Certificate(buffer)) && !buffer.includes('-----BEGIN'))
    return 'a certificate in DER: openssl x509 -inform der makes PEM of it'
  const key = (['pkcs8', 'pkcs1', 'sec1'] as const).some((type) =>
    succeeds(() => createPrivateKey({ key: buffer, format: 'der', type })),
  )
  if (key) return 'a private key in DER: openssl pkey -inform der makes PEM of it'
  return (buffer[1] ?? 0) >= 0x80 ? 'binary (DER)' : undefined
}

function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

/** What a text is that contains no block of the expected kind. */
function whatText(text: string): string {
  const labels = pemBlocks(text).map(({ label }) => label)
  if (labels.includes('CERTIFICATE')) return 'It holds a certificate and no private key'
  if (labels.some((label) => label.endsWith('PRIVATE KEY'))) return 'It holds a private key and no certificate'
  if (labels.some((label) => label.endsWith('CERTIFICATE REQUEST'))) return 'It is a certificate request'
  if (labels.includes('PKCS7')) return 'It is PKCS#7 (.p7b)'
  if (labels.length > 0) return 'It holds PEM of another kind'
  if (text.includes('-----BEGIN ')) return 'Its PEM is cut off: there is a BEGIN line without its END line'
  if (text.startsWith('PuTTY-')) return 'It is a key of PuTTY'
  if (/^[A-Za-z0-9+/=\s]{40,}$/.test(text)) return 'It is Base64 without the BEGIN and END lines of PEM'
  return 'It is no PEM'
}

function areSwapped(files: CertificateBytes): boolean {
  const labels = (bytes: Uint8Array) => {
    try {
      return pemBlocks(decodeText(bytes)).map(({ label }) => label)
    } catch {
      return []
    }
  }
  const only = (found: string[], end: string) => found.length > 0 && found.every((label) => label.endsWith(end))
  return only(labels(files.public), 'PRIVATE KEY') && only(labels(files.private), 'CERTIFICATE')
}
