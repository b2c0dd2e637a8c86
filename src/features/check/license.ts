// Checks the installed license if it is in our own format. With a vendor's license.sh only a note is made: a check runs
// no hook.

import { ApiError } from '../../errors.ts'
import { etc } from '../../folders.ts'
import { licenseScript, vendorJudges } from '../license/installed.ts'
import { readLicense } from '../license/license.ts'
import { type Finding, note, ok, unseen, warning } from './finding.ts'
import type { Place } from './place.ts'
import { readSmall, textOf } from './read.ts'

export async function lookAtLicense({ folders, configured, now }: Place): Promise<Finding[]> {
  if (!configured.settings.endpoints.includes('license')) return []
  const [file, keyFile] = [etc(folders, 'license.asc'), etc(folders, 'license.pub')]
  if (vendorJudges(folders))
    return [note('license.by-hook', licenseScript(folders), 'it judges the license, and a check runs no hook')]
  const [read, key] = await Promise.all([readSmall(file), readSmall(keyFile)])
  if (key.state === 'missing')
    return [
      warning(
        'license.no-judge',
        keyFile,
        'licenses are enabled, and there is neither a license.pub nor a bin/license.sh to check one',
        `Put your public key there (edge-admin license keygen), or take "license" out of "endpoints".`,
      ),
    ]
  if (read.state === 'missing') return [note('license.none', file, 'no license is installed')]
  if (read.state === 'unseen') return [unseen('license', file)]
  if (key.state === 'unseen') return [unseen('license', keyFile)]
  const mend = 'Install a license that is valid (console, or POST /license).'
  if (read.state === 'wrong') return [warning('license.invalid', file, read.fault, mend)]
  // Reported with the keys.
  if (key.state === 'wrong') return []
  const [text, pem] = [textOf(read.bytes), textOf(key.bytes)]
  if (text.fault !== undefined) return [warning('license.invalid', file, text.fault, mend)]
  if (pem.fault !== undefined) return [warning('license.no-judge', keyFile, pem.fault, 'Save it as UTF-8.')]
  try {
    return [ok('license.ok', file, `it is valid until ${readLicense(text.text, pem.text, now).expires}`)]
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause
    return [warning('license.invalid', file, cause.message, mend)]
  }
}
