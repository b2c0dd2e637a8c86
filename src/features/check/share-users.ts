// Share users are kept in the state folder. Without these programs they are in neither the system nor Samba, and the
// shares refuse them.
import { stat } from 'node:fs/promises'
import { accountsFile } from '../share-accounts/record.ts'
import { type Finding, ok, warning } from './finding.ts'
import type { Place } from './place.ts'
import { findProgram } from './read.ts'

const PACKAGES: Readonly<Record<string, string>> = {
  getent: 'libc-bin',
  useradd: 'passwd',
  usermod: 'passwd',
  userdel: 'passwd',
  groupadd: 'passwd',
  groupdel: 'passwd',
  gpasswd: 'passwd',
  pdbedit: 'samba',
  smbpasswd: 'samba',
  smbstatus: 'samba',
}

export async function lookAtShareUsers(place: Place): Promise<Finding[]> {
  const file = accountsFile(place.folders)
  if (!(await stat(file).catch(() => undefined))) return []
  const path = place.programs === undefined ? place.path : [place.programs]
  const found: Finding[] = []
  for (const [name, bundle] of Object.entries(PACKAGES))
    if (!(await findProgram({ path }, name)))
      found.push(
        warning(
          'share-users.program',
          name,
          'it is missing, so share users cannot be changed or brought back after an update',
          `Install ${name} (on Debian: the package ${bundle}).`,
        ),
      )
  return found.length > 0 ? found : [ok('share-users.ok', file, 'the programs for share users are there')]
}
