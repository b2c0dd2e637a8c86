// Checks the vendor's keys on the appliance: without them no update can be installed, and if they are not protected,
// anybody's can.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { firstLineOf } from '../../auth/token.ts'
import { etc } from '../../folders.ts'
import { error, type Finding, note, ok, unseen, warning } from './finding.ts'
import { attempt, type Place, userName } from './place.ts'
import { findProgram, mayUse, readSmall } from './read.ts'

export async function lookAtKeys(place: Place): Promise<Finding[]> {
  const looks = [
    lookAtPassphrase(place),
    lookAtPublic(place, 'updates.pub'),
    lookAtPublic(place, 'license.pub'),
    lookForPrivateKeys(place),
    lookAtToken(place),
  ]
  return (await Promise.all(looks)).flat()
}

async function lookAtPassphrase({ folders }: Place): Promise<Finding[]> {
  const file = etc(folders, 'updates.key')
  const read = await readSmall(file)
  if (read.state === 'missing')
    return [
      warning(
        'keys.missing',
        file,
        'it is not there, so no update can be installed',
        'Put the passphrase of your packages there, one line, mode 600.',
      ),
    ]
  if (read.state === 'unseen') return [unseen('keys', file)]
  if (read.state === 'wrong')
    return [error('keys.broken', file, read.fault, 'Put the passphrase of your packages there, one line, mode 600.')]
  const end = read.bytes.indexOf(10)
  const line = end < 0 ? read.bytes : read.bytes.subarray(0, end)
  const found: Finding[] = []
  if (line.length === 0 || line.length > 1023 || line.includes(0))
    found.push(
      error(
        'keys.broken',
        file,
        'its first line is not a passphrase of 1 to 1023 bytes',
        'Put the passphrase of your packages there, one line.',
      ),
    )
  else if (line.at(-1) === 13 || line.subarray(0, 3).toString('hex') === 'efbbbf')
    found.push(
      warning(
        'keys.line-end',
        file,
        'it has a byte order mark or a carriage return, which counts as part of the passphrase',
        `Where your packages were made without: sed -i '1s/^\\xef\\xbb\\xbf//;s/\\r$//' ${file}`,
      ),
    )
  if ((read.info.mode & 0o007) !== 0)
    found.push(warning('keys.open', file, 'everybody may read or change it', `chmod 600 ${file}`))
  return found.length > 0 ? found : [ok('keys.ok', file, 'it holds a passphrase')]
}

async function lookAtPublic(place: Place, name: 'updates.pub' | 'license.pub'): Promise<Finding[]> {
  const file = etc(place.folders, name)
  const read = await readSmall(file)
  const mend = `Put the public key there, in PEM: openssl pkey -in PRIVATE -pubout -out ${file}`
  if (read.state === 'missing')
    return name === 'license.pub'
      ? []
      : [warning('keys.missing', file, 'it is not there, so no update can be installed and no debug bundle made', mend)]
  if (read.state === 'unseen') return [unseen('keys', file)]
  if (read.state === 'wrong') return [error('keys.broken', file, read.fault, mend)]
  if (read.bytes.includes('PRIVATE KEY-----'))
    return [
      error(
        'keys.private',
        file,
        'it holds a private key: anybody who reads it can make packages',
        `${mend} Make a new pair if the appliance was out of your hands.`,
      ),
    ]
  const found: Finding[] = []
  const key = publicKey(read.bytes)
  if (!key || !(await opensslReads(place, file)))
    found.push(error('keys.broken', file, 'it holds no public key that openssl can read', mend))
  else if (name === 'updates.pub' && key.asymmetricKeyType !== 'rsa')
    found.push(
      warning(
        'keys.not-rsa',
        file,
        `it is a key of kind ${key.asymmetricKeyType}, and a debug bundle needs RSA`,
        'Sign your packages with an RSA key of 2048 bits or more.',
      ),
    )
  if ((read.info.mode & 0o002) !== 0)
    found.push(error('keys.open', file, 'everybody may change it', `chmod 644 ${file}`))
  return found.length > 0 ? found : [ok('keys.ok', file, `a public key of kind ${key?.asymmetricKeyType}`)]
}

function publicKey(pem: Buffer): KeyObject | undefined {
  try {
    return createPublicKey(pem)
  } catch {
    return undefined
  }
}

/** The scripts use openssl, whose rules are stricter than Node's. A missing openssl is reported elsewhere. */
async function opensslReads(place: Place, file: string): Promise<boolean> {
  const openssl = await findProgram(place, 'openssl')
  if (!openssl) return true
  const ended = await attempt(place, openssl, ['pkey', '-pubin', '-noout', '-in', file])
  return !ended.ran || ended.status === 0
}

/** Nobody can sign in if the server cannot read it. */
async function lookAtToken(place: Place): Promise<Finding[]> {
  const { folders, server } = place
  const file = etc(folders, 'api.token')
  const read = await readSmall(file)
  if (read.state === 'missing')
    return [
      note(
        'keys.no-token',
        file,
        'there is no API token yet',
        'Set one up in the browser, or with edge-admin token set.',
      ),
    ]
  if (read.state === 'wrong')
    return [error('keys.token-broken', file, read.fault, `edge-admin token set --root ${folders.root}`)]
  if (read.state === 'unseen')
    return server?.uid === place.me.uid
      ? [
          error(
            'keys.token-closed',
            file,
            'the server may not read it, so nobody can use the API',
            `chown ${await userName(place, place.me.uid)} ${file}`,
          ),
        ]
      : [unseen('keys', file)]
  if (firstLineOf(read.bytes).length === 0)
    return [
      error(
        'keys.token-broken',
        file,
        'its first line is empty, so nobody can use the API',
        `edge-admin token set --root ${folders.root}`,
      ),
    ]
  if (server && !(await mayUse(place, read.info, server, 4)))
    return [
      error(
        'keys.token-closed',
        file,
        `${await userName(place, server.uid)}, the server’s user, may not read it, so nobody can use the API`,
        `chown ${await userName(place, server.uid)} ${file}`,
      ),
    ]
  if ((read.info.mode & 0o007) !== 0)
    return [warning('keys.open', file, 'everybody may read or change it', `chmod o-rwx ${file}`)]
  return [ok('keys.ok', file, 'the server can read it')]
}

/** Private keys for packages and licenses must not be on an appliance. */
async function lookForPrivateKeys({ folders }: Place): Promise<Finding[]> {
  const found: Finding[] = []
  for (const name of ['updates.priv', 'license.priv']) {
    const file = join(folders.root, 'etc', name)
    if ((await readSmall(file)).state !== 'missing')
      found.push(
        error(
          'keys.private',
          file,
          'a private key of the vendor does not belong on an appliance',
          `Remove it; make a new pair if the appliance was out of your hands.`,
        ),
      )
  }
  return found
}
