// The details of a certificate, for people. Names that contain a separator are quoted, so the text of names has to be
// parsed by that rule.
import { type KeyObject, X509Certificate } from 'node:crypto'

export interface ServedCertificate {
  subject: string
  issuer: string
  /** The host names and addresses that it is valid for. */
  names: string[]
  not_before: string
  not_after: string
  /** Whole days; negative after its end. */
  days_left: number
  fingerprint256: string
  self_signed: boolean
  key: string
}

const DAY = 86_400_000

/** `pem`: the leaf certificate, optionally followed by its chain. */
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
    // Not `checkIssued`: that does not accept our own certificate, which may not sign others, as its own issuer.
    self_signed: subject === issuer && certificate.verify(publicKey),
    key: describeKey(publicKey),
  }
}

/** One part per line, as Node prints a distinguished name. */
const oneLine = (name: string) => name.trim().split('\n').join(', ')

/** `DNS:a.example, IP Address:10.0.0.1`; a value that contains a comma or a quote is a JSON string. */
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
