// Checks the installed certificate: whether the pair can be served, now and in a month, for the name of this machine.
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { certificatesOf } from '../../store/pem.ts'
import { look } from '../certs/look.ts'
import { error, type Finding, note, ok, unseen, warning } from './finding.ts'
import type { Place } from './place.ts'
import { mayUse, readSmall } from './read.ts'

const DAY = 86_400_000
const SOON = 30 * DAY
const INSTALL = 'Install a certificate (console, or POST /certs); without both files the server makes one at its start.'

export async function lookAtCertificate(place: Place): Promise<Finding[]> {
  const { folders, configured, server } = place
  if (!configured.settings.tls.enabled) return []
  const [cert, key] = ['pki/tls/certs/enterprise.crt', 'pki/tls/private/enterprise.key'].map((name) =>
    join(folders.sysconf, name),
  ) as [string, string]
  const [certRead, keyRead] = await Promise.all([readSmall(cert), readSmall(key)])
  if (certRead.state === 'missing')
    return [note('certificate.none', cert, 'there is none yet: the server makes one at its start')]
  if (certRead.state === 'unseen') return [unseen('certificate', cert)]
  if (certRead.state === 'wrong') return [error('certificate.broken', cert, certRead.fault, INSTALL)]
  if (keyRead.state === 'missing')
    return [
      error(
        'certificate.no-key',
        key,
        'the certificate has no private key',
        'Put the key there, or install certificate and key again.',
      ),
    ]
  if (keyRead.state === 'wrong') return [error('certificate.broken', key, keyRead.fault, INSTALL)]
  if (keyRead.state === 'unseen') return [unseen('certificate', key), ...dates(place, cert, certRead.bytes)]
  const found: Finding[] = look({ public: certRead.bytes, private: keyRead.bytes }).faults.map(({ field, message }) =>
    error(
      'certificate.broken',
      field === 'private' ? key : cert,
      `${message.charAt(0).toLowerCase()}${message.slice(1)}`,
      INSTALL,
    ),
  )
  if (server && !(await mayUse(place, keyRead.info, server, 4)))
    found.push(
      error(
        'certificate.key-closed',
        key,
        'the server’s user may not read it',
        `chgrp its group to ${key} and chmod g+r ${key}`,
      ),
    )
  if ((keyRead.info.mode & 0o007) !== 0)
    found.push(error('certificate.key-open', key, 'everybody may read or change the private key', `chmod o-rwx ${key}`))
  if (found.length === 0) found.push(...dates(place, cert, certRead.bytes))
  return found
}

function dates({ now }: Place, file: string, bytes: Buffer): Finding[] {
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(certificatesOf(bytes.toString('utf8'))[0] ?? bytes)
  } catch {
    return [error('certificate.broken', file, 'it cannot be read', INSTALL)]
  }
  const [begins, ends] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]
  const day = (time: number) => new Date(time).toISOString().slice(0, 10)
  if (now < begins)
    return [
      error(
        'certificate.early',
        file,
        `it is not valid before ${day(begins)}`,
        'Set the clock, or install another certificate.',
      ),
    ]
  if (now >= ends) return [error('certificate.ended', file, `it ended on ${day(ends)}`, INSTALL)]
  const found: Finding[] = []
  if (ends - now < SOON) found.push(warning('certificate.ends-soon', file, `it ends on ${day(ends)}`, INSTALL))
  const name = hostname()
  if (!leaf.checkHost(name))
    found.push(
      note(
        'certificate.other-name',
        file,
        `it is not good for ${name}, the name of this machine`,
        'Clients that use that name refuse it; those that use another of its names do not.',
      ),
    )
  return found.length > 0 ? found : [ok('certificate.ok', file, `it is good until ${day(ends)}`)]
}
