// The installed licence, where we judge it ourselves. The trap: a vendor's license.sh judges it otherwise, and a check runs no hook.

import { ApiError } from '../../errors.ts'
import { etc } from '../../folders.ts'
import { licenseScript, vendorJudges } from '../license/installed.ts'
import { readLicense } from '../license/license.ts'
import { type Finding, note, ok, unseen, warning } from './finding.ts'
import type { Place } from './place.ts'
import { readSmall, textOf } from './read.ts'

export async function lookAtLicence({ folders, configured, now }: Place): Promise<Finding[]> {
  if (!configured.settings.endpoints.includes('license')) return []
  const [file, keyFile] = [etc(folders, 'license.asc'), etc(folders, 'license.pub')]
  if (vendorJudges(folders))
    return [note('licence.by-hook', licenseScript(folders), 'it judges the licence, and a check runs no hook')]
  const [read, key] = await Promise.all([readSmall(file), readSmall(keyFile)])
  if (key.state === 'missing')
    return [
      warning(
        'licence.no-judge',
        keyFile,
        'licences are switched on, and neither license.pub nor bin/license.sh is there to judge one',
        `Lay your public key there (edge-admin license keygen), or take "license" out of "endpoints".`,
      ),
    ]
  if (read.state === 'missing') return [note('licence.none', file, 'no licence is installed')]
  if (read.state === 'unseen') return [unseen('licence', file)]
  if (key.state === 'unseen') return [unseen('licence', keyFile)]
  const mend = 'Install a licence that is valid (console, or POST /license).'
  if (read.state === 'wrong') return [warning('licence.invalid', file, read.fault, mend)]
  // Told among the keys.
  if (key.state === 'wrong') return []
  const [text, pem] = [textOf(read.bytes), textOf(key.bytes)]
  if (text.fault !== undefined) return [warning('licence.invalid', file, text.fault, mend)]
  if (pem.fault !== undefined) return [warning('licence.no-judge', keyFile, pem.fault, 'Save it as UTF-8.')]
  try {
    return [ok('licence.ok', file, `it is valid until ${readLicense(text.text, pem.text, now).expires}`)]
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause
    return [warning('licence.invalid', file, cause.message, mend)]
  }
}
