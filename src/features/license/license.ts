// Our own license format, for appliances whose vendor provides no license.sh: JSON signed with Ed25519. The messages
// reach whoever uploads a file, so they are fixed texts and never repeat its content.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import * as z from 'zod'
import { ApiError, invalid } from '../../errors.ts'
import { canonicalJson } from '../../store/canonical-json.ts'
import { expiryTime } from './expiry.ts'

export const MAX_LICENSE_BYTES = 64 * 1024

/** What GET /license returns. A vendor may add texts, numbers and booleans. */
export const License = z
  .object({
    app: z.string().min(1).max(255),
    users: z.int().positive(),
    expires: z.string().refine((text) => expiryTime(text) !== undefined, 'expected 2038-01-19 or 19 January 2038'),
    name: z.string().max(255),
    contact: z.string().max(255),
  })
  .catchall(z.union([z.string(), z.number(), z.boolean()]))
export type License = z.infer<typeof License>

const SignedLicense = z.strictObject({
  license: z.record(z.string(), z.unknown()),
  signature: z.base64().length(88),
})
/** Validated but not copied: zod's copy would leave out `__proto__`, and the signature covers everything. */
const isSignedLicense = (value: unknown): value is z.infer<typeof SignedLicense> =>
  SignedLicense.safeParse(value).success

/** The license in a signed file. Throws `invalid` with a fixed message for anything else, including an expired one. */
export function readLicense(text: string, publicKeyPem: string, now = Date.now()): License {
  const key = licenseKey(publicKeyPem, createPublicKey)
  if (Buffer.byteLength(text) > MAX_LICENSE_BYTES) throw invalid('The license file is too large')
  const value = parseJson(text)
  if (!isSignedLicense(value)) throw invalid('The license file has no license and signature')
  if (!isSigned(value, key)) throw invalid('The license signature is invalid')
  const license = parseLicense(value.license)
  if ((expiryTime(license.expires) as number) <= now) throw invalid('The license has expired')
  return license
}

/** The text of the signed file. */
export function signLicense(text: string, privateKeyPem: string): string {
  const key = licenseKey(privateKeyPem, createPrivateKey)
  const license = parseLicense(parseJson(text))
  const signature = sign(null, Buffer.from(canonicalJson(license)), key).toString('base64')
  const signed = `${JSON.stringify({ license, signature }, null, 2)}\n`
  if (Buffer.byteLength(signed) > MAX_LICENSE_BYTES) throw invalid('The license file is too large')
  return signed
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid('The license file is not JSON')
  }
}

function parseLicense(value: unknown): License {
  const result = License.safeParse(value)
  if (result.success) return result.data
  const field = result.error.issues[0]?.path[0]
  const known = Object.keys(License.shape).find((name) => name === field)
  throw invalid(known ? `The license has a missing or wrong field: ${known}` : 'The license has a wrong field')
}

/** Whether the signature matches exactly the parsed value. */
function isSigned({ license, signature }: z.infer<typeof SignedLicense>, key: KeyObject): boolean {
  let message: string
  try {
    message = canonicalJson(license)
  } catch {
    return false
  }
  return verify(null, Buffer.from(message), key, Buffer.from(signature, 'base64'))
}

function licenseKey(pem: string, create: (pem: string) => KeyObject): KeyObject {
  try {
    const key = create(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Falls through: an unreadable key is as useless as one of another kind.
  }
  throw new ApiError('internal', 'The license key is not an Ed25519 key')
}
