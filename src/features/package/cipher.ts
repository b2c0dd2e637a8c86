// The encryption of a package: what `openssl enc -aes-256-cbc -md sha256 -pbkdf2 -salt -pass file:KEY` writes and
// reads. CBC does not authenticate: a package that decrypts is not trusted until its signature is verified.
import {
  type Cipher,
  createCipheriv,
  createDecipheriv,
  createHash,
  type Decipher,
  pbkdf2Sync,
  randomBytes,
} from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { notDecrypted, PackageError } from './failure.ts'

const MAGIC = 'Salted__'
/** Magic and salt. */
export const HEADER_BYTES = 16

/**
 * The passphrase: the first line of the key file, byte for byte; as in openssl, a carriage return before its end is
 * part of it.
 */
export function readPassphrase(file: string): Buffer {
  const bytes = readFileSync(file)
  const end = bytes.indexOf(10)
  const line = end < 0 ? bytes : bytes.subarray(0, end)
  // openssl stops at a NUL and at 1023 bytes, without a message.
  if (line.length === 0 || line.length > 1023 || line.includes(0)) {
    throw new PackageError(`${file}: its first line is not a passphrase of 1 to 1023 bytes`)
  }
  return line
}

export function encrypt(passphrase: Buffer): { header: Buffer; cipher: Cipher } {
  const salt = randomBytes(8)
  const { key, iv } = derive(passphrase, salt)
  return { header: Buffer.concat([Buffer.from(MAGIC), salt]), cipher: createCipheriv('aes-256-cbc', key, iv) }
}

/** Starts to decrypt `file`; its bytes from HEADER_BYTES on go into the returned stream. */
export function decrypt(file: string, passphrase: Buffer, legacyMd5 = false): Decipher {
  const header = Buffer.alloc(HEADER_BYTES)
  const fd = openSync(file, 'r')
  try {
    if (readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) throw notDecrypted()
  } finally {
    closeSync(fd)
  }
  if (header.toString('latin1', 0, 8) !== MAGIC) throw notDecrypted()
  const { key, iv } = (legacyMd5 ? deriveLegacy : derive)(passphrase, header.subarray(8))
  return createDecipheriv('aes-256-cbc', key, iv)
}

function derive(passphrase: Buffer, salt: Buffer) {
  const bytes = pbkdf2Sync(passphrase, salt, 10_000, 48, 'sha256')
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32) }
}

/**
 * openssl's key derivation before PBKDF2: MD5 over the previous block, the passphrase and the salt, until there is
 * enough.
 */
function deriveLegacy(passphrase: Buffer, salt: Buffer) {
  let block: Buffer = Buffer.alloc(0)
  let bytes: Buffer = Buffer.alloc(0)
  while (bytes.length < 48) {
    block = createHash('md5').update(block).update(passphrase).update(salt).digest()
    bytes = Buffer.concat([bytes, block])
  }
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32, 48) }
}
