// The key that signs the audit log's checkpoints: Ed25519, generated at first use. A new key would make all earlier
// signatures worthless, so an unreadable key stops the log and is never replaced.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { readText, writeAtomic } from '../atomic.ts'
import { type Checkpoint, isCheckpoint, readBody } from './record.ts'

/** Prevents a signature for this purpose from being used for another. */
const PURPOSE = 'edge-admin audit checkpoint\n'

export interface SigningKey {
  private: KeyObject
  public: KeyObject
  /** It was just generated. */
  fresh: boolean
}

/** Reads the key, or generates it. The public half is written to `publicFile` if it is missing or different. */
export function signingKey(file: string, publicFile: string): SigningKey {
  let pem = readText(file)
  const fresh = pem === undefined
  if (pem === undefined) {
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    writeAtomic(file, pem, 0o600)
  }
  let key: KeyObject | undefined
  try {
    key = createPrivateKey(pem)
  } catch {
    // The library's message quotes the file, so it is replaced below.
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new Error(`${file}: not an Ed25519 private key (PEM)`)
  const pair = { private: key, public: createPublicKey(key), fresh }
  const publicPem = pair.public.export({ type: 'spki', format: 'pem' }) as string
  if (readText(publicFile) !== publicPem) writeAtomic(publicFile, publicPem, 0o644)
  return pair
}

/** Reads a public key (PEM). Throws on anything else, including a private key. */
export function publicKey(pem: string): KeyObject {
  let key: KeyObject | undefined
  try {
    if (/^-----BEGIN PUBLIC KEY-----/.test(pem)) key = createPublicKey(pem)
  } catch {
    // Reported below.
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 public key (PEM)')
  return key
}

/** The SHA-256 of the key's DER form, for comparing it over the telephone. */
export const fingerprint = (key: KeyObject): string => hash('sha256', key.export({ type: 'spki', format: 'der' }))

/** The body of a checkpoint, with its signature at its end. */
export function checkpointBody(key: KeyObject, { seq, time, checkpoint }: Omit<Checkpoint, 'signature'>): string {
  const { previous, first } = checkpoint
  const unsigned = JSON.stringify({ seq, time, checkpoint: { previous, first } })
  const signature = sign(null, Buffer.from(PURPOSE + unsigned), key).toString('base64')
  return `${unsigned.slice(0, -1)},"signature":"${signature}"}`
}

/** The checkpoint in a body; undefined if it is not a checkpoint, or not signed with this key. */
export function readCheckpoint(key: KeyObject, body: string): Checkpoint | undefined {
  const record = readBody(body)
  if (!record || !isCheckpoint(record)) return undefined
  // Exactly the bytes that we would have written: nothing unsigned can be inserted.
  const { seq, time, checkpoint, signature } = record
  const { previous, first } = checkpoint
  const unsigned = JSON.stringify({ seq, time, checkpoint: { previous, first } })
  if (body !== `${unsigned.slice(0, -1)},"signature":"${signature}"}`) return undefined
  return verify(null, Buffer.from(PURPOSE + unsigned), key, Buffer.from(signature, 'base64')) ? record : undefined
}
