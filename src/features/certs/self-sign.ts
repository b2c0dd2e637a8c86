// Who signs the certificate that the appliance makes for itself: openssl, in a folder of the state.
import { join } from 'node:path'
import { opensslSigner } from '../../drivers/openssl.ts'
import type { Folders } from '../../folders.ts'

export const selfSigner = ({ state }: Folders) => opensslSigner(join(state, 'self-sign'))
