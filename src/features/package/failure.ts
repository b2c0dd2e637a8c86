// Why a package cannot be built or is refused. Messages with a code are the appliance's own (facts: jidoteki.md 5.2)
// and safe to show to anybody; those without one come from building, may name files, and are for the vendor's terminal
// only.

export type PackageCode = 'E1001' | 'E1005'

export class PackageError extends Error {
  readonly code: PackageCode | undefined

  constructor(message: string, code?: PackageCode, cause?: unknown) {
    super(message, { cause })
    this.name = 'PackageError'
    this.code = code
  }
}

const refusal = (what: string) => (cause?: unknown) =>
  new PackageError(`Error ${what} software update package`, 'E1005', cause)

export const notDecrypted = refusal('decrypting')
export const notExtracted = refusal('extracting')
export const notVerified = (cause?: unknown) =>
  new PackageError('Error verifying software update package signature', 'E1005', cause)
