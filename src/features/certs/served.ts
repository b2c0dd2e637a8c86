// What a certificate says, for people. The trap: names come quoted where they hold what separates them, so a text of names is no list until it
// is taken apart by that rule.
import { type KeyObject, X509Certificate } from 'node:crypto'

export interface ServedCertificate {
  subject: string
  issuer: string
  /** Those that it is good for: host names and addresses. */
  names: string[]
  not_before: string
  not_after: string
  /** Whole days; negative once it has ended. */
  days_left: number
  fingerprint256: string
  self_signed: boolean
  key: string
}

const DAY = 86_400_000

/** `pem`: the leaf, and perhaps its chain behind it. */
export function describeCertificate(pem: string, now = Date.now()): ServedCertificate {
  const certificate = new X509Certificate(pem)
  const { subject, issuer, validFrom, validTo, publicKey } = certificate
  const end = Date.parse(validTo)
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: names(certificate.subjectAltName ?? ''),
    not_before: new Date(validFrom).toISOString(),
    not_after: new Date(end).toISOString(),
    days_left: Math.floor((end - now) / DAY),
    fingerprint256: certificate.fingerprint256,
    // Not `checkIssued`: a certificate that may sign no other (ours) is not its own issuer there.
    self_signed: subject === issuer && certificate.verify(publicKey),
    key: describeKey(publicKey),
  }
}

/** A part to a line, as Node tells a distinguished name. */
const oneLine = (name: string) => name.trim().split('\n').join(', ')

/** `DNS:a.example, IP Address:10.0.0.1`; a value that holds a comma or a quote is a JSON string. */
function names(text: string): string[] {
  const found = text.matchAll(/(?:^|, )(?:DNS|IP Address):(?:("(?:[^"\\]|\\.)*")|([^,]*))/g)
  return [...found].map(([, quoted, plain = '']) => (quoted === undefined ? plain : String(JSON.parse(quoted))))
}

function describeKey(publicKey: KeyObject): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails = {} } = publicKey
  const { modulusLength, namedCurve } = asymmetricKeyDetails
  if (modulusLength !== undefined) return `${type?.toUpperCase()} ${modulusLength}`
  return namedCurve === undefined ? String(type) : `ECDSA ${namedCurve}`
}
