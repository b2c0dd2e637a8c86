// `edge-admin package`: the firmware vendor's commands. `verify` predicts the appliance's verdict, so its reasons are
// the appliance's codes and messages, in the same order.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { buildPackage } from '../features/package/build.ts'
import { readPassphrase } from '../features/package/cipher.ts'
import { PackageError } from '../features/package/failure.ts'
import { listContents, type PackageSource, verifySignature } from '../features/package/read.ts'
import { compareVersions, isVersion, prereleaseDoubt } from '../features/package/version.ts'
import { edited, Failure, type Io, type Main, parse, required, say, UsageError } from './command.ts'

const ACTIONS = new Map<string, Main>([
  ['build', build],
  ['inspect', inspect],
  ['verify', verify],
])

export async function packageCommand([action = '', ...args]: string[], io: Io): Promise<number> {
  const main = ACTIONS.get(action)
  if (!main)
    throw new UsageError(`${action ? `unknown action ${action}` : 'an action is missing'}: build, inspect or verify`)
  try {
    return await main(args, io)
  } catch (error) {
    if (error instanceof PackageError) throw new Failure(error.code ? `${error.code} ${error.message}` : error.message)
    throw error
  }
}

async function build(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(
    args,
    { key: { type: 'string' }, sign: { type: 'string' }, version: { type: 'string' }, out: { type: 'string' } },
    ['DIR'],
  )
  const folder = positionals[0] as string
  const sign = required(values.sign, '--sign')
  const out = required(values.out, '--out')
  const passphrase = readPassphrase(required(values.key, '--key'))
  const signingKey = readKey(sign, createPrivateKey)
  if (realpathSync(sign).startsWith(realpathSync(folder) + sep)) {
    throw new Failure(`${sign}: the signing key lies in the folder and would be shipped with it`)
  }
  const time = Number(io.env['SOURCE_DATE_EPOCH'] || 0)
  if (!Number.isInteger(time) || time < 0 || time > 0xffffffff) throw new UsageError('SOURCE_DATE_EPOCH is not a time')
  const built = await buildPackage({ folder, passphrase, signingKey, version: values.version, out, time })
  if (!built.hasScript) say(io.stderr, 'warning: no update.sh: an appliance will take this package and change nothing')
  for (const doubt of [...built.doubts, prereleaseDoubt(built.version)]) if (doubt) say(io.stderr, `warning: ${doubt}`)
  say(io.stdout, `${out}: version ${built.version}, ${built.bytes} bytes`)
  return 0
}

const READING = {
  key: { type: 'string' },
  pub: { type: 'string' },
  'legacy-md5': { type: 'boolean', default: false },
} as const

async function inspect(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, READING, ['FILE'])
  const source = packageSource(positionals, values)
  const signature = values.pub ? await signatureState(source, readKey(values.pub, createPublicKey)) : 'unchecked'
  const { version, files, bytes } = await listContents(source)
  say(io.stdout, JSON.stringify({ version, signature, files, bytes }, null, 2))
  return signature === 'invalid' ? 1 : 0
}

async function signatureState(source: PackageSource, key: KeyObject): Promise<'valid' | 'invalid'> {
  try {
    await verifySignature(source, key)
    return 'valid'
  } catch (error) {
    if (error instanceof PackageError && error.message.includes('signature')) return 'invalid'
    throw error
  }
}

async function verify(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { ...READING, installed: { type: 'string' } }, ['FILE'])
  const publicKey = readKey(required(values.pub, '--pub'), createPublicKey)
  const { installed } = values
  if (installed !== undefined && !isVersion(installed)) throw new UsageError('--installed is not a version')
  const source = packageSource(positionals, values)
  await verifySignature(source, publicKey)
  const { version } = await listContents(source)
  if (installed !== undefined && version !== null) {
    const order = compareVersions(version, installed)
    const what = `software update package v${version}`
    if (order < 0) throw new PackageError(`${what} is too old.`, 'E1001')
    if (order === 0) throw new PackageError(`${what} already up-to-date.`, 'E1001')
  }
  say(io.stdout, `${source.file}: ${version === null ? 'no version' : `version ${version}`}, signature valid`)
  return 0
}

function packageSource(positionals: string[], values: { key?: string; 'legacy-md5': boolean }): PackageSource {
  const passphrase = readPassphrase(required(values.key, '--key'))
  return { file: positionals[0] as string, passphrase, legacyMd5: values['legacy-md5'] }
}

/** An RSA key of sufficient size, or an EC key: what `openssl dgst -sha256` signs and verifies with. */
function readKey(file: string, create: (pem: Buffer) => KeyObject): KeyObject {
  const pem = Buffer.from(edited(file))
  let key: KeyObject
  try {
    key = create(pem)
  } catch {
    throw new Failure(`${file}: not an unencrypted key in PEM`)
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'ec' && !(type === 'rsa' && (details?.modulusLength ?? 0) >= 2048)) {
    throw new Failure(`${file}: not an RSA key of 2048 bits or more, nor an EC key`)
  }
  return key
}
