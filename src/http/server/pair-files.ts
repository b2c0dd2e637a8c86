// Paths of the served certificate and its key.
import { join } from 'node:path'
import type { Folders } from '../../folders.ts'

export const certificateFile = (folders: Folders) => join(folders.sysconf, 'pki/tls/certs/enterprise.crt')
export const keyFile = (folders: Folders) => join(folders.sysconf, 'pki/tls/private/enterprise.key')
