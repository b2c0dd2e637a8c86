// Every endpoint of the admin surface: the table behind routing, the OpenAPI document and the generated tests.
import { backupEndpoints } from './backup.ts'
import { certsEndpoints } from './certs.ts'
import { docsEndpoints } from './docs.ts'
import { infoEndpoints } from './info.ts'
import { licenseEndpoints } from './license.ts'
import { settingsEndpoints } from './settings.ts'
import { setupEndpoints } from './setup.ts'
import { supportEndpoints } from './support.ts'
import { updateEndpoints } from './update.ts'

export const adminEndpoints = [
  ...setupEndpoints,
  ...updateEndpoints,
  ...supportEndpoints,
  ...infoEndpoints,
  ...settingsEndpoints,
  ...certsEndpoints,
  ...licenseEndpoints,
  ...backupEndpoints,
  ...docsEndpoints,
]
